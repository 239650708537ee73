"""A wire day in one file: what came in, byte for byte, with its times; gzip, one JSON object a line.

The first line describes the file; every other one is a document: `received_at`, `source`, `content_type`, `format`,
`updates` (how many were made of it then), `sha256`, `body` (base64). No keys; but copy that is not public yet, so the file
is for its owner only.
"""

import base64
import binascii
import gzip
import hashlib
import os
import zlib
from collections.abc import AsyncIterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

KIND = "slugline-wire-day"
RELEASE = 1
MAX_LINE_BYTES = 64 * 1024 * 1024


class InvalidRecording(Exception):
    """The file is no recording, or was cut short or changed; names the line."""


@dataclass(frozen=True, slots=True)
class RecordedDocument:
    """One document of a recording."""

    received_at: datetime
    source: str
    content_type: str | None
    format: str | None
    """What it was read as; for one that could not be read, what it had to be."""
    body: bytes
    updates: int | None = None
    """How many updates were made of it; None where that is not known."""


async def write(path: Path, rows: AsyncIterable[Any]) -> int:
    """Write rows of originals; how many. The file is there whole or not at all, and not for no rows."""
    draft = path.with_name(f".{path.name}.part")
    written = 0
    try:
        with (
            os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as whole,
            gzip.GzipFile(path.name, "wb", 6, whole) as file,
        ):
            file.write(orjson.dumps({"kind": KIND, "release": RELEASE, "recorded_at": datetime.now(UTC)}) + b"\n")
            async for row in rows:
                line = {
                    "received_at": row["received_at"],
                    "source": row["source"],
                    "content_type": row["content_type"],
                    "format": row["format"] or row["asked_format"],
                    "updates": row["updates"],
                    "sha256": row["sha256"],
                    "body": base64.b64encode(row["body"]).decode(),
                }
                file.write(orjson.dumps(line) + b"\n")
                written += 1
        if written:
            draft.rename(path)
    finally:
        draft.unlink(missing_ok=True)
    return written


def read(path: Path) -> Iterator[RecordedDocument]:
    """The documents of a recording, in its order; raises `InvalidRecording` where it is none, was cut short or changed."""
    try:
        with gzip.open(path, "rb") as file:
            number = 0
            while line := file.readline(MAX_LINE_BYTES):
                number += 1
                fields = _fields(line, number)
                if number == 1:
                    if fields.get("kind") != KIND or fields.get("release") != RELEASE:
                        raise InvalidRecording(f"{path} is no wire day of release {RELEASE}")
                    continue
                yield _recorded(fields, number)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InvalidRecording(f"{path}: {error}") from error


def _fields(line: bytes, number: int) -> dict[str, Any]:
    try:
        fields = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise InvalidRecording(f"line {number}: {error}") from error
    if not isinstance(fields, dict):
        raise InvalidRecording(f"line {number} is no object")
    return fields


def _recorded(fields: dict[str, Any], number: int) -> RecordedDocument:
    try:
        body = base64.b64decode(fields["body"], validate=True)
        recorded = RecordedDocument(
            datetime.fromisoformat(fields["received_at"]),
            str(fields["source"]),
            fields.get("content_type"),
            fields.get("format"),
            body,
            fields.get("updates"),
        )
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        raise InvalidRecording(f"line {number}: {error!r}") from error
    if hashlib.sha256(body).hexdigest() != fields.get("sha256", hashlib.sha256(body).hexdigest()):
        raise InvalidRecording(f"line {number}: the body is not what was recorded")
    return recorded
