"""Parses large documents in a process of its own: `python -I -m ingest.parsers.worker MEMORY_BYTES`.

A job is a `ReadRequest` and the document's bytes; its answer is a `ReadResponse` and frames of updates, one line of JSON
for each.
"""

import sys
from collections.abc import Iterator

from pydantic import BaseModel, TypeAdapter

from ingest.formats import ReadRequest, ReadResult, RefusedItem, Unreadable, read
from shared.worker_processes.child import confine, serve

FRAME_BYTES = 256 * 1024
"""About how many bytes of updates go in one frame."""


REQUESTS: TypeAdapter[ReadRequest] = TypeAdapter(ReadRequest)


class ReadResponse(BaseModel):
    """What became of a document: a `ReadResult` without its updates, or why nothing can be read."""

    format: str = ""
    parser_version: str = ""
    refused: tuple[RefusedItem, ...] = ()
    aliases: tuple[tuple[str, str], ...] = ()
    unreadable: tuple[str, str, str] | None = None
    """Code, place and reason."""


def main() -> None:
    """Serve requests until standard input ends."""
    confine(int(sys.argv[1]))
    serve(lambda: b"ready", _answer_frames)


def _answer_frames(request: bytes, body: bytes) -> list[bytes]:
    try:
        response, frames = answer(REQUESTS.validate_json(request), body)
    except MemoryError:
        reason = "it needs more memory than a document may"
        response, frames = ReadResponse(unreadable=("reader-crashed", "", reason)), []
    return [response.model_dump_json().encode(), *frames]


def answer(request: ReadRequest, body: bytes) -> tuple[ReadResponse, list[bytes]]:
    """The answer about a document, and its updates."""
    try:
        result = read(body, request)
    except Unreadable as cause:
        return ReadResponse(unreadable=(cause.code, cause.place, cause.reason)), []
    refused = list(result.refused)
    frames = list(_framed(result, refused))
    response = ReadResponse(
        format=result.format,
        parser_version=result.parser_version,
        refused=tuple(refused),
        aliases=result.aliases,
    )
    return response, frames


def _framed(result: ReadResult, refused: list[RefusedItem]) -> Iterator[bytes]:
    lines: list[bytes] = []
    size = 0
    for number, update in enumerate(result.updates):
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


if __name__ == "__main__":
    main()
