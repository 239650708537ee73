"""The automaton that finds the names of the dictionary in a text. A large one is built in a process of its own.

Building holds Python's lock throughout: a third of a second for 100,000 names, in which the process that asks would handle no
update. An automaton that was built elsewhere is read in a few milliseconds.
"""

import subprocess
import sys
from collections.abc import Sequence

import orjson
import structlog
from daachorse import CharwiseDoubleArrayAhoCorasick

log = structlog.get_logger(__name__)

LARGE = 5_000
"""Patterns from which building takes longer than an update may wait."""
BUILD_S = 120.0


def build(patterns: Sequence[str]) -> CharwiseDoubleArrayAhoCorasick:
    """Build it here. No pattern is empty or there twice."""
    return CharwiseDoubleArrayAhoCorasick(list(patterns))


def build_apart(patterns: Sequence[str]) -> CharwiseDoubleArrayAhoCorasick:
    """Have a large one built in a process of its own; call it in a thread."""
    if len(patterns) < LARGE:
        return build(patterns)
    try:
        built = subprocess.run(  # noqa: S603 -- our own program
            [sys.executable, "-I", "-m", __name__],
            input=orjson.dumps(list(patterns)), capture_output=True, timeout=BUILD_S, check=True,
        )  # fmt: skip
        return CharwiseDoubleArrayAhoCorasick.deserialize(built.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        log.warning(
            "names are built in this process, which holds up updates", error=repr(error), patterns=len(patterns)
        )
        return build(patterns)


if __name__ == "__main__":
    sys.stdout.buffer.write(build(orjson.loads(sys.stdin.buffer.read())).serialize())
