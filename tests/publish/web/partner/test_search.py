"""Search as readers and partners meet it; the engine itself is tested on Postgres (`tests/publish/archive/search`)."""

import pytest

from support.revisions import revision
from support.samples import full
from support.web_replica import Replica


async def found(replica: Replica, words: str) -> list[str]:
    """The ids of what is found."""
    answer = await replica.get(f"/v1/search?q={words}")
    assert answer.headers["cache-control"] == "no-store"
    return [each["update"]["update_id"] for each in answer.json()["results"]]


async def test_memory_has_the_last_word(replica: Replica) -> None:
    """Killed words are not found from the moment the replica knows, though the index has them; corrected ones are looked at anew."""
    replica.take(full(), full("other", headline="gates again"))
    archived = list(replica.archive.archived)
    assert await found(replica, "gates") == [full("other").update_id, full().update_id]
    page = (await replica.get("/search?q=gates")).text
    assert "<mark>gates</mark>" in page
    replica.take(revision("full", 2, removal="killed"))
    replica.take(full("other", 2, headline="Doors", text="Doors.", summary="", excerpt="Doors.", blocks=()))
    replica.archive.archived = archived
    assert await found(replica, "gates") == []
    page = (await replica.get("/search?q=gates")).text
    assert "<mark>" not in page
    assert "Nothing was found" in page


async def test_pages_of_results_follow_on_each_other(replica: Replica) -> None:
    """Each once, newest first, though some are out of sight meanwhile; the last page says so."""
    replica.take(*(revision(f"u{number}") for number in range(9)))
    archived = list(replica.archive.archived)
    replica.take(revision("u5", 2, removal="killed"), revision("u6", 2, removal="killed"))
    replica.archive.archived = archived
    seen, before = [], ""
    while True:
        page = (await replica.get(f"/v1/search?q=words&limit=2{before}")).json()
        seen += [each["update"]["headline"] for each in page["results"]]
        if page["next"] is None:
            break
        before = f"&before={page['next']}"
    assert seen == [f"u{number} 1" for number in (8, 7, 4, 3, 2, 1, 0)]


@pytest.mark.parametrize("words", ["", "%20%20", "x" * 201, "a%20" * 21, "%00", "%ff"])
async def test_words_that_are_none_are_refused_and_never_a_500(replica: Replica, words: str) -> None:
    """400 for programs; people are told on the page."""
    answer = await replica.get(f"/v1/search?q={words}", accept="*/*")
    assert answer.status_code in (400, 200)
    assert answer.status_code == 200 or answer.json()["field"] == "q"
    assert (await replica.get(f"/search?q={words}")).status_code in (200, 400)


async def test_what_is_found_is_shown_as_text(replica: Replica) -> None:
    """Markup in words is escaped, in the page and in highlights."""
    replica.take(full(headline="<b>gates</b> & <script>alert(1)</script>"))
    answer = (await replica.get("/v1/search?q=gates")).json()["results"][0]["highlights"]
    assert answer["title"] == "&lt;b&gt;<mark>gates</mark>&lt;/b&gt; &amp; &lt;script&gt;alert(1)&lt;/script&gt;"
    page = (await replica.get('/search?q=gates"><script>')).text
    assert "<script>alert" not in page
    assert '"><script>' not in page


async def test_without_the_archive_there_is_no_search(replica: Replica) -> None:
    """503 and when to come back; the form stays."""
    replica.archive.away = True
    assert (await replica.get("/v1/search?q=x", accept="*/*")).status_code == 503
    page = await replica.get("/search?q=x")
    assert (page.status_code, page.headers["retry-after"]) == (503, "2")
    assert 'name="q"' in page.text
