"""What the publish processes can be told."""

from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from shared.settings import Connections


class Settings(Connections):
    """Read from the environment; the same for every process of the service, each takes what it needs."""

    port: int = Field(default=8080, description="Port that readers come to")
    publish_site_url: str = Field(
        default="http://127.0.0.1:8080",
        description="Address under which readers know the site, without a path; canonical links and feeds begin with it",
    )
    publish_site_name: str = Field(default="Slugline", description="Name of the newsroom, as readers see it")
    publish_language: str = Field(default="en", description="Language of the page around the updates (BCP 47)")
    publish_time_zone: str = Field(default="UTC", description="Time zone in which readers see times (IANA name)")
    publish_web_updates: int = Field(
        default=5000,
        ge=100,
        description="Newest updates that a web replica keeps in memory; older ones come from the archive",
    )
    publish_web_page_size: int = Field(default=20, ge=5, le=100, description="Updates on one page of a feed")
    publish_web_fresh_s: int = Field(
        default=2, ge=0, description="Seconds for which a shared cache may answer without asking (s-maxage)"
    )
    publish_websub_hub: str = Field(
        default="", description="Address of the WebSub hub that feeds name; the site's own /websub when empty"
    )

    @field_validator("publish_site_url")
    @classmethod
    def _without_slash(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            raise ValueError("an http(s) URL is needed")
        return value.rstrip("/")

    @field_validator("publish_time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"no such time zone: {value}") from error
        return value
