"""Whether readers see an update: withheld, expired, restored."""

from enrich.text.domain.visibility import due_of
from shared.messages import Refresh, Release
from support.folding import UPDATE, fold, step
from support.incoming import minute, order, version


def test_what_has_expired_stays_so_whatever_is_read_after() -> None:
    """A refresh or an order that was given before the expiry and is read after it brings nothing back; a version does."""
    state, revisions = fold([version(1, expires_at=minute(60))], now=minute(60))
    assert [each.removal for each in revisions] == [None, "expired"]
    for late in (
        Refresh(update_id=UPDATE, cause="media", requested_at=minute(59)),
        order("pin", 59),
        order("restore", 59),
    ):
        state, revision, _ = step(late, state, minute(61))
        assert revision is None
    _, revision, _ = step(version(2, expires_at=minute(90), at=59), state, minute(61))
    assert revision is not None
    assert revision.update.version == "2"


def test_an_expiry_counts_at_the_moment_of_receipt_and_is_ended_by_the_timer() -> None:
    """A version that was received after its expiry is never shown, nor one whose embargo ends after it; another is, and
    ends at its release."""
    assert fold([version(1, at=61, expires_at=minute(60))])[1] == []
    assert fold([version(1, embargo_until=minute(70), expires_at=minute(60))])[1] == []
    assert [each.removal for each in fold([version(1, expires_at=minute(60))])[1]] == [None, "expired"]


def test_a_restore_after_the_expiry_holds_though_it_is_read_before_the_release() -> None:
    """What the desk brings back after its time stays, and nothing is due for it any more once the release has come."""
    state, revisions = fold([version(1, expires_at=minute(60)), order("restore", 61)])
    assert [each.removal for each in revisions] == [None]
    assert due_of(state) == (None, "")


def test_withheld_removes_what_was_public_and_a_later_usable_version_brings_it_back() -> None:
    """IPTC's withheld is no kill: the update returns at its old first publication, under its old path."""
    _, revisions = fold([version(1), version(2, status="withheld"), version(3)])
    assert [(each.kind, each.removal) for each in revisions] == [
        ("publish", None),
        ("kill", "withdrawn"),
        ("publish", None),
    ]
    assert revisions[2].first_published_at == revisions[0].first_published_at
    assert revisions[2].path == revisions[0].path
    assert revisions[2].updated_at == minute(3)


def test_withheld_from_the_beginning_is_held_in_silence() -> None:
    """What readers never saw needs no removal."""
    state, revisions = fold([version(1, status="withheld")])
    assert revisions == []
    assert state.revision == 0


def test_expiry_removes_and_a_restore_after_it_brings_back() -> None:
    """An update is gone at its time; the desk may bring it back for good."""
    state, revisions = fold([version(1, expires_at=minute(60))], now=minute(5))
    assert due_of(state) == (minute(60), "expiry")
    state, removed, _ = step(Release(update_id=UPDATE, due_at=minute(60), reason="expiry"), state, minute(60))
    state, back, _ = step(order("restore", 61), state, minute(61))
    assert removed is not None
    assert removed.update.removal == "expired"
    assert back is not None
    assert (back.update.kind, back.update.removal) == ("publish", None)
    assert len(revisions) == 1
