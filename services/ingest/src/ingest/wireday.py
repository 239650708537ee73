"""A wire day in one file: what came in, byte for byte, with its times; gzip, one JSON object a line.

The first line describes the file; every other one is a document: `received_at`, `source`, `content_type`, `format`,
`sha256`, `body` (base64).
"""

import base64
import binascii
import gzip
import hashlib
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


class BadRecording(Exception):
    """The file is no recording, or was cut short or changed; names the line."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One document of a recording."""

    received_at: datetime
    source: str
    content_type: str | None
    format: str | None
    body: bytes


async def write(path: Path, rows: AsyncIterable[Any]) -> int:
    """Write rows of originals; how many. The file is there whole or not at all."""
    draft = path.with_name(f".{path.name}.part")
    written = 0
    with gzip.open(draft, "wb", compresslevel=6) as file:
        file.write(orjson.dumps({"kind": KIND, "release": RELEASE, "recorded_at": datetime.now(UTC)}) + b"\n")
        async for row in rows:
            line = {
                "received_at": row["received_at"],
                "source": row["source"],
                "content_type": row["content_type"],
                "format": row["format"],
                "sha256": row["sha256"],
                "body": base64.b64encode(row["body"]).decode(),
            }
            file.write(orjson.dumps(line) + b"\n")
            written += 1
    draft.rename(path)
    return written


def read(path: Path) -> Iterator[Recorded]:
    """The documents of a recording, in its order."""
    try:
        with gzip.open(path, "rb") as file:
            number = 0
            while line := file.readline(MAX_LINE_BYTES):
                number += 1
                fields = _fields(line, number)
                if number == 1:
                    if fields.get("kind") != KIND or fields.get("release") != RELEASE:
                        raise BadRecording(f"{path} is no wire day of release {RELEASE}")
                    continue
                yield _recorded(fields, number)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise BadRecording(f"{path}: {error}") from error


def _fields(line: bytes, number: int) -> dict[str, Any]:
    try:
        fields = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise BadRecording(f"line {number}: {error}") from error
    if not isinstance(fields, dict):
        raise BadRecording(f"line {number} is no object")
    return fields


def _recorded(fields: dict[str, Any], number: int) -> Recorded:
    try:
        body = base64.b64decode(fields["body"], validate=True)
        recorded = Recorded(
            datetime.fromisoformat(fields["received_at"]),
            str(fields["source"]),
            fields.get("content_type"),
            fields.get("format"),
            body,
        )
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        raise BadRecording(f"line {number}: {error!r}") from error
    if hashlib.sha256(body).hexdigest() != fields.get("sha256", hashlib.sha256(body).hexdigest()):
        raise BadRecording(f"line {number}: the body is not what was recorded")
    return recorded
