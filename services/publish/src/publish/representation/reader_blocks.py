"""What readers get of typed blocks: an allow-list, as `ReaderUpdate` is of updates."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, assert_never

from shared.messages import Block, FactBox, Poll, QuestionAnswer, Quote, Score


@dataclass(frozen=True)
class ReaderFactBox:
    """What is known, in short."""

    kind: Literal["fact-box"]
    title: str
    facts: tuple[str, ...]


@dataclass(frozen=True)
class ReaderQuote:
    """What somebody said."""

    kind: Literal["quote"]
    text: str
    speaker: str
    role: str


@dataclass(frozen=True)
class ReaderQuestionAnswer:
    """A reader's question, and what the newsroom answered."""

    kind: Literal["question-answer"]
    question: str
    asked_by: str
    answer: str
    answered_by: str


@dataclass(frozen=True)
class ReaderSide:
    """A team, a party, a candidate, and how it stands."""

    name: str
    score: str
    detail: str


@dataclass(frozen=True)
class ReaderScore:
    """How a match stands, or what a vote came to."""

    kind: Literal["score"]
    title: str
    status: Literal["scheduled", "live", "final", "postponed", "canceled", ""]
    sides: tuple[ReaderSide, ...]
    note: str


@dataclass(frozen=True)
class ReaderPollOption:
    """One answer of a poll."""

    id: str
    label: str


@dataclass(frozen=True)
class ReaderPoll:
    """A question to readers; `/v1/polls/{update_id}/{id}` has the votes."""

    kind: Literal["poll"]
    id: str
    question: str
    options: tuple[ReaderPollOption, ...]
    closes_at: datetime | None


ReaderBlock = ReaderFactBox | ReaderQuote | ReaderQuestionAnswer | ReaderScore | ReaderPoll


def reader_blocks(blocks: Sequence[Block]) -> tuple[ReaderBlock, ...]:
    """What readers get of an update's blocks."""
    return tuple(map(_reader_block, blocks))


def _reader_block(block: Block) -> ReaderBlock:
    match block:
        case FactBox():
            return ReaderFactBox(block.kind, block.title, block.facts)
        case Quote():
            return ReaderQuote(block.kind, block.text, block.speaker, block.role)
        case QuestionAnswer():
            return ReaderQuestionAnswer(block.kind, block.question, block.asked_by, block.answer, block.answered_by)
        case Score():
            sides = tuple(ReaderSide(each.name, each.score, each.detail) for each in block.sides)
            return ReaderScore(block.kind, block.title, block.status, sides, block.note)
        case Poll():
            options = tuple(ReaderPollOption(each.id, each.label) for each in block.options)
            return ReaderPoll(block.kind, block.id, block.question, options, block.closes_at)
        case _:
            assert_never(block)


def words_of(blocks: Sequence[ReaderBlock]) -> list[str]:
    """What blocks say, in plain text, a paragraph each: to search by, and for pages without markup."""
    return ["\n".join(filter(None, _lines(block))) for block in blocks]


def _lines(block: ReaderBlock) -> list[str]:
    match block:
        case ReaderFactBox():
            return [block.title, *(f"• {fact}" for fact in block.facts)]
        case ReaderQuote():
            return [f"“{block.text}”", attribution(block)]
        case ReaderQuestionAnswer():
            return [
                _said_by(block.question, block.asked_by),
                _said_by(block.answer, block.answered_by),
            ]
        case ReaderScore():
            return [
                block.title,
                *(
                    " ".join(filter(None, (side.name, side.score, side.detail and f"({side.detail})")))
                    for side in block.sides
                ),
                block.note,
            ]
        case ReaderPoll():
            return [block.question, *(f"• {option.label}" for option in block.options)]
        case _:
            assert_never(block)


def attribution(quote: ReaderQuote) -> str:
    """Who said it."""
    return ", ".join(filter(None, (quote.speaker, quote.role)))


def _said_by(text: str, name: str) -> str:
    return f"{name}: {text}" if name else text
