"""What is on a `.dead` topic: messages that can never be handled, with all that is needed to understand and replay them."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal

from shared.messages.base import Message
from shared.messages.unknown_values import UnknownAs


class DeadLetter(Message):
    """A message that was set aside. The payload is base64, since it may be anything."""

    ce_type: ClassVar[str] = "slugline.message.dead"

    stage: str
    """`enrich.text`, `publish.archive`, ..."""
    failure: Annotated[Literal["invalid", "permanent"], UnknownAs("permanent")]
    reason: str
    field: str = ""
    """JSON pointer to the field at fault, where there is one."""
    topic: str
    partition: int
    offset: int
    key: str | None = None
    """As it was sent: on `updates.raw` the source, elsewhere mostly the update's id."""
    headers: tuple[tuple[str, str], ...] = ()
    """Values are base64, since they may be anything."""
    payload: str
    whole: bool = True
    """False where the payload is too large for a letter and only its beginning is here; the record is at `offset`."""
    traceparent: str = ""
    failed_at: datetime
    attempt: int = 1


class DeadLettersClosed(Message):
    """Behind dead letters on their topic: nobody need look at these any more. A letter that is replayed a second time is asked for."""

    ce_type: ClassVar[str] = "slugline.message.dead.closed"

    offsets: tuple[int, ...]
    """Where the dead letters are on this topic."""
    how: Annotated[Literal["replayed", "dropped"], UnknownAs("dropped")]
    by: str
    """Who did it."""
    at: datetime
    reason: str = ""
