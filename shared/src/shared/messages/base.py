"""What every message has in common, and the identity of an update."""

import base64
import hashlib
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, StringConstraints

UpdateId = Annotated[str, StringConstraints(pattern=r"^[a-z2-7]{26}$")]
"""26 lower-case base32 characters: safe in a path, a header, a Redis key and an SSE id."""


class Message(BaseModel):
    """A fact or a part of one: immutable, tolerant of fields that a newer writer added."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    ce_type: ClassVar[str] = ""
    """The CloudEvents type of a message that travels on its own; empty for a part."""


def update_id_for(source: str, guid: str) -> str:
    """The id of the update that a source calls `guid`: the same pair is the same update for ever."""
    digest = hashlib.sha256(f"{source}\x00{guid}".encode("utf-8", "surrogatepass")).digest()
    return base64.b32encode(digest[:20]).decode().lower()[:26]
