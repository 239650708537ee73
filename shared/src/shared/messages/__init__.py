"""The messages between services: CloudEvents 1.0 with pydantic data.

They change only additively, since services deploy at different times: new fields are optional, readers ignore fields
they do not know, and a breaking change is a new topic.
"""

from shared.messages.base import Message, UpdateId, update_id_for
from shared.messages.dead_letter import DeadLetter, DeadLettersClosed
from shared.messages.enriched import (
    Author,
    Change,
    Corroboration,
    EnrichedUpdate,
    Kind,
    Media,
    Passport,
    Removal,
    Rendition,
    Step,
    StoryProfile,
    Tag,
)
from shared.messages.marks import AS_SENT, SOURCE_WORDS, Mark, marked, without_source_words
from shared.messages.outcome import Outcome, Outcomes, Stage
from shared.messages.raw import (
    Creator,
    Flags,
    MediaReference,
    MediaWanted,
    Order,
    OrderName,
    OriginalReference,
    RawUpdate,
    Refresh,
    RefreshCause,
    Release,
    Repair,
    Signal,
    Status,
    Subject,
)

__all__ = [
    "AS_SENT",
    "SOURCE_WORDS",
    "Author",
    "Change",
    "Corroboration",
    "Creator",
    "DeadLetter",
    "DeadLettersClosed",
    "EnrichedUpdate",
    "Flags",
    "Kind",
    "Mark",
    "Media",
    "MediaReference",
    "MediaWanted",
    "Message",
    "Order",
    "OrderName",
    "OriginalReference",
    "Outcome",
    "Outcomes",
    "Passport",
    "RawUpdate",
    "Refresh",
    "RefreshCause",
    "Release",
    "Removal",
    "Rendition",
    "Repair",
    "Signal",
    "Stage",
    "Status",
    "Step",
    "StoryProfile",
    "Subject",
    "Tag",
    "UpdateId",
    "marked",
    "update_id_for",
    "without_source_words",
]
