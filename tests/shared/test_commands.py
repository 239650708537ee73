"""The command line that the services share."""

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from shared.__main__ import cli
from shared.commands import Commands, migration


def test_a_process_loads_only_the_command_that_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asking for one command imports its module and no other command's."""
    for name in ("first_command", "second_command"):
        (tmp_path / f"{name}.py").write_text(
            f"import click\n\n@click.command()\ndef run():\n    click.echo('{name} ran')\n"
        )
    monkeypatch.syspath_prepend(str(tmp_path))
    places = {"first": "first_command:run", "second": "second_command:run"}
    done = CliRunner().invoke(Commands("tests", places=places), ["first"])
    assert done.output == "first_command ran\n"
    assert "second_command" not in sys.modules
    assert CliRunner().invoke(Commands("tests", places=places), ["third"]).exit_code == 2


def test_settings_that_make_no_sense_are_named_in_one_line() -> None:
    """Every wrong variable is told with its reason, without a traceback."""
    group = Commands("tests", places={})
    group.add_command(migration("ingest"))
    done = CliRunner().invoke(group, ["migrate"], env={"HEALTH_PORT": "eighty", "REPLICATION_FACTOR": "many"})
    assert done.exit_code == 2
    (line,) = [line for line in done.output.splitlines() if line.startswith("Error")]
    assert "HEALTH_PORT: " in line
    assert "REPLICATION_FACTOR: " in line


def test_creating_topics_waits_for_kafka_as_long_as_it_is_told() -> None:
    """As before a pod's processes start; then it ends with the address that does not answer."""
    away = {"KAFKA_SERVERS": "127.0.0.1:1"}
    done = CliRunner().invoke(cli, ["topics", "apply", "--wait-s", "0.2"], env=away)
    assert done.exit_code == 1
    assert "Error: Kafka at 127.0.0.1:1 has not answered within 0.2 s" in done.output
