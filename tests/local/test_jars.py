"""Kafka's jars: none runs that the lock does not name, byte for byte."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from local import jars, kafka
from local.jars import Jar, NoJars

WORDS = b"a jar"


@dataclass
class Registry:
    """Answers for a coordinate with bytes, or with why it cannot."""

    answers: dict[str, bytes | str]

    def __call__(self, coordinate: str, repository: Path) -> Path:
        given = self.answers[coordinate]
        if isinstance(given, str):
            raise RuntimeError(given)
        path = repository / coordinate.replace(":", "-")
        path.write_bytes(given)
        return path


def jar(name: str, content: bytes = WORDS) -> Jar:
    """A line of a lock."""
    return Jar(hashlib.sha256(content).hexdigest(), f"org.example:{name}:1.0")


def test_the_lock_names_one_broker_and_every_jar_once() -> None:
    """The lock has the broker's version, no name twice, one version of each artifact, and no host."""
    wanted = jars.locked()
    assert jars.BROKER in [each.coordinate for each in wanted]
    artifacts = [each.coordinate.rpartition(":")[0] for each in wanted]
    assert len(set(artifacts)) == len(artifacts)
    assert len({each.file_name for each in wanted}) == len(wanted)
    assert all(re.fullmatch(r"[0-9a-f]{64}", each.sha256) for each in wanted)
    assert {each.coordinate.split(":")[2] for each in wanted if ":kafka-clients:" in each.coordinate} == {jars.VERSION}
    assert "//" not in jars.LOCK.read_text()
    assert kafka.IMAGE.endswith(f":{jars.VERSION}")


def test_what_is_missing_or_was_changed_is_fetched(tmp_path: Path) -> None:
    """A jar that is not there, or is not what the lock says, comes from the registry; one that is right is kept."""
    wanted = [jar("kept"), jar("changed"), jar("missing")]
    folder = tmp_path / f"kafka-{jars.VERSION}"
    folder.mkdir()
    (folder / "kept-1.0.jar").write_bytes(WORDS)
    (folder / "changed-1.0.jar").write_bytes(b"another jar")
    (folder / "foreign-1.0.jar").write_bytes(WORDS)
    registry = Registry({"org.example:changed:1.0": WORDS, "org.example:missing:1.0": WORDS})
    found = jars.classpath(tmp_path, wanted, registry)
    assert found == ":".join(str(folder / f"{name}-1.0.jar") for name in ("kept", "changed", "missing"))
    assert (folder / "changed-1.0.jar").read_bytes() == WORDS
    assert sorted(each.name for each in folder.iterdir()) == [
        "changed-1.0.jar", "foreign-1.0.jar", "kept-1.0.jar", "missing-1.0.jar",
    ]  # fmt: skip


def test_another_jar_than_the_locks_is_refused(tmp_path: Path) -> None:
    """Bytes with another hash never reach the folder, whoever sends them."""
    registry = Registry({"org.example:forged:1.0": b"another jar"})
    with pytest.raises(NoJars, match=r"org.example:forged:1.0 .* SHA-256"):
        jars.classpath(tmp_path, [jar("forged")], registry)
    assert not list(tmp_path.rglob("*.jar"))


def test_a_registry_out_of_reach_is_told_of_one_jar(tmp_path: Path) -> None:
    """The first jar that cannot be had ends it; the others, which nothing answers for, are not asked for."""
    registry = Registry({"org.example:first:1.0": "no route to host"})
    with pytest.raises(NoJars, match="no route to host"):
        jars.classpath(tmp_path, [jar("first"), jar("second")], registry)
