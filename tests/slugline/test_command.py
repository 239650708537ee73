"""The command itself: what it offers, where a service's command is, and its exit codes."""

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import click
import pytest

from slugline.__main__ import COMMANDS, cli, read_environment
from slugline.service_commands import ELSEWHERE, ENTRY_POINTS, NOT_UNDERSTOOD, elsewhere


def code_of(*arguments: str) -> int:
    """The exit code of a command line."""
    with pytest.raises(SystemExit) as ended:
        cli(list(arguments), prog_name="slugline")
    return int(ended.value.code or 0)


def test_every_command_is_offered_and_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    """Its own ones, and those that the services announce."""
    names = cli.list_commands(click.Context(cli))
    assert set(names) == {*COMMANDS, *ELSEWHERE}
    for name in names:
        assert code_of(name, "--help") == 0
        # `prune` asks a process of each service, whose output is not captured here.
        assert name == "prune" or "Usage: slugline" in capsys.readouterr().out


def test_what_stands_for_a_command_elsewhere_is_announced_by_that_service() -> None:
    """Whoever has a service's image finds the command there."""
    assert {entry.name: entry.value.partition(".")[0] for entry in entry_points(group=ENTRY_POINTS)} == ELSEWHERE


def test_a_command_of_a_service_that_is_not_here_says_where_it_is() -> None:
    """With the lines to type, whatever its arguments."""
    with pytest.raises(
        click.ClickException,
        match=r"(?s)compose run --rm tools takedown.*exec deploy/publish-push -- slugline takedown",
    ):
        elsewhere("takedown").main(["x", "--json"], standalone_mode=False)


def test_a_command_line_that_is_not_understood_has_a_code_of_its_own() -> None:
    """2 says that readers miss something."""
    assert code_of("no-such-command") == NOT_UNDERSTOOD
    assert code_of("status", "--no-such-option") == NOT_UNDERSTOOD
    assert code_of("deadletters", "replay") == NOT_UNDERSTOOD
    assert code_of("takedown", "https://news.example/updates/x") == NOT_UNDERSTOOD


def test_a_slip_in_a_name_is_told_what_was_meant(capsys: pytest.CaptureFixture[str]) -> None:
    """At night nobody reads a list of fourteen commands."""
    assert code_of("statsu") == NOT_UNDERSTOOD
    assert "Did you mean 'status'?" in capsys.readouterr().err


@pytest.fixture
def environment() -> Iterator[None]:
    """What a test sets is gone after it."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.mark.usefixtures("environment")
def test_settings_come_from_a_file_and_the_environment_goes_before(tmp_path: Path) -> None:
    """As compose reads it."""
    path = tmp_path / "slugline.env"
    path.write_text("# a comment\n\nTOPIC_PREFIX=from-file\nexport REDIS_URL='redis://x/0'\nLOG_LEVEL=debug\n")
    assert read_environment(path) == {"TOPIC_PREFIX": "from-file", "REDIS_URL": "redis://x/0", "LOG_LEVEL": "debug"}
    os.environ["TOPIC_PREFIX"] = "mine"
    code_of("--env", str(path), "status", "--help")
    assert (os.environ["TOPIC_PREFIX"], os.environ["REDIS_URL"]) == ("mine", "redis://x/0")


def test_it_imports_no_service() -> None:
    """Help for a command of its own loads nothing of ingest, enrich or publish."""
    code = (
        "import sys, slugline.__main__, slugline.status.command, slugline.where.command, slugline.deadletters.command, slugline.doctor.command\n"
        "sys.exit(', '.join({'ingest', 'enrich', 'publish'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
