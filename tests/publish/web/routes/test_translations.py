"""Languages of an update: linked both ways, and behind their original until they are corrected too."""

from datetime import timedelta
from typing import Any

from shared.messages import EnrichedUpdate
from support.revisions import NOON, read, revision
from support.web_replica import Replica

ORIGINAL = revision("en").update_id


def told(guid: str, number: int = 1, minutes: int = 0, **fields: Any) -> EnrichedUpdate:
    """A revision in the language that its guid names; a later one has other words since so many minutes."""
    given: dict[str, Any] = {"language": guid, "translation_of": None if guid == "en" else ORIGINAL}
    if number > 1:
        given |= {"kind": "correct", "updated_at": NOON + timedelta(minutes=minutes)}
    return revision(guid, number, **given | fields)


async def page_of(replica: Replica, guid: str) -> str:
    """The text of an update's own page."""
    return (await replica.get(read(told(guid)).path)).text


async def stale(replica: Replica, asked: str = "en") -> dict[str, bool]:
    """By language, whether it is behind the original; whichever is asked for."""
    answer = await replica.get(f"/v1/updates/{told(asked).update_id}/translations")
    return {each["language"]: each["stale"] for each in answer.json()["translations"]}


async def test_the_languages_of_an_update_link_each_other(replica: Replica) -> None:
    """As search engines read it: each names all, itself among them; readers see the others."""
    replica.take(told("en"))
    before = await page_of(replica, "en")
    assert 'hreflang="' not in before
    replica.take(told("uk"), told("de"))
    links = [
        f'hreflang="{language}" href="https://news.example{read(told(language)).path}"'
        for language in ("en", "de", "uk")
    ]
    for language in ("en", "uk", "de"):
        page = await page_of(replica, language)
        assert [each for each in links if each not in page] == []
        assert 'hreflang="x-default"' in page
        others = {"uk": "українська", "de": "Deutsch", "en": "English"}
        assert [name for code, name in others.items() if (f">{name}</a>" in page) is (code == language)] == []
    assert (await replica.get("/v1/updates")).json()["updates"][0]["translation_of"] == ORIGINAL


async def test_a_correction_of_the_original_makes_the_others_stale_until_they_are_corrected_too(
    replica: Replica,
) -> None:
    """Told on their pages and by the API, from whichever it is asked; what was rendered before is not served."""
    replica.take(told("en"), told("uk"), told("de"))
    note = "The original was changed after this translation was made."
    assert note not in await page_of(replica, "uk")
    assert await stale(replica) == {"en": False, "de": False, "uk": False}
    replica.take(told("en", 2, 10))
    assert note in await page_of(replica, "uk")
    assert "behind the original" in await page_of(replica, "en")
    assert await stale(replica) == await stale(replica, "uk") == {"en": False, "de": True, "uk": True}
    replica.take(told("uk", 2, 20))
    assert note not in await page_of(replica, "uk")
    assert note in await page_of(replica, "de")
    assert await stale(replica) == {"en": False, "de": True, "uk": False}


async def test_late_enrichment_of_the_original_makes_nothing_stale(replica: Replica) -> None:
    """Readers were given no other words."""
    replica.take(told("en"), told("uk"), told("en", 2, kind="enrich", updated_at=None))
    assert await stale(replica) == {"en": False, "uk": False}


async def test_a_withdrawn_original_is_not_linked_and_its_translations_say_so(replica: Replica) -> None:
    """Of a killed translation nothing is left either."""
    replica.take(
        told("en"), told("uk"), told("de"), revision("en", 2, removal="killed"), revision("de", 2, removal="killed")
    )
    page = await page_of(replica, "uk")
    assert "The original of this translation has been withdrawn." in page
    assert read(told("en")).path not in page
    assert read(told("de")).path not in page
    assert await stale(replica, "uk") == {"uk": True}
    assert (await replica.get(f"/v1/updates/{ORIGINAL}/translations")).status_code == 410


async def test_an_old_translation_is_found_in_the_archive(make_replica: Any) -> None:
    """Memory has forgotten all of them; without the archive the page is shown without its languages, and not kept."""
    replica = make_replica(2)
    replica.feed_store.complete = False
    replica.take(told("en"), told("uk"), *(revision(f"x{number}") for number in range(3)))
    assert await stale(replica, "uk") == {"en": False, "uk": False}
    assert 'hreflang="en"' in await page_of(replica, "uk")
