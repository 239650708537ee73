"""The stack tells `slugline` where it is, and nobody else."""

import stat
from pathlib import Path

from local.child import Child
from local.postgres import binaries
from local.stack import Stack, Supervised
from slugline.__main__ import read_environment


def test_the_settings_of_the_stack_are_written_for_the_operator(tmp_path: Path) -> None:
    """Addresses of servers and processes, and no key, in a file that only its owner reads."""
    stack = Stack(tmp_path, env={"KAFKA_SERVERS": "127.0.0.1:1", "SAMPLE_KEY": "secret", "PYTHONPATH": "x"})
    stack.env_of["publish"] = {"REDIS_URL": "redis://127.0.0.1:2/0", "KAFKA_SERVERS": "a service's own"}
    stack.supervised = [
        Supervised(Child("publish-web", [], tmp_path / "log"), 8080),
        Supervised(Child("wire", [], tmp_path / "log")),
    ]
    path = stack.write_environment()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_environment(path) == {
        "KAFKA_SERVERS": "127.0.0.1:1",
        "REDIS_URL": "redis://127.0.0.1:2/0",
        "SLUGLINE_PROCESSES": "publish-web=127.0.0.1:8080",
        "PG_BIN": str(binaries()),
    }
