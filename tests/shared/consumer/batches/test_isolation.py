"""Isolation: one bad message costs itself only, an outage costs nothing."""

from collections.abc import Sequence

import pytest

from shared.consumer.batches import isolation
from shared.consumer.batches.isolation import handle_isolating
from shared.consumer.decode import Incoming, Rejection
from shared.failures import Invalid, Permanent, Transient
from shared.messages import RawUpdate
from support.in_memory import record_of
from support.topics import raw_update

Messages = Sequence[Incoming[RawUpdate]]


class Handler:
    """Handles messages, unless one is named for a failure."""

    def __init__(self, failures: dict[str, list[Exception]]) -> None:
        self.failures = failures
        self.handled: list[str] = []

    async def __call__(self, incoming: Messages) -> list[Rejection]:
        for each in incoming:
            if waiting := self.failures.get(each.event.guid):
                raise waiting.pop() if len(waiting) > 1 else waiting[0]
        self.handled.extend(each.event.guid for each in incoming)
        return []


def batch(*guids: str) -> list[Incoming[RawUpdate]]:
    return [Incoming(record_of(b"", offset=number), raw_update(guid)) for number, guid in enumerate(guids)]


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolation, "BUG_PAUSE_S", 0.0)


@pytest.mark.parametrize("failure", [Invalid("no", field="/a"), Permanent("no")])
async def test_what_can_never_be_handled_is_rejected_alone(failure: Exception) -> None:
    """Its neighbours are handled, in order."""
    handler = Handler({"b": [failure]})
    (rejection,) = await handle_isolating(handler, batch("a", "b", "c"), "stage")
    assert (rejection.record.offset, rejection.failure) == (1, failure)
    assert handler.handled == ["a", "c"]


async def test_an_outage_is_raised() -> None:
    """Nothing is rejected for it, alone or in a batch."""
    for guids in (("a", "b"), ("b",)):
        with pytest.raises(Transient):
            await handle_isolating(Handler({"b": [Transient("away")]}), batch(*guids), "stage")


async def test_a_bug_is_tried_again_and_then_rejected() -> None:
    """With its type as the reason."""
    handler = Handler({"b": [ValueError("odd")]})
    (rejection,) = await handle_isolating(handler, batch("a", "b"), "stage")
    assert rejection.failure.reason == "ValueError: odd"


async def test_a_bug_of_the_moment_costs_nothing() -> None:
    """A message that fails once is handled."""
    failures: list[Exception] = [ValueError("odd")]

    async def handle(incoming: Messages) -> list[Rejection]:
        if failures:
            raise failures.pop()
        return []

    assert await handle_isolating(handle, batch("a"), "stage") == []


async def test_an_outage_while_a_bug_is_tried_again_is_raised() -> None:
    """The infrastructure may go away at any time."""
    with pytest.raises(Transient):
        await handle_isolating(Handler({"a": [Transient("away"), ValueError("odd")]}), batch("a"), "stage")
