"""What somebody drops into a watched folder that is no document: none is followed, waited for or lost, however it is named."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from ingest.transports.watch.claims import DONE, REJECTED, move_into, reason_of, reject, take_back
from ingest.transports.watch.folder import list_files, read_whole, snapshot


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


NO_FILES: dict[str, Callable[[Path], object]] = {
    "a link to a file of the machine": lambda path: path.symlink_to("/etc/passwd"),
    "a link to a device": lambda path: path.symlink_to("/dev/zero"),
    "a link to itself": lambda path: path.symlink_to(path),
    "a pipe": os.mkfifo,
    "a socket": _socket,
    "a folder": Path.mkdir,
    "a hard link to a folder's file that is gone": lambda path: path.symlink_to(path.parent / "gone"),
}


@pytest.mark.parametrize("name", NO_FILES)
def test_what_is_no_file_is_not_listed_and_put_in_its_place_it_is_not_read(tmp_path: Path, name: str) -> None:
    """Before it is claimed, and where it takes the place of a file between the look and the claim."""
    path = tmp_path / "a.xml"
    path.write_bytes(b"<rss/>")
    before = snapshot(path)
    path.unlink()
    NO_FILES[name](path)
    assert list_files(tmp_path) == ({}, set())
    try:
        assert read_whole(path, before) is None
    except OSError:
        # Told by the watcher as a file that cannot be taken; the others do not wait for it.
        assert path.is_dir()


NAMES = (
    "a" * 251 + ".xml",
    "é" * 125 + ".xml",
    "a." + "b" * 253,
    "\udcff" * 255,
    "-rf",
    "a\nb\r\x1b[31m.xml",
    "\u202egpj.xml",
    "con",
    "~",
    "%00.xml",
)


@pytest.mark.parametrize("name", NAMES)
def test_however_a_file_is_named_its_reason_lies_beside_it(tmp_path: Path, name: str) -> None:
    """And a second one of the name has a place of its own; both can be taken back."""
    for folder in (DONE, REJECTED):
        (tmp_path / folder).mkdir()
    places = set()
    for number in range(3):
        path = tmp_path / name
        path.write_bytes(b"%d" % number)
        moved = reject(path, tmp_path, {"code": "no-format", "reason": "it is none"})
        assert orjson.loads(reason_of(moved).read_bytes())["code"] == "no-format"
        assert moved.read_bytes() == b"%d" % number
        places.add(moved)
    assert len(places) == 3
    take_back(moved, tmp_path)
    assert not reason_of(moved).exists()
    move_into(tmp_path / DONE, tmp_path / moved.name)


def test_of_a_flood_of_files_the_oldest_are_looked_at(tmp_path: Path) -> None:
    """However many lie there, so that neither a scan's memory nor the order of what is taken depends on their number."""
    for number in range(60):
        path = tmp_path / f"{number}.xml"
        path.touch()
        os.utime(path, ns=(0, (97 * number % 60) * 10**9))
        (tmp_path / f"{number}.part").touch()
    files, partial = list_files(tmp_path, 20)
    assert [each.mtime_ns // 10**9 for each in files.values()] == list(range(20))
    assert len(partial) == 20
