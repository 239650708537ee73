"""Postgres as a local process: where its programs lie, and whom the folders belong to."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from local import postgres
from local.stack import Taken, open_folder, refuse_foreign


@pytest.mark.skipif(sys.platform != "linux", reason="how libraries are found differs")
def test_copied_programs_find_what_they_load(tmp_path: Path) -> None:
    """A copy works when the original is out of reach: everything that a program loads is in it, and anybody may read it."""
    original = postgres.binaries()
    copy = postgres.copied(original, tmp_path / "copy")
    for program in ("postgres", "initdb", "pg_isready"):
        loaded = subprocess.run(["ldd", str(copy / program)], capture_output=True, text=True, check=True).stdout
        assert "not found" not in loaded
        assert str(original.parent.parent.parent) not in loaded
    made = subprocess.run(
        [str(copy / "postgres"), "-C", "shared_buffers"], capture_output=True, text=True, check=False, env={}
    )
    assert "error while loading" not in made.stderr
    closed = [each for each in (tmp_path / "copy").rglob("*") if not each.stat().st_mode & 0o004]
    assert not closed


def test_a_copy_is_made_anew(tmp_path: Path) -> None:
    """What lies where the programs are to be copied is gone before: nobody's program is run in their stead."""
    place = tmp_path / "copy"
    place.mkdir()
    (place / "planted").write_text("")
    copy = postgres.copied(postgres.binaries(), place)
    assert not (place / "planted").exists()
    assert (copy / "initdb").exists()


def test_a_folder_that_others_may_write_to_is_refused(tmp_path: Path) -> None:
    """A folder whose name can be guessed is used only where it is this user's alone: no link, no file, not open to others."""
    good = tmp_path / "good"
    good.mkdir(mode=0o755)
    refuse_foreign(good)
    loose = tmp_path / "loose"
    loose.mkdir()
    loose.chmod(0o777)
    link = tmp_path / "link"
    link.symlink_to(good)
    file = tmp_path / "file"
    file.touch()
    for bad in (loose, link, file):
        with pytest.raises(Taken, match=str(bad)):
            refuse_foreign(bad)


def test_an_open_folder_is_this_users_and_has_no_foreseeable_name() -> None:
    """Others may enter it, nobody else may write to it, two have different names, and it is gone afterwards."""
    with open_folder() as one, open_folder() as other:
        assert one != other
        assert postgres.reachable(one)
        refuse_foreign(one)
    assert not one.exists()


async def test_a_cluster_whose_password_everybody_knew_gets_its_own() -> None:
    """At the next start, and no other password works from then on; a start after that changes nothing."""
    with open_folder() as folder:
        first = postgres.Postgres(folder / "postgres", folder / "log")
        first.start()
        first.wait()
        assert first.child is not None
        first.child.end()
        later = postgres.Postgres(folder / "postgres", folder / "log", password="its-own")
        later.start()
        try:
            later.wait()
            for _ in range(2):
                await later.take_password()
            await (await asyncpg.connect(later.dsn)).close()
            with pytest.raises(asyncpg.InvalidPasswordError):
                await asyncpg.connect(replace(later, password=postgres.PASSWORD).dsn)
        finally:
            assert later.child is not None
            later.child.end()
