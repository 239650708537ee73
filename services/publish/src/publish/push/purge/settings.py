"""Settings of purges."""

from pydantic import BaseModel, Field


class PurgeSettings(BaseModel):
    """Part of the push process's settings."""

    publish_push_purge_urls: str = Field(
        default="", description="Caches that are purged by surrogate key when something changes, comma-separated"
    )
    publish_push_purge_method: str = Field(default="PURGE", description="HTTP method of a purge")
    publish_push_purge_header: str = Field(
        default="Surrogate-Key", description="Header that names the keys to purge, parted by spaces"
    )
    publish_push_purge_auth: str = Field(
        default="", description="A further header of a purge, as Name: value, where the cache wants a key"
    )

    @property
    def purge_urls(self) -> tuple[str, ...]:
        """The addresses of `publish_push_purge_urls`."""
        return tuple(url.strip() for url in self.publish_push_purge_urls.split(",") if url.strip())
