"""Typed blocks of an update: what stands beside its text and has a form of its own.

All texts are plain text. The kind of a block is no default, so that it is written whatever else is left out. A kind that is not known yet is passed over by readers of this release, and so are fields
that a newer one has added; how long texts are and how many there may be is in `limits`, kept where they come in.
"""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from shared.messages.base import Message
from shared.messages.unknown_values import PassOverUnknown, UnknownAs

BLOCK_TYPE = "application/vnd.slugline.block+json"
"""The media type of a block as JSON, as a body of a ninjs item: ninjs has no other place for one."""
BLOCK_KINDS = ("fact-box", "quote", "question-answer", "score", "poll")

BlockId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
"""Names a poll within its update, and an option within its poll. It is kept with the votes, where no word of a source is."""


class FactBox(Message):
    """What is known, in short."""

    kind: Literal["fact-box"]
    title: str = ""
    facts: tuple[str, ...] = Field(min_length=1)


class Quote(Message):
    """What somebody said."""

    kind: Literal["quote"]
    text: str = Field(min_length=1)
    speaker: str = ""
    role: str = ""
    """What the speaker is, and where it was said."""


class QuestionAnswer(Message):
    """A reader's question, and what the newsroom answered."""

    kind: Literal["question-answer"]
    question: str = Field(min_length=1)
    asked_by: str = ""
    answer: str = Field(min_length=1)
    answered_by: str = ""


class Side(Message):
    """A team, a party, a candidate, and how it stands."""

    name: str = Field(min_length=1)
    score: str = ""
    """As it is written: `2`, `6 4 7`, `48.1%`."""
    detail: str = ""
    """Scorers, seats, what else belongs in its row."""


class Score(Message):
    """How a match stands, or what a vote came to."""

    kind: Literal["score"]
    title: str = ""
    status: Annotated[Literal["scheduled", "live", "final", "postponed", "canceled", ""], UnknownAs("")] = ""
    sides: tuple[Side, ...] = Field(min_length=1)
    note: str = ""
    """How much is counted, what minute it is, where it is played."""


class PollOption(Message):
    """One answer of a poll."""

    id: BlockId
    label: str = Field(min_length=1)


class Poll(Message):
    """A question to readers. Votes are counted elsewhere, by `id` and the options' ids: those must stay the same in all versions."""

    kind: Literal["poll"]
    id: BlockId
    question: str = Field(min_length=1)
    options: tuple[PollOption, ...] = Field(min_length=2)
    closes_at: AwareDatetime | None = None
    """No vote is taken from then on; None is until the update goes."""


Block = Annotated[FactBox | Quote | QuestionAnswer | Score | Poll, Field(discriminator="kind")]
Blocks = Annotated[tuple[Block, ...], PassOverUnknown(BLOCK_KINDS, "kind")]
"""In the order in which they follow the text."""
