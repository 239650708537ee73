"""The settings of the enrich processes."""

from pathlib import Path
from zoneinfo import available_timezones

from pydantic import Field, field_validator

from shared.settings import Connections


class Settings(Connections):
    """Read from the environment; the same for every process of the service, each takes what it needs."""

    enrich_batch: int = Field(default=200, ge=1, le=5000, description="Most messages that are enriched as one batch")
    enrich_api_key_sha256: str = Field(
        default="",
        pattern=r"^([0-9a-fA-F]{64})?$",
        description="SHA-256, in hex, of one more key to the newsroom's API on the port of `enrich text`, beside those of `python -m enrich keys`; it cannot make keys",
    )
    enrich_embargo_margin_s: dict[str, float] = Field(
        default_factory=dict,
        description='Seconds added to the embargo of a source, for what its clock is off, as JSON: {"pa": 2.5, "*": 0}',
    )
    enrich_release_interval_s: float = Field(
        default=0.5, gt=0, le=60, description="Seconds between two looks at what is due: embargoes, expiries, retries"
    )
    enrich_release_again_s: float = Field(
        default=60.0, gt=0, description="Seconds after which a release that had no effect is sent once more"
    )
    enrich_refreshes_per_s: float = Field(
        default=200.0,
        gt=0,
        le=10_000,
        description="Updates made again in a second, by all replicas together, for what has changed: live copy goes before",
    )
    enrich_text_budget_ms: float = Field(default=200.0, gt=0, description="Milliseconds that the text step may take")
    enrich_authors_budget_ms: float = Field(default=50.0, gt=0, description="Milliseconds for the byline of one update")
    enrich_tags_budget_ms: float = Field(default=100.0, gt=0, description="Milliseconds for the tags of one update")
    enrich_story_budget_ms: float = Field(
        default=500.0, gt=0, description="Milliseconds for looking up the parents of one batch"
    )
    enrich_media_budget_ms: float = Field(
        default=500.0, gt=0, description="Milliseconds for looking up the pictures of one batch"
    )
    enrich_retry_after_s: float = Field(
        default=30.0,
        gt=0,
        description="Seconds after which a step that missed its budget is tried again; then four times that, and so on",
    )
    enrich_retries: int = Field(default=4, ge=0, description="How often a step that missed its budget is tried again")
    enrich_dictionary: Path | None = Field(
        default=None,
        description="JSON lines of names to be found in texts, beside those in Postgres: {code, kind, label, names}",
    )
    enrich_label_languages: tuple[str, ...] = Field(
        default=("en", "de", "fr", "es"), description="Languages in which tags carry labels, as a JSON list"
    )
    enrich_least_confidence: float = Field(
        default=0.4, ge=0, le=1, description="A name found in a text with less confidence than this is no tag"
    )
    enrich_reload_s: float = Field(
        default=5.0,
        gt=0,
        description="Seconds between two looks for a changed directory, should a notification be missed",
    )
    enrich_story_window_h: float = Field(
        default=48.0, gt=0, description="Hours within which updates of several agencies may become one story"
    )
    enrich_story_likeness: float = Field(
        default=0.5, gt=0, le=1, description="Share of common word pairs from which two texts are near duplicates"
    )
    enrich_families: dict[str, str] = Field(
        default_factory=dict,
        description='Publisher family of a source, as JSON: {"ap-sports": "ap"}; a source without one is its own',
    )

    enrich_own_sources: tuple[str, ...] = Field(
        default=(),
        description="The newsroom's own sources, as a JSON list: authors of the directory without `sources` write for these; by default for all but known agencies",
    )

    enrich_media_fetches: int = Field(default=24, ge=1, le=500, description="Pictures fetched at once by one process")
    enrich_media_fetches_per_host: int = Field(
        default=4, ge=1, description="Pictures fetched at once from one host, so that a slow one holds no other"
    )
    enrich_media_fetch_s: float = Field(
        default=30.0, gt=0, description="Seconds that one picture may take to fetch, redirects and all"
    )
    enrich_media_max_bytes: int = Field(
        default=32 * 1024 * 1024,
        ge=1024,
        description="Bytes of the largest picture that is taken, after content encoding",
    )
    enrich_media_held_bytes: int = Field(
        default=64 * 1024 * 1024, ge=1024, description="Bytes of fetched pictures that one process holds at once"
    )
    enrich_media_max_pixels: int = Field(
        default=100_000_000, ge=1, description="Pixels of the largest picture that is decoded, as its header says"
    )
    enrich_media_renderers: int = Field(default=2, ge=1, le=64, description="Worker processes that decode and render")
    enrich_media_render_s: float = Field(
        default=30.0, gt=0, description="Seconds after which the renderer of one picture is killed"
    )
    enrich_media_render_bytes: int = Field(
        default=1024**3, ge=256 * 1024**2, description="Bytes of address space that one renderer may use"
    )
    enrich_media_attempts: int = Field(
        default=7,
        ge=1,
        description="How often a picture is asked for, when a host fails for the moment, before it is given up",
    )
    enrich_media_retry_s: float = Field(
        default=10.0,
        gt=0,
        description="Seconds before the second attempt; each later pause is four times the one before, at most an hour",
    )
    enrich_media_lease_s: float = Field(
        default=120.0,
        ge=1,
        description="Seconds after which a picture of a process that was killed is taken up by another",
    )
    enrich_media_reuse_s: float = Field(
        default=3600.0,
        ge=0,
        description="Seconds within which a URL that an update refers to is not fetched again for another update of the source",
    )
    enrich_media_ports: tuple[int, ...] = Field(
        default=(80, 443, 8080, 8443), description="Ports that pictures may be fetched from, as a JSON list"
    )
    enrich_media_allow_private: bool = Field(
        default=False,
        description="Fetch from private and loopback addresses, any port: for a local installation only",
    )

    enrich_media_trusted_issuers: Path | None = Field(
        default=None,
        description="A file of certificates (PEM) whose issuers' content credentials (C2PA) count as trusted; without it they are valid at most",
    )
    enrich_country: str = Field(
        default="",
        pattern=r"^([A-Za-z]{2})?$",
        description="The newsroom's country (ISO 3166-1, two letters): pictures that are not for it (`GERMANY OUT`) are withheld; empty: such terms restrict nothing",
    )
    enrich_time_zone: str = Field(
        default="UTC",
        description="The newsroom's time zone (IANA name), taken for an embargo in a picture's words that names none",
    )

    @field_validator("enrich_time_zone")
    @classmethod
    def _is_a_zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError("an IANA name is needed, such as Europe/Berlin")
        return value

    def margin_s(self, source: str) -> float:
        """Seconds that are added to the embargoes of a source."""
        return self.enrich_embargo_margin_s.get(source, self.enrich_embargo_margin_s.get("*", 0.0))
