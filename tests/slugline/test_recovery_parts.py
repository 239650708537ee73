"""What a backup is made of: the manifest, the list of removals, the renditions, and how Postgres' programs are called."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiokafka.errors import GroupCoordinatorNotAvailableError, NotCoordinatorForGroupError
from click.testing import CliRunner

from shared.messages import update_id_for
from slugline.__main__ import cli
from slugline.recovery import manifest, media, offsets, removals
from slugline.recovery.manifest import Manifest
from slugline.recovery.offsets import LogPlaces
from slugline.recovery.programs import NotPossible, check_version, environment_of, program
from slugline.recovery.restore import order_of

PLACES = LogPlaces("cluster", {"enrich.text": {0: 5, 11: 7}}, 40)


def made(folder: Path) -> Manifest:
    """A backup of three bytes."""
    (folder / manifest.DUMP).write_bytes(b"abc")
    one = Manifest(
        datetime.now(UTC), "p.", manifest.digest(folder / manifest.DUMP), 3, PLACES, {"publish": 2}, None, 0.1
    )
    one.write(folder)
    return one


def test_a_manifest_comes_back_as_it_was_and_a_changed_dump_is_refused(tmp_path: Path) -> None:
    """A folder without one is no backup; neither is one whose dump is another, or that a later release made."""
    with pytest.raises(NotPossible, match="no whole backup"):
        manifest.read(tmp_path)
    one = made(tmp_path)
    assert manifest.read(tmp_path) == one
    (tmp_path / manifest.DUMP).write_bytes(b"abd")
    with pytest.raises(NotPossible, match="checksum"):
        manifest.read(tmp_path)
    text = (tmp_path / manifest.FILE).read_text()
    for wrong in (text.replace('"version": 1', '"version": 2'), "{}", "[1]", "{"):
        (tmp_path / manifest.FILE).write_text(wrong)
        with pytest.raises(NotPossible):
            manifest.read(tmp_path)


def test_the_list_of_removals_is_ids_alone(tmp_path: Path) -> None:
    """What else stands in such a file is refused: it decides what readers see."""
    path = tmp_path / "removals.jsonl"
    removals.write(path, {"b": "killed", "a": "taken-down"})
    assert path.read_text() == '{"update_id":"a","removal":"taken-down"}\n{"update_id":"b","removal":"killed"}\n'
    assert removals.read(path) == {"a": "taken-down", "b": "killed"}
    for wrong in ('{"update_id":"a","removal":"withdrawn"}', '{"update_id":"a"}', "a"):
        path.write_text(wrong)
        with pytest.raises(NotPossible):
            removals.read(path)
    known = update_id_for("wire", "a")
    assert (order_of(known, "taken-down").order, order_of(known, "killed").order) == ("takedown", "kill")


def test_a_password_is_in_no_list_of_processes() -> None:
    """The server and the account go by the environment; a folder of sockets keeps its case."""
    assert environment_of("postgresql://me:p%40ss@%2Ftmp%2FAbc:5433/news") == {
        "PGHOST": "/tmp/Abc", "PGPORT": "5433", "PGUSER": "me", "PGPASSWORD": "p@ss", "PGDATABASE": "news",
    }  # fmt: skip
    secure = environment_of("postgresql://me@db.example/news?sslmode=verify-full&target_session_attrs=read-write")
    assert (secure["PGSSLMODE"], secure["PGTARGETSESSIONATTRS"]) == ("verify-full", "read-write")
    assert "PGPASSWORD" not in secure


async def test_a_client_that_is_missing_or_too_old_says_what_to_do(tmp_path: Path) -> None:
    """Before anything is written."""
    with pytest.raises(NotPossible, match="PG_BIN"):
        program("pg_dump", tmp_path)
    old = tmp_path / "pg_dump"
    old.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)'\n")
    old.chmod(0o755)
    assert program("pg_dump", tmp_path) == str(old)
    with pytest.raises(NotPossible, match="of Postgres 15, the server of 18"):
        await check_version(str(old), 180004, "postgresql:///x")
    await check_version(str(old), 150002, "postgresql:///x")


def test_only_what_is_missing_is_copied(tmp_path: Path) -> None:
    """Renditions never change: a second backup copies what is new, and a file that was cut off is copied again."""
    store, target = tmp_path / "media", tmp_path / "backup"
    for name in ("ab/one", "cd/two"):
        (store / name).parent.mkdir(parents=True)
        (store / name).write_bytes(b"12345")
    assert media.copy_missing(store, target) == (2, 2)
    (target / "ab/one").write_bytes(b"12")
    (store / "cd/three").write_bytes(b"1")
    assert media.copy_missing(store, target) == (3, 2)
    assert (target / "ab/one").read_bytes() == b"12345"
    assert media.copy_missing(store, target) == (3, 0)


def test_the_commands_are_there() -> None:
    """And say what they do without a server."""
    for name in ("backup", "restore", "erase"):
        assert CliRunner().invoke(cli, [name, "--help"]).exit_code == 0


def test_prune_is_that_of_every_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its options, and the worst of their exit codes."""
    asked: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[bytes]:
        asked.append(command[2:])
        return subprocess.CompletedProcess(command, int(command[2] == "enrich"))

    monkeypatch.setattr(subprocess, "run", run)
    assert CliRunner().invoke(cli, ["prune", "--dry-run", "--json"]).exit_code == 1
    assert asked == [[service, "prune", "--dry-run", "--json"] for service in ("ingest", "enrich", "publish")]


async def test_a_cluster_that_is_new_makes_its_coordinator_when_it_is_asked() -> None:
    """A restore into an empty installation is the first who asks: it waits, and gives up at the end only."""
    answers = [GroupCoordinatorNotAvailableError(), NotCoordinatorForGroupError(), {"a": 1}]

    async def ask() -> dict[str, int]:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert await offsets.coordinated(ask) == {"a": 1}
    answers.append(GroupCoordinatorNotAvailableError())
    with pytest.raises(GroupCoordinatorNotAvailableError):
        await offsets.coordinated(ask, within_s=-1)
