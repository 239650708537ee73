"""What a desk's orders mean, kills among them."""

from support.folding import UPDATE, fold
from support.incoming import minute, order, version


def test_a_kill_before_its_update_leaves_a_tombstone_that_every_channel_hears_of() -> None:
    """The removal goes out when the kill comes; the update that follows shows nothing."""
    state, revisions = fold([order("kill", 1, reason="legal"), version(2), version(3)])
    assert [(each.kind, each.removal, each.change.reason) for each in revisions] == [("kill", "killed", "legal")]
    assert state.final == "killed"
    assert state.current is None or not state.current.raw.headline


def test_a_kill_of_an_embargoed_update_names_nothing_of_it() -> None:
    """What was never public leaves no trace in its removal, not even the source's id."""
    _, revisions = fold([version(1, embargo_until=minute(900)), order("kill", 2)])
    (removal,) = revisions
    assert (removal.guid, removal.headline, removal.slug, removal.path) == ("", "", "", f"/updates/{UPDATE}")


def test_killed_words_are_not_kept_in_the_state() -> None:
    """A killed update's text is gone from what enrich stores, held version and rulings too."""
    state, _ = fold(
        [
            version(1),
            order("correct", 2, headline="Ministers corrected"),
            version(3, embargo_until=minute(900)),
            order("takedown", 4),
        ]
    )
    stored = state.model_dump_json()
    assert "Ministers" not in stored
    assert "They met" not in stored


def test_a_desks_correction_stands_against_whatever_the_source_says_later() -> None:
    """A resend with another keyword keeps the desk's headline; a new headline of the source is a conflict, which is told."""
    corrected = order("correct", 2, headline="Right", reason="It was wrong")
    resend = version(3, headline=version(1).headline, keywords=("x",))
    rewritten = version(4)
    state, revisions = fold([version(1), corrected, resend, rewritten])
    assert [each.headline for each in revisions] == [version(1).headline, "Right", "Right", "Right"]
    assert [(each.matter, each.base) for each in state.conflicts] == [("headline", "Ministers meet for the 1. time")]
    assert revisions[1].change.reason == "It was wrong"


def test_an_advisory_without_words_is_a_note_on_the_update() -> None:
    """It takes no text away, and shows as the editor's note."""
    note = version(2, headline="", body_html="", signal="advisory", editors_note="A new version follows by noon")
    _, revisions = fold([version(1), note])
    assert (revisions[-1].headline, revisions[-1].editors_note) == (
        version(1).headline,
        "A new version follows by noon",
    )
