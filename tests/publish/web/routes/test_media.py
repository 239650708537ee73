"""Pictures out of the store, while an update shows them."""

from pathlib import Path
from typing import Any

import pytest

from shared.messages import Author, EnrichedUpdate, Media, Rendition
from support.revisions import revision
from support.web_replica import Make, Replica

PICTURE = "/media/ab/abc/320.webp"


def showing(guid: str, number: int = 1, **fields: Any) -> EnrichedUpdate:
    """A revision with the picture."""
    rendition = Rendition(url=PICTURE, mime_type="image/webp", width=320, height=200)
    return revision(guid, number, media=(Media(id="m", credit="Ada", renditions=(rendition,)),), **fields)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store with a picture, and a secret beside it."""
    folder = tmp_path / "media" / "ab"
    (folder / "abc").mkdir(parents=True)
    (folder / "abc" / "320.webp").write_bytes(b"picture" * 100_000)
    (folder / "abc" / "avatar-64.webp").write_bytes(b"portrait")
    (folder / "page.html").write_text("<script>alert(1)</script>")
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    return folder


async def test_a_picture_is_served_for_ever(replica: Replica, store: Path) -> None:
    """Whole, with its type, immutable, not sniffed, and 304 to whoever has it; HEAD tells its size."""
    replica.take(showing("a"))
    answer = await replica.get(PICTURE)
    assert answer.content == b"picture" * 100_000
    assert answer.headers["content-type"] == "image/webp"
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    again = await replica.get(PICTURE, **{"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    head = await replica.client.head(PICTURE)
    assert (head.headers["content-length"], head.content) == ("700000", b"")


@pytest.mark.parametrize(
    "path",
    [
        "ab/none.jpg",
        "ab/page.html",
        "../secret.jpg",
        "ab/../../secret.jpg",
        "%2e%2e/secret.jpg",
        "ab/..%2f..%2fsecret.jpg",
        "/etc/passwd",
        "ab//abc/320.webp",
        "ab/.hidden.jpg",
        "ab/abc/320.webp/",
        "ab",
        "",
        "a" * 3000 + ".jpg",
        "ab/%00.jpg",
        "ab/é.jpg",
    ],
)
async def test_nothing_else_is_served(replica: Replica, store: Path, path: str) -> None:
    """A path that leaves the store, names no picture, or a file that a browser would run, is not found."""
    answer = await replica.get(f"/media/{path}")
    assert answer.status_code == 404
    assert b"secret" not in answer.content


async def test_a_store_that_is_away_says_so(make_replica: Make) -> None:
    """An object store that cannot be reached is 503 with Retry-After, which no cache keeps."""
    replica = make_replica(media_store="s3://nowhere/renditions?endpoint=http://127.0.0.1:9")
    replica.take(showing("a"))
    answer = await replica.get(PICTURE)
    assert (answer.status_code, answer.headers["cache-control"]) == (503, "no-store")
    assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize("limit", [1000, 1])
async def test_a_picture_goes_with_the_last_update_that_shows_it(make_replica: Make, store: Path, limit: int) -> None:
    """In memory or only in the archive: served while one of the updates is visible, with their surrogate keys; then 404."""
    replica = make_replica(limit)
    a, b = showing("a"), showing("b")
    replica.take(a, b, revision("newer"))
    answer = await replica.get(PICTURE)
    keys = answer.headers["surrogate-key"].split()
    assert answer.status_code == 200
    assert sorted(keys) == sorted([f"update:{a.update_id}", f"update:{b.update_id}"])
    assert "s-maxage=300" in answer.headers["cache-control"]
    replica.take(revision("a", 2, removal="killed"))
    answer = await replica.get(PICTURE)
    assert (answer.status_code, answer.headers["surrogate-key"]) == (200, f"update:{b.update_id}")
    replica.take(revision("b", 2, removal="taken-down"))
    answer = await replica.get(PICTURE, **{"if-none-match": '"320.webp"'})
    assert (answer.status_code, answer.headers["cache-control"]) == (404, "no-store")


async def test_memory_has_the_last_word_on_a_picture(replica: Replica, store: Path) -> None:
    """What memory has seen removed, or shows no more, is not served because the archive, which is behind, lists it."""
    replica.take(showing("a"), showing("b"))
    behind = list(replica.archive.archived)
    replica.take(revision("a", 2, removal="withdrawn"), revision("b", 2))
    replica.archive.archived = behind
    assert (await replica.get(PICTURE)).status_code == 404


async def test_a_picture_that_no_visible_update_shows_is_not_served(replica: Replica, store: Path) -> None:
    """Of an update under embargo nothing is public, nor its picture, though it is in the store; a portrait is an author's."""
    assert (await replica.get(PICTURE)).status_code == 404
    portrait = await replica.get("/media/ab/abc/avatar-64.webp")
    assert (portrait.status_code, portrait.content) == (200, b"portrait")


async def test_without_the_archive_a_picture_out_of_memory_is_503(make_replica: Make, store: Path) -> None:
    """Whether it may still be seen is not known then, and unknown is not yes."""
    replica = make_replica(1)
    replica.take(showing("a"), revision("newer"))
    replica.archive.away = True
    answer = await replica.get(PICTURE)
    assert (answer.status_code, answer.headers["cache-control"]) == (503, "no-store")


async def test_a_portrait_by_any_name_is_served_with_its_author(replica: Replica, store: Path) -> None:
    """One that was put into the store by hand, as the demo's are: while an update of the author is visible."""
    replica.take(revision("a", authors=(Author(name="Ada", avatar_url=PICTURE),)))
    assert (await replica.get(PICTURE)).status_code == 200
