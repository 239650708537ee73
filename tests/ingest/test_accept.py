"""What counts as news."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from ingest.accept import Known, judge
from shared.messages import RawUpdate
from support.topics import raw_update

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def told(guid: str, headline: str, version: str | None = None) -> tuple[RawUpdate, str]:
    """A version and its fingerprint."""
    update = raw_update(guid, headline=headline, version=version, received_at=NOON)
    return update, update.fingerprint()


def test_what_stands_twice_in_a_document_is_taken_once() -> None:
    """A repeat within one document is a duplicate."""
    assert judge([told("a", "x"), told("a", "x")], {}) == ["new", "duplicate"]


def test_a_text_without_versions_may_return_to_an_older_wording() -> None:
    """Without versions only what equals the latest is a repeat, so that a reverted edit reaches readers."""
    assert judge([told("a", "x"), told("a", "y"), told("a", "x")], {}) == ["new", "new", "new"]


def test_a_version_that_comes_again_late_is_a_repeat() -> None:
    """A versioned item that was seen at any time is a duplicate, so that a late redelivery sets nothing back."""
    assert judge([told("a", "x", "1"), told("a", "y", "2"), told("a", "x", "1")], {}) == ["new", "new", "duplicate"]


def test_what_was_emitted_before_counts() -> None:
    """What earlier documents brought is known; with versions by having been seen, without by being the latest."""
    versioned, plain = told("a", "x", "1"), told("b", "x")
    seen = Known(seen=True, latest=False)
    known = {(update.update_id, print_): seen for update, print_ in (versioned, plain)}
    assert judge([versioned, plain], known) == ["duplicate", "new"]


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"), st.sampled_from(["1", "2", None])), max_size=30)
)
def test_splitting_a_document_changes_no_verdict(said: list[tuple[str, str, str | None]]) -> None:
    """One batch and the same items one by one are judged the same."""
    items = [told(*each) for each in said]
    seen: set[tuple[str, str]] = set()
    latest: dict[str, str] = {}
    one_by_one = []
    for update, fingerprint in items:
        key = (update.update_id, fingerprint)
        known = {key: Known(seen=key in seen, latest=latest.get(update.update_id) == fingerprint)}
        verdict = judge([(update, fingerprint)], known)[0]
        one_by_one.append(verdict)
        if verdict == "new":
            seen.add(key)
            latest[update.update_id] = fingerprint
    assert judge(items, {}) == one_by_one
