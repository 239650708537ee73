"""Settings of the publish processes; those that concern push alone are in `push/settings.py`."""

import re
from typing import Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from shared.settings import Connections


def _origins(value: str) -> str:
    for origin in filter(None, (each.strip() for each in value.split(","))):
        if not re.fullmatch(r"https?://[a-z0-9.-]+(:[0-9]+)?/?", origin):
            raise ValueError(f"not an origin: {origin}")
    return value


class Settings(Connections):
    """Read from the environment; every process takes those that it needs."""

    port: int = Field(default=8080, description="Port that readers come to")
    publish_site_url: str = Field(
        default="http://127.0.0.1:8080",
        description="Address under which readers know the site, without a path; canonical links and feeds begin with it",
    )
    publish_site_name: str = Field(default="Slugline", description="Name of the newsroom, as readers see it")
    publish_language: str = Field(
        default="en",
        description="Language of the interface (BCP 47): ar, de, en, es, fr or uk with any region; another is English",
    )
    publish_language_sites: str = Field(
        default="",
        description="The same news in other languages of the interface: language=https://host, comma-separated; pages link them",
    )
    publish_time_zone: str = Field(default="UTC", description="Time zone in which readers see times (IANA name)")
    publish_web_updates: int = Field(
        default=5000,
        ge=100,
        description="Newest updates that a web replica keeps in memory; older ones come from the archive",
    )
    publish_web_updates_bytes: int = Field(
        default=32 * 1024 * 1024,
        ge=1024 * 1024,
        description="Most bytes of words that these take, rendered too; where they have more, fewer are kept",
    )
    publish_web_connections: int = Field(
        default=4_000, ge=16, description="As HTTP_CONNECTIONS, of a web replica's port, streams apart"
    )
    publish_api_per_minute: int = Field(
        default=3_000,
        ge=0,
        description="Requests to /v1 a minute from one address without a key, of one replica, streams and polls apart; 0 for no limit",
    )
    publish_api_partner_per_minute: int = Field(
        default=30_000, ge=1, description="The same with a partner's key that says nothing else"
    )
    publish_poll_per_minute: int = Field(
        default=120,
        ge=0,
        description="Votes in polls a minute from one address, of one web replica: readers of one office or carrier share one; 0 for no limit",
    )
    publish_poll_key: str = Field(
        default="",
        repr=False,
        description="Secret that signs the cookie by which a browser votes once; one is made and kept in Redis when empty",
    )
    publish_web_page_size: int = Field(default=20, ge=5, le=100, description="Updates on one page of a feed")
    publish_web_fresh_s: int = Field(
        default=2, ge=0, description="Seconds for which a shared cache may answer without asking (s-maxage)"
    )
    publish_web_image_origins: str = Field(
        default="",
        description="Origins (https://host, comma-separated) besides the site's own that authors' pictures may come from",
    )
    publish_web_ignored_parameters: str = Field(
        default="utm_*,fbclid,gclid,gbraid,wbraid,dclid,msclkid,twclid,yclid,igshid,mc_cid,mc_eid,_ga,_gl,ref,cmpid,at_*",
        description="Query parameters that others add to addresses of pages, ignored; comma-separated, * at the end for "
        "any that begin so. Any other parameter that is not known is refused",
    )
    publish_machine_rights: Literal["open", "search", "none"] = Field(
        default="open",
        description="What machines may do with what is published: `open` reserves nothing; `search` reserves text and data mining and the training of models, and lets search engines index; `none` reserves search as well. Said in robots.txt, tdmrep.json, rsl.xml, headers and pages",
    )
    publish_machine_terms_url: str = Field(
        default="",
        description="The page that tells machines' owners on which terms they may have more; empty names none",
    )
    publish_web_alerts: bool = Field(
        default=True, description="Offer readers alerts, by a button that asks nothing before it is pressed"
    )
    publish_feed_retraction_days: int = Field(
        default=30,
        ge=1,
        le=3650,
        description="Days for which feeds tell of an update that was taken out of sight: as long as feed readers keep entries",
    )
    publish_logo_url: str = Field(
        default="/static/logo.png",
        description="The publisher's logo for search engines, a PNG or JPEG of at least 112 by 112 px; a path of this site or an address",
    )
    publish_share_image_url: str = Field(
        default="/static/share.png",
        description="Picture, 1200 by 630 px, that a shared page shows which has none of its own; a path or an address; empty for none",
    )
    publish_embed_origins: str = Field(
        default="*",
        description="Origins (https://host, comma-separated) whose pages may embed stories; * for all, empty for none",
    )
    publish_cache_feed_length: int = Field(
        default=1000, ge=10, description="Newest updates that a feed of the Redis read model holds"
    )
    publish_cache_days: int = Field(
        default=30, ge=1, description="Days for which the Redis read model keeps an update since its last change"
    )
    publish_push_url: str = Field(
        default="http://127.0.0.1:8097", description="Address under which subscribers reach the push process"
    )
    publish_push_web_urls: str = Field(
        default="",
        description="Web replicas and shared caches that must answer with a revision before it is pushed and without it "
        "after a takedown, comma-separated; the site's own address when empty",
    )
    publish_takedown_replicas: str = Field(
        default="",
        description="Web replicas that are asked one by one whether they are without a killed update, comma-separated: "
        "addresses, or dns:http://NAME:PORT for every address that a name has; those of PUBLISH_PUSH_WEB_URLS when empty. "
        "The site's own address, and with it a shared cache before it, is asked as well (PUBLISH_TAKEDOWN_ASK_SITE)",
    )
    publish_takedown_ask_site: bool = Field(
        default=True,
        description="Ask the site's own address too, unless it is one of this machine alone; false where push cannot reach it",
    )
    publish_takedown_key: str = Field(
        default="",
        repr=False,
        description="Private Ed25519 key (32 bytes, base64url) that signs reports of takedowns; one is made once and kept "
        "in Postgres when empty",
    )
    publish_push_check_cache: bool = Field(
        default=True, description="Wait for the Redis read model too before anything leaves; false where no cache runs"
    )
    publish_websub_hub: str = Field(
        default="", description="Address of the WebSub hub that the feeds name; empty names none"
    )
    publish_stream_connections: int = Field(
        default=15_000, ge=1, description="Streams that one web replica holds; more are answered 503"
    )
    publish_stream_per_address: int = Field(
        default=256, ge=0, description="Streams from one address, more are answered 429; 0 for no such limit"
    )
    publish_stream_window_events: int = Field(
        default=10_000, ge=1, description="Newest events that a web replica keeps in memory for readers who come back"
    )
    publish_stream_window_bytes: int = Field(
        default=64 * 1024 * 1024, ge=1, description="Most bytes that these events take"
    )
    publish_stream_buffer_bytes: int = Field(
        default=512 * 1024,
        ge=1,
        description="Most bytes that a slow reader may be behind for longer than a moment; past that it is sent a reset",
    )
    publish_stream_behind_bytes: int = Field(
        default=256 * 1024 * 1024,
        ge=1,
        description="Most bytes that all slow readers hold together; past that those who take nothing are cut off",
    )
    publish_stream_stalled_s: float = Field(
        default=20.0, gt=0, description="Seconds for which a reader may take nothing of what waits for it"
    )
    publish_stream_replay_events: int = Field(
        default=2_000,
        ge=1,
        description="Most events of the archive that a reader is replayed; past that it is sent a reset",
    )
    publish_stream_heartbeat_s: int = Field(
        default=15, ge=1, le=55, description="Seconds between two heartbeats of a stream"
    )
    publish_stream_retry_ms: int = Field(
        default=3_000,
        ge=100,
        description="Least time after which a reader comes back, ms; at most twice that, at random",
    )
    publish_stream_drain_s: float = Field(
        default=10.0, ge=0, description="Seconds over which readers are sent away when the process ends"
    )

    @property
    def image_origins(self) -> tuple[str, ...]:
        """The origins of `publish_web_image_origins`."""
        return tuple(
            origin.strip().rstrip("/") for origin in self.publish_web_image_origins.split(",") if origin.strip()
        )

    @property
    def language_sites(self) -> dict[str, str]:
        """The addresses of `publish_language_sites`, by language."""
        pairs = (each.partition("=") for each in self.publish_language_sites.split(",") if each.strip())
        return {language.strip(): address.strip().rstrip("/") for language, _, address in pairs}

    @field_validator("publish_language_sites")
    @classmethod
    def _only_sites(cls, value: str) -> str:
        for each in filter(None, (pair.strip() for pair in value.split(","))):
            language, _, address = each.partition("=")
            parts = urlsplit(address.strip())
            if (
                not language.strip()
                or parts.scheme not in ("http", "https")
                or not parts.netloc
                or parts.path.strip("/")
            ):
                raise ValueError(f"{each!r} is not language=https://host")
        return value

    def ignored_parameters(self, name: str) -> bool:
        """Whether a query parameter is one of `publish_web_ignored_parameters`."""
        patterns = [each.strip() for each in self.publish_web_ignored_parameters.split(",") if each.strip()]
        return any(name.startswith(each[:-1]) if each.endswith("*") else name == each for each in patterns)

    @field_validator("publish_logo_url", "publish_share_image_url")
    @classmethod
    def _path_or_address(cls, value: str) -> str:
        if value and not re.fullmatch(r"(/(?!/)|https?://)[^\s<>\"]+", value):
            raise ValueError(f"neither a path nor an address: {value}")
        return value

    def whole(self, address: str) -> str:
        """An address that may be a path of this site, whole."""
        return self.publish_site_url + address if address.startswith("/") else address

    @property
    def embed_origins(self) -> tuple[str, ...]:
        """The origins of `publish_embed_origins`; `*` among them stands for all."""
        return tuple(each.strip().rstrip("/") for each in self.publish_embed_origins.split(",") if each.strip())

    @field_validator("publish_embed_origins")
    @classmethod
    def _all_or_origins(cls, value: str) -> str:
        return value if value.strip() == "*" else _origins(value)

    @field_validator("publish_web_image_origins")
    @classmethod
    def _only_origins(cls, value: str) -> str:
        return _origins(value)

    @property
    def web_urls(self) -> tuple[str, ...]:
        """The addresses of `publish_push_web_urls`."""
        given = tuple(url.strip().rstrip("/") for url in self.publish_push_web_urls.split(",") if url.strip())
        return given or (self.publish_site_url,)

    @property
    def takedown_urls(self) -> tuple[str, ...]:
        """Where a takedown asks: every replica, and the address under which readers know the site."""
        given = tuple(url.strip().rstrip("/") for url in self.publish_takedown_replicas.split(",") if url.strip())
        asked = given or self.web_urls
        local = urlsplit(self.publish_site_url).hostname in ("localhost", "127.0.0.1", "::1")
        return (
            tuple(dict.fromkeys([*asked, self.publish_site_url]))
            if self.publish_takedown_ask_site and not local
            else asked
        )

    @property
    def websub_hub(self) -> str:
        """The hub's address as the push process gives it."""
        return self.publish_websub_hub or f"{self.publish_push_url.rstrip('/')}/websub"

    @field_validator("publish_takedown_key")
    @classmethod
    def _a_key(cls, value: str) -> str:
        if value and not re.fullmatch(r"[A-Za-z0-9_-]{43}=?", value):
            raise ValueError("32 bytes in base64url are needed")
        return value

    @field_validator("publish_takedown_replicas")
    @classmethod
    def _only_addresses(cls, value: str) -> str:
        for each in filter(None, (part.strip() for part in value.split(","))):
            if not re.fullmatch(r"(https?|dns:http)://[^/\s]+/?", each):
                raise ValueError(f"not an address, nor dns:http://NAME:PORT: {each}")
        return value

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
