"""The message by which an alert's readers are sent theirs, some hundred at a time."""

from typing import ClassVar

from shared.messages import Message


class PushBatch(Message):
    """Send an alert to those of its readers whose subscription ids are from `first` to `last`."""

    ce_type: ClassVar[str] = "slugline.push.batch"

    alert_id: str
    number: int
    first: int
    last: int
    slots: int
    """How many may be under way at a time: after a crash no more than these are sent twice."""
