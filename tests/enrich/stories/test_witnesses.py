"""Who reports an event in words of their own."""

from datetime import timedelta

import pytest

from enrich.stories.clustering import StoryCandidate, StoryClusters
from enrich.stories.witnesses import is_shared_credit
from support.incoming import NINE

SHIP = (
    "A cargo ship carrying fertiliser broke in two on the Corran reef off Skerray after its steering failed on Tuesday, the coastguard said. "
    "All 19 sailors of the Baltic Heron were winched to safety by helicopter and taken to hospital in Wick for checks."
)
OTHER = (
    "Nineteen sailors were flown to hospital in Wick when their vessel, the Baltic Heron, was driven onto the Corran reef off Skerray and "
    "split. Its steering had failed, according to the coastguard; fertiliser was on board."
)
HEADLINES = ("Cargo ship Baltic Heron breaks in two off Skerray", "Baltic Heron splits in two on reef off Skerray")


def counted(*accounts: tuple[str, str, str, str]) -> tuple[str, ...]:
    """The families that readers are told of, after accounts by (family, credit, headline, text); `newsroom` is our own copy."""
    clusters = StoryClusters()
    for number, (family, credit, headline, text) in enumerate(accounts):
        clusters.place(
            StoryCandidate(
                update_id=f"{number}-{family}", family=family, headline=headline, text=text, own_story=None,
                at=NINE + timedelta(minutes=number), credit=credit, is_own=family == "newsroom",
            )
        )  # fmt: skip
    members = [clusters.membership(f"{number}-{family}") for number, (family, *_) in enumerate(accounts)]
    assert len({member.story for member in members}) == 1
    assert members[0].story is not None
    return members[0].families


FIRST = ("reuters", "Reuters", HEADLINES[0], SHIP)


@pytest.mark.parametrize(
    ("account", "expected"),
    [
        (("borealis", "", HEADLINES[1], OTHER), ("borealis", "reuters")),
        (("afp", "AFP", HEADLINES[1], OTHER), ("afp", "reuters")),
        (("paper", "", HEADLINES[0], SHIP), ("reuters",)),
        (("paper", "Reuters/AP", HEADLINES[0], SHIP.replace("Tuesday", "Tuesday night")), ("reuters",)),
        (("paper", "Staff and agencies", HEADLINES[1], OTHER), ("reuters",)),
        (("paper", "Reuters and AFP", HEADLINES[1], OTHER), ("reuters",)),
        (
            ("paper", "", HEADLINES[1], OTHER.replace("according to the coastguard", "the coastguard told Reuters")),
            ("reuters",),
        ),
        (("paper", "", HEADLINES[1], f"(Reuters) - {OTHER}"), ("reuters",)),
        (("newsroom", "", HEADLINES[1], OTHER), ("reuters",)),
    ],
)
def test_what_is_one_agencys_is_counted_once(account: tuple[str, str, str, str], expected: tuple[str, ...]) -> None:
    """Printed, shortened, rewritten with its name, or our own: only words of one's own are a second report."""
    assert counted(FIRST, account) == expected


def test_a_shorter_copy_is_a_copy() -> None:
    """Half of its sentences stand in the agency's text word for word, and much else in that text is not in it."""
    more = " ".join(
        f"The harbour master spoke of the {number}. wreck on that reef in living memory." for number in range(12)
    )
    assert counted(("reuters", "", HEADLINES[0], f"{SHIP} {more}"), ("paper", "", HEADLINES[0], SHIP)) == ("reuters",)


def test_of_those_who_print_one_text_it_is_the_agencys_whoever_came_first() -> None:
    """The paper was quicker with the agency's words."""
    assert counted(("a-paper", "", HEADLINES[0], SHIP), ("reuters", "", HEADLINES[0], SHIP), ("borealis", "", HEADLINES[1], OTHER)) == ("borealis", "reuters")  # fmt: skip


def test_a_wire_with_a_name_is_no_shared_credit() -> None:
    """`Harbour Wire` and `Coast Agency` say whose words they are; `staff and agencies` does not."""
    for credit in ("Harbour Wire", "Coast Agency", "Agencia Costa", "Nordic News Wire"):
        assert not is_shared_credit(credit), credit
    for credit in ("Staff and agencies", "Agenturen", "wire services", "Redaktion", "Agencias", "Wires"):
        assert is_shared_credit(credit), credit
