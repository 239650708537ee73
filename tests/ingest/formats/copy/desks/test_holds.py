"""What speaks to desks waits for a person; what readers should have does not."""

import pytest

from ingest.formats import SourceProfile
from ingest.formats.copy.desks.holds import hold_of
from ingest.formats.vendors import catalog

TEXT = "<p>The port reopened on Monday after a week of storms, the harbour master said.</p>"
VENDORS = {name: SourceProfile(extends=name).completed() for name in catalog.names()}


def held(profile: SourceProfile | None = None, format_name: str = "newsml-g2", **fields: object) -> str:
    """Why, or nothing."""
    found = hold_of({"headline": "Port reopens", "body_html": TEXT, **fields}, profile or SourceProfile(), format_name)
    return found.because if found is not None else ""


@pytest.mark.parametrize(
    "headline",
    [
        "Achtung Redaktionen: Bericht entfällt", "An die Redaktionen", "Planungsvorschau für Montag", "Note to editors", "Attention editors: story withdrawn",
        "Avis aux rédactions", "NOTE AUX REDACTIONS", "Nota a los editores", "Aviso a los medios", "Avviso alle redazioni", "Atenção, redações",
        "Let op, redacties: correctie", "Noot voor de redactie", "Till redaktionerna", "Til redaksjonen", "Toimituksille tiedoksi", "Editorial advisory: photos",
        "Not for publication", "(nicht zur Veröffentlichung bestimmt)", "Ne pas publier",
    ],
)  # fmt: skip
def test_a_headline_to_desks_is_held_in_every_language(headline: str) -> None:
    """Whoever sent it."""
    assert held(headline=headline)


@pytest.mark.parametrize(
    "headline",
    [
        "Travel advisory issued for the coast", "Advisory council resigns", "Editors at the daily walk out", "Editor's note: why we name him", "Attention turns to the north",
        "Avis de tempête sur la côte", "Avis aux clients de la SNCF", "Aviso rojo por lluvias", "Hinweis auf Täter", "Achtung, Glatteis", "Til redningen kom",
        "Budget for schools cut", "AP Top 25 poll", "Previsiones económicas a la baja", "Agenda 2030: what is left", "The report was not for publication, he said",
    ],
)  # fmt: skip
def test_news_is_not_held_by_any_known_agency(headline: str) -> None:
    """Words that headlines of news begin with."""
    assert [name for name, profile in VENDORS.items() if held(profile, headline=headline)] == []


@pytest.mark.parametrize(
    ("vendor", "fields"),
    [
        ("dpa", {"subjects": [{"code": "dpatextgenre:27", "name": "Achtung", "kind": "genre"}]}),
        ("dpa", {"subjects": [{"code": "x:1", "name": "ACHTUNG", "kind": "genre"}]}),
        ("ap", {"slugline": "BC-AP--Advisory, 1st Ld"}),
        ("ap", {"headline": "AP News Digest 6 a.m."}),
        ("reuters", {"headline": "ADVISORY-Port story will be updated"}),
        ("tt", {"keywords": ["Till red"]}),
        ("ntb", {"subjects": [{"name": "Menyer, til red"}]}),
        ("stt", {"headline": "STT:n uutislista kello 8"}),
        ("afp", {"headline": "Prévisions AFP pour mardi"}),
    ],
)
def test_a_profile_names_advisories(vendor: str, fields: dict[str, object]) -> None:
    """By genre, keyword or beginning; another source's copy that says the same is none."""
    assert held(VENDORS[vendor], **fields)
    assert not held(None, **fields)
    assert not held(VENDORS[vendor].model_copy(update={"hold_advisories": False}), **fields)


def test_a_sentence_is_about_the_whole_or_about_what_follows() -> None:
    """Contacts below a text are not for publication, and the text is."""
    assert held(body_html=f"<p>(Diese Informationen sind nicht zur Veröffentlichung bestimmt)</p>{TEXT}")
    assert held(editors_note="Not for publication.")
    assert not held(body_html=f"{TEXT}<p>Die folgenden Informationen sind nicht zur Veröffentlichung bestimmt</p>")
    assert not held(body_html=f"<p>Not for publication: call 555.</p>{TEXT}")
    assert not held(format_name="native", headline="Not for publication")
    assert not held(format_name="cap", headline="Note to editors")


def test_a_profile_holds_everything_or_publishes_nothing() -> None:
    """`desk` and `never` hold in every format, and `never` wins."""
    desk, never = SourceProfile(publish="desk"), SourceProfile(publish="never")
    found = [hold_of({"headline": "x"}, profile, name) for profile in (desk, never) for name in ("native", "rss")]
    assert [each.kind for each in found if each is not None] == ["policy", "policy", "never", "never"]
