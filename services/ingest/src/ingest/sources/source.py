"""What is known of a source: its limits, how its copy arrives, and what is particular about it."""

from datetime import datetime
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator

from ingest.formats import FORMATS, SourceProfile
from shared.messages import Power
from shared.messages.powers import OF_A_WIRE, POWERS

SourceName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]
Kind = Literal["api", "poll", "watch", "websub"]
Count = Annotated[int, Field(gt=0, le=2**31 - 1)]

FORMAT_NAMES = tuple(sorted(name for one in FORMATS for name in one.names))


class Source(BaseModel):
    """A sender of copy: its limits, how its copy arrives, and what is particular about it (`profile`)."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: SourceName
    kind: Kind = "api"
    title: str = Field(default="", max_length=200)
    url: str | None = Field(default=None, pattern=r"^https?://", max_length=2000)
    """The feed that is polled, or the topic that a hub announces."""
    folder: str | None = None
    """The folder that is watched; absolute."""
    format: str | None = None
    """The one format it sends; recognised from each document when empty."""
    profile: SourceProfile = SourceProfile()
    desk: bool = False
    """Its keys may give orders about the updates of every source, and see them."""
    may: tuple[Power, ...] | None = None
    """What it may do beside sending copy: `pin`, `key_event`, `alert`, `kill`, `embargo`, `story`. Left out, a desk may do all of it and
    a wire `kill` and `embargo`."""
    rate_per_s: float | None = Field(default=None, gt=0)
    burst: Count | None = None
    max_body_bytes: Count | None = None
    silence_after_s: Count | None = None
    """Without new copy for so long, an alarm is raised."""
    min_interval_s: Count | None = None
    max_interval_s: Count | None = None
    paused_at: datetime | None = None
    paused_because: str = ""
    signing_generation: int = 0
    """The number of the signing secret that was issued last; 0 for none."""

    @field_validator("title", "url", "folder")
    @classmethod
    def _has_no_control_characters(cls, value: str | None) -> str | None:
        if value is not None and any(sign < " " for sign in value):
            raise ValueError("control characters cannot be stored")
        return value

    @field_validator("url")
    @classmethod
    def _has_a_host(cls, value: str | None) -> str | None:
        if value is not None and not urlsplit(value).hostname:
            raise ValueError("an http(s) URL with a host is needed")
        return value

    @field_validator("format")
    @classmethod
    def _is_a_known_format(cls, value: str | None) -> str | None:
        if value is not None and value not in FORMAT_NAMES:
            raise ValueError(f"there is no format {value[:60]!r}: {', '.join(FORMAT_NAMES)}")
        return value

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> "Source":
        if self.kind in ("poll", "websub") and not self.url:
            raise ValueError(f"a source of kind {self.kind} needs a url")
        if self.kind == "watch" and (not (self.folder or "").startswith("/") or not (self.folder or "").strip("/.")):
            raise ValueError("a source of kind watch needs an absolute folder, and not the root")
        if self.min_interval_s and self.max_interval_s and self.min_interval_s > self.max_interval_s:
            raise ValueError("min_interval_s is more than max_interval_s")
        return self

    def body_limit(self, max_bytes: int) -> int:
        """The largest body that it may send, where nobody may send more than `max_bytes`."""
        return min(self.max_body_bytes or max_bytes, max_bytes)

    @property
    def powers(self) -> tuple[Power, ...]:
        """What it may do beside sending copy."""
        if self.may is not None:
            return self.may
        return POWERS if self.desk else OF_A_WIRE

    @property
    def paused(self) -> bool:
        """Whether nothing is taken from it for the time being."""
        return self.paused_at is not None


MESSAGES = {"extra_forbidden": "there is no such setting", "missing": "is needed"}
PATTERNS = {
    "name": "small letters, digits, '.', '_' and '-', at most 63, the first a letter or a digit",
    "url": "an http(s) URL is needed",
}


def complaint(error: ValidationError) -> str:
    """What is wrong with the description of a source, in one line: the field and the reason."""
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(step) for step in first["loc"])
    reason = MESSAGES.get(first["type"]) or first["msg"].removeprefix("Value error, ")
    if first["type"] == "string_pattern_mismatch":
        reason = PATTERNS.get(place, reason)
    return f"{place}: {reason}" if place else reason
