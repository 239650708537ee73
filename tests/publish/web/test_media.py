"""Pictures out of the store."""

from pathlib import Path

import pytest

from .conftest import Make, Replica


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store with a picture, and a secret beside it."""
    folder = tmp_path / "media" / "ab"
    folder.mkdir(parents=True)
    (folder / "abc-320.webp").write_bytes(b"picture" * 100_000)
    (folder / "page.html").write_text("<script>alert(1)</script>")
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    return folder


async def test_a_picture_is_served_for_ever(replica: Replica, store: Path) -> None:
    """Whole, with its type, immutable, not sniffed, and 304 to whoever has it; HEAD tells its size."""
    answer = await replica.get("/media/ab/abc-320.webp")
    assert answer.content == b"picture" * 100_000
    assert answer.headers["content-type"] == "image/webp"
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    again = await replica.get("/media/ab/abc-320.webp", **{"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    head = await replica.client.head("/media/ab/abc-320.webp")
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
        "ab//abc-320.webp",
        "ab/.hidden.jpg",
        "ab/abc-320.webp/",
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
    answer = await replica.get("/media/ab/abc-320.webp")
    assert (answer.status_code, answer.headers["cache-control"]) == (503, "no-store")
    assert int(answer.headers["retry-after"]) > 0
