"""What a source may not do is taken out, kept and told."""

from shared.messages import Flags
from shared.messages.powers import OF_A_WIRE, POWERS, of_older_release, permitted, says_only_what_is_not_permitted
from support.incoming import minute, version

SENT = version(flags=Flags(pinned=True, key_event=True, closed=True), story="flood", embargo_until=minute(30), may=None)


def test_a_wire_may_kill_and_embargo_and_no_more() -> None:
    """The front page is not its own; what it sent is kept for desks, and told."""
    kept = permitted(SENT, OF_A_WIRE)
    assert (kept.flags, kept.story, kept.embargo_until) == (Flags(), None, minute(30))
    assert kept.may == ("kill", "embargo")
    assert kept.extra["not_permitted"] == {
        "flags/pinned": True, "flags/key_event": True, "flags/closed": True, "story": "flood",
    }  # fmt: skip
    assert {each.code for each in kept.repairs} == {"not-permitted"}
    assert permitted(version(status="canceled"), OF_A_WIRE).status == "canceled"


def test_a_source_with_every_power_is_left_as_it_is() -> None:
    """But for what it may do, which is noted."""
    assert permitted(SENT, POWERS) == SENT.model_copy(update={"may": POWERS})


def test_a_kill_without_the_power_withdraws_and_an_embargo_does_not_count() -> None:
    """Out of sight, until a usable version comes."""
    for sent in (version(status="canceled"), version(signal="kill"), version(signal="takedown")):
        kept = permitted(sent, ())
        assert (kept.status, kept.signal) == ("withheld", None)
    assert permitted(SENT, ()).embargo_until is None


def test_a_pin_without_words_says_nothing_where_it_is_not_permitted() -> None:
    """It is no empty version of the update."""
    pin = version(signal="pin", headline="", body_html="")
    assert says_only_what_is_not_permitted(permitted(pin, OF_A_WIRE))
    assert not says_only_what_is_not_permitted(permitted(pin, POWERS))
    assert not says_only_what_is_not_permitted(permitted(version(signal="pin"), OF_A_WIRE))


def test_a_message_of_an_older_release_does_not_lead_the_front_page() -> None:
    """Nobody knows what its source may do: pins and key events are not believed, all else is as it was."""
    old = of_older_release(SENT)
    assert (old.flags.pinned, old.flags.key_event, old.story) == (False, False, "flood")
    assert of_older_release(permitted(SENT, POWERS)).flags.pinned
