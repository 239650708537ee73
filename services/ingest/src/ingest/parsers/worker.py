"""A reader in a process of its own: large documents in on standard input, what was understood of them out.

`python -I -m ingest.parsers.worker MEMORY_BYTES`. A request is a frame of JSON (`ReadRequest`) and a frame of the document's bytes; an
answer a frame of JSON (`ReadResponse`) and, where it says so, frames of updates, one line of JSON each. A frame is its length
in four bytes, big end first, and its bytes. It ends when standard input does, or with its parent.
"""

import contextlib
import ctypes
import os
import resource
import signal
import struct
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import IO

from pydantic import BaseModel

from ingest.formats import ReadResult, RefusedItem, SourceProfile, Unreadable, read

FRAME_BYTES = 256 * 1024
"""About how many bytes of updates go in one frame."""

_PR_SET_PDEATHSIG = 1


class ReadRequest(BaseModel):
    """How a document is to be read; as `ingest.formats.read` takes it."""

    content_type: str | None
    source: str
    received_at: datetime
    original_id: str
    sha256: str
    profile: SourceProfile
    format: str | None


class ReadResponse(BaseModel):
    """What became of a document: a `ReadResult` without its updates, or why nothing can be read."""

    format: str = ""
    parser_version: str = ""
    refused: tuple[RefusedItem, ...] = ()
    aliases: tuple[tuple[str, str], ...] = ()
    frames: int = 0
    """So many frames of updates follow."""
    unreadable: tuple[str, str, str] | None = None
    """Code, place and reason."""


def main() -> None:
    """Serve requests until standard input ends."""
    _confine(int(sys.argv[1]))
    # Whatever a library prints must not be taken for an answer.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    requests = sys.stdin.buffer
    _send(answers, [b"ready"])
    while (head := _read(requests)) is not None:
        body = _read(requests) or b""
        try:
            told, frames = answer(ReadRequest.model_validate_json(head), body)
        except MemoryError:
            told, frames = (
                ReadResponse(unreadable=("reader-crashed", "", "it needs more memory than a document may")),
                [],
            )
        _send(answers, [told.model_dump_json().encode(), *frames])


def answer(asked: ReadRequest, body: bytes) -> tuple[ReadResponse, list[bytes]]:
    """What is told of a document, and its updates."""
    try:
        reading = read(
            body,
            content_type=asked.content_type,
            source=asked.source,
            received_at=asked.received_at,
            original_id=asked.original_id,
            sha256=asked.sha256,
            profile=asked.profile,
            format=asked.format,
        )
    except Unreadable as cause:
        return ReadResponse(unreadable=(cause.code, cause.place, cause.reason)), []
    refused = list(reading.refused)
    frames = list(_framed(reading, refused))
    told = ReadResponse(
        format=reading.format,
        parser_version=reading.parser_version,
        refused=tuple(refused),
        aliases=reading.aliases,
        frames=len(frames),
    )
    return told, frames


def _framed(reading: ReadResult, refused: list[RefusedItem]) -> Iterator[bytes]:
    lines: list[bytes] = []
    size = 0
    for number, update in enumerate(reading.updates):
        try:
            line = update.model_dump_json(exclude_defaults=True).encode()
        except ValueError as error:
            index = update.original.index if update.original is not None else number
            reason = f"cannot be written as JSON in UTF-8: {error}"
            refused.append(RefusedItem(index=index, code="not-text", place="", reason=reason[:500]))
            continue
        lines.append(line)
        size += len(line)
        if size > FRAME_BYTES:
            yield b"\n".join(lines)
            lines, size = [], 0
    if lines:
        yield b"\n".join(lines)


def _confine(memory_bytes: int) -> None:
    """Bound memory and files, end with the parent, and before it where the container runs out of memory."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    for what, value in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(what, (value, value))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _read(stream: IO[bytes]) -> bytes | None:
    head = stream.read(4)
    if len(head) < 4:
        return None
    return stream.read(struct.unpack(">I", head)[0])


def _send(stream: IO[bytes], frames: list[bytes]) -> None:
    for frame in frames:
        stream.write(struct.pack(">I", len(frame)))
        stream.write(frame)
    stream.flush()


if __name__ == "__main__":
    main()
