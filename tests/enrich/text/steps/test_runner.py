"""What the steps read before the state of an update is known is used only where it still holds."""

from dataclasses import replace
from typing import Any

import pytest

from enrich.picture_index.lookup import MediaLookup
from enrich.reference.directory import AuthorProfile, Directory
from enrich.reference.loader import ReferenceData
from enrich.settings import Settings
from enrich.text.domain.lifecycle import decide
from enrich.text.domain.state import KnownUpdate, State
from enrich.text.steps.runner import Steps
from shared.messages import Order, RawUpdate
from support.incoming import minute, version

SPORT = "medtop:15000000"
# As ingest sends it: the powers of its source are noted, so that enrich has nothing to fill in.
RAW = version(1, byline="By Ada Quill", subjects=({"code": SPORT},), language="en", may=("kill", "embargo"))


def state_after(raw: RawUpdate, *orders: Order) -> State:
    """The state after a version and a desk's orders."""
    state = State(update_id=raw.update_id)
    for message in (raw, *orders):
        state = decide(message, state, margin_s=0.0).state
    return state


def attached(steps: Steps, state: State, tags: dict[str, Any], ahead: Any) -> Any:
    """What the steps make of the current version."""
    return steps.attach(state, KnownUpdate(state, tags=tags), None, MediaLookup(), ahead)


@pytest.mark.parametrize(
    ("orders", "tags"),
    [
        ((), {}),
        ((Order(update_id=RAW.update_id, order="correct", headline="Mended", by="Ed", ordered_at=minute(5)),), {}),
        ((), {SPORT: {"use": False, "by": "Ed"}}),
    ],
    ids=["nothing else is known", "the desk corrected the headline", "an editor took a tag out"],
)
def test_what_was_read_ahead_changes_nothing(orders: tuple[Order, ...], tags: dict[str, Any]) -> None:
    """Whatever the state turns out to be, readers get the same as if it had been known first."""
    steps = Steps(ReferenceData(), Settings())
    ahead = steps.run(RAW, (RAW.headline, RAW.body_html), {})
    state = state_after(RAW, *orders)
    assert attached(steps, state, tags, ahead) == attached(steps, state, tags, None)


def test_results_of_another_version_is_not_used() -> None:
    """Two versions in one batch: each is shown with its own words."""
    steps = Steps(ReferenceData(), Settings())
    newer = version(2, headline="A newer headline")
    found = attached(steps, state_after(newer), {}, steps.run(RAW, (RAW.headline, RAW.body_html), {}))
    assert found.text.headline == "A newer headline"


def test_a_table_that_was_loaded_meanwhile_is_the_one_that_counts() -> None:
    """Else an update would claim the new edition of the directory and show the old one for good."""
    reference = ReferenceData()
    steps = Steps(reference, Settings(enrich_own_sources=(RAW.source,)))
    ahead = steps.run(RAW, (RAW.headline, RAW.body_html), {})
    assert [author.id for author in ahead.authorship.authors] == [None]
    reference.directory = Directory.of([AuthorProfile(id="ada-quill", name="Ada Quill")], edition=2)
    found = attached(steps, state_after(RAW), {}, ahead)
    assert [author.id for author in found.authorship.authors] == ["ada-quill"]


def test_results_of_the_same_inputs_are_not_made_again() -> None:
    """The work is done once, while Postgres answers."""
    steps = Steps(ReferenceData(), Settings())
    ahead = steps.run(RAW, (RAW.headline, RAW.body_html), {})
    marked = replace(ahead, text=replace(ahead.text, excerpt="from the first run"))
    assert attached(steps, state_after(RAW), {}, marked).text.excerpt == "from the first run"
