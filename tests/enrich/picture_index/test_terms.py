"""Terms in the language of wires: bans, embargoes and credits, against labelled sets."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from enrich.picture_index.embedded import Embedded
from enrich.picture_index.rights import Newsroom, Rights, judge, words_of
from enrich.picture_index.terms.captions import bans_in_caption, credit_in, shown_caption
from enrich.picture_index.terms.embargo import end_of_embargo, words_from
from enrich.picture_index.terms.reading import bans_in
from shared.messages import MediaReference

pytestmark = pytest.mark.unit
BERLIN = ZoneInfo("Europe/Berlin")
CAME = datetime(2026, 11, 28, 10, tzinfo=UTC)
REFERENCE = MediaReference(url="https://a.example/a.jpg", credit="A")


def labelled(name: str) -> list[tuple[str, str, str, str]]:
    """What a set says: label, place, country and words."""
    lines = (Path(__file__).parent / name).read_text("utf-8").splitlines()
    found = []
    for line in lines:
        if line.startswith(("withheld ", "free ")):
            label, place, country, words = line.split(None, 3)
            found.append((label, place, "" if country == "--" else country, words))
    return found


@pytest.mark.parametrize(
    ("name", "least", "precision", "recall"),
    [("rights.txt", 200, 0.99, 0.99), ("rights_blind.txt", 100, 0.97, 0.97), ("rights_later.txt", 115, 0.97, 0.97)],
)
def test_bans_are_found(name: str, least: int, precision: float, recall: float) -> None:
    """What forbids it withholds, and what only looks like it does not."""
    cases = labelled(name)
    assert len(cases) >= least
    read = {"caption": bans_in_caption, "terms": bans_in}
    wrong = [case for case in cases if case[0] == "free" and read[case[1]](case[3], case[2])]
    missed = [case for case in cases if case[0] == "withheld" and not read[case[1]](case[3], case[2])]
    right = sum(case[0] == "withheld" for case in cases) - len(missed)
    assert right / (right + len(wrong)) >= precision, wrong
    assert right / (right + len(missed)) >= recall, missed


@pytest.mark.parametrize(
    ("words", "ends"),
    [
        ("SPERRFRIST 18.00 Uhr", "2026-11-28T18:00+01:00"),
        ("Sperrfrist: 28.11.2026, 18 Uhr", "2026-11-28T18:00+01:00"),
        ("EMBARGOED UNTIL 0001 GMT 29 NOVEMBER 2026", "2026-11-29T00:01+00:00"),
        ("Embargo until 10:30pm BST", "2026-11-28T22:30+01:00"),
        ("EMBARGO: 2026-11-30T06:00Z", "2026-11-30T06:00+00:00"),
        ("Embargo jusqu'au 30 novembre 18h00", "2026-11-30T18:00+01:00"),
        ("Ембарго до 1 грудня 2026, 12:00", "2026-12-01T12:00+01:00"),
        ("Embargo 5.12.2026", "2026-12-06T00:00+01:00"),
        ("Embargo until 2 January 9am GMT", "2027-01-02T09:00+00:00"),
        ("Sperrfrist: 29. November 2026, 18 Uhr. Aufgenommen am 3.1.2026 um 10 Uhr", "2026-11-29T18:00+01:00"),
    ],
)
def test_the_end_of_an_embargo_is_read(words: str, ends: str) -> None:
    """Hours, days and zones as wires write them; a day alone ends with that day."""
    assert end_of_embargo(words_from(words, words[:8]), CAME, BERLIN) == datetime.fromisoformat(ends)


@pytest.mark.parametrize(
    "words",
    [
        "Sperrfrist bis Verkündung",
        "SPERRFRIST 9 Uhr",
        "embargoed until Monday 6am",
        "EMBARGO 22:00 local time",
        "Embargo",
        "EMBARGO UNTIL ANNOUNCED. Taken on 20.11.2026 at 10:00",
    ],
)
def test_no_end_is_guessed(words: str) -> None:
    """An hour that had passed when the picture came, a weekday, somebody's local time: a person has to say."""
    assert end_of_embargo(words_from(words, words[:8]), CAME, BERLIN) is None


def test_an_embargo_withholds_until_its_end_and_hides_no_ban_behind_it() -> None:
    """At its moment the picture may be shown, unless something else forbids it."""
    rights = Rights(newsroom=Newsroom("", BERLIN))
    noon, night = CAME.replace(hour=12), CAME.replace(hour=20)
    under = REFERENCE.model_copy(update={"caption": "Die Siegerin. Sperrfrist: 28.11.2026, 18.00 Uhr"})
    before = judge(under, Embedded(), rights, came_at=CAME, now=noon)
    assert before.opens_at == datetime(2026, 11, 28, 17, tzinfo=UTC)
    assert "until 2026-11-28T18:00+01:00" in before.reason
    assert not judge(under, Embedded(), rights, came_at=CAME, now=night).reason
    also = under.model_copy(update={"usage_terms": "EMBARGO 28.11.2026 18:00. NO INTERNET"})
    assert "online" in judge(also, Embedded(), rights, came_at=CAME, now=night).reason


def test_a_person_may_allow_one_picture_but_a_credit_is_needed() -> None:
    """Whoever answers for it has settled the terms, not who made the picture."""
    forbidden = REFERENCE.model_copy(update={"usage_terms": "PRINT ONLY"})
    allowed = Rights(allowed_by="Erika")
    assert judge(forbidden, Embedded(), Rights(), came_at=CAME, now=CAME).reason
    assert not judge(forbidden, Embedded(), allowed, came_at=CAME, now=CAME).reason
    assert judge(forbidden.model_copy(update={"credit": ""}), Embedded(), allowed, came_at=CAME, now=CAME).reason


@pytest.mark.parametrize(
    ("caption", "credit", "shown"),
    [
        ("Der Kanzler in Berlin. Foto: Erika Muster/dpa", "Erika Muster/dpa", "Der Kanzler in Berlin."),
        ("The minister arrives. (AP Photo/Jane Doe)", "AP Photo/Jane Doe", "The minister arrives."),
        ("A view of the port © John Roe / Reuters", "John Roe / Reuters", "A view of the port"),
        ("The singer, photo by Ann Lee", "Ann Lee", "The singer"),
        ("Mourners on Friday. / AFP / PETRA FOTOGRAFIN", "AFP / PETRA FOTOGRAFIN", "Mourners on Friday."),
        ("The couple in Rome (Photo by Max Muster/Getty Images)", "Max Muster/Getty Images", "The couple in Rome"),
        ("Президент у Києві. Фото: Іван Петренко/Укрінформ", "Іван Петренко/Укрінформ", "Президент у Києві."),
        ("The mayor of Bonn (Foto: privat)", "privat", "The mayor of Bonn"),
        ("The mayor (CDU)", "", "The mayor (CDU)"),
        ("She shows a photo: her mother in 1950", "", "She shows a photo: her mother in 1950"),
        ("A photo of the mayor", "", "A photo of the mayor"),
        ("Ein Bild von Gerhard Richter", "", "Ein Bild von Gerhard Richter"),
        ("The match ended 2-1 (1-0)", "", "The match ended 2-1 (1-0)"),
    ],
)
def test_a_credit_in_the_caption_is_the_credit(caption: str, credit: str, shown: str) -> None:
    """It is said once: the caption that readers get goes without it."""
    assert credit_in(caption) == (credit, shown)
    if credit:
        words = words_of(MediaReference(url="https://a.example/a.jpg", caption=caption), Embedded(), Rights())
        assert (words.credit, words.caption) == (credit, shown)


@pytest.mark.parametrize(
    ("caption", "shown"),
    [
        ("The team trains in Rome on Friday. (GERMANY OUT)", "The team trains in Rome on Friday."),
        ("ATTENTION EDITORS - NO SALES. The minister leaves court.", "The minister leaves court."),
        ("(EMBARGO LIFTED) The winner holds her prize.", "The winner holds her prize."),
        ("The EU agreed an oil embargo.", "The EU agreed an oil embargo."),
        ("Die Siegerin. +++ Sperrfrist: 28.11.2026, 22.46 Uhr +++", "Die Siegerin."),
        ("Die Siegerin. SPERRFRIST: 28. November 2026, 18 Uhr. Mit Pokal.", "Die Siegerin. Mit Pokal."),
    ],
)
def test_readers_get_no_notes_to_desks(caption: str, shown: str) -> None:
    """What a caption says to desks alone is not for the page."""
    assert shown_caption(caption) == shown
