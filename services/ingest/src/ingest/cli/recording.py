"""A wire day in one file: what came in, byte for byte, with its times; gzip, one JSON object on each line.

The first line describes the file; every other one is a document: `received_at`, `source`, `content_type`, `format`,
`updates` (how many were read from it then), `sha256`, `body` (base64). The file holds no keys, but copy that is not public yet, so
only its owner may read it.
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

import orjson
from pydantic import BaseModel, ValidationError

from ingest.intake.originals import StoredOriginal

KIND = "slugline-wire-day"
RELEASE = 1
MAX_LINE_BYTES = 64 * 1024 * 1024


class InvalidRecording(Exception):
    """The file is no recording, was cut short or was changed; names the line."""


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


class _Header(BaseModel):
    """The first line."""

    kind: str
    release: int


class _Line(BaseModel):
    """Every other line."""

    received_at: datetime
    source: str
    content_type: str | None = None
    format: str | None = None
    updates: int | None = None
    sha256: str | None = None
    body: str


async def write(path: Path, documents: AsyncIterable[StoredOriginal]) -> int:
    """Write documents; returns how many. The file is there whole or not at all, and not for no documents."""
    draft = path.with_name(f".{path.name}.part")
    written = 0
    try:
        with (
            os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as whole,
            gzip.GzipFile(path.name, "wb", 6, whole) as file,
        ):
            file.write(orjson.dumps({"kind": KIND, "release": RELEASE, "recorded_at": datetime.now(UTC)}) + b"\n")
            async for document in documents:
                line = {
                    "received_at": document.received_at,
                    "source": document.source,
                    "content_type": document.content_type,
                    "format": document.format or document.asked_format,
                    "updates": document.updates,
                    "sha256": document.sha256,
                    "body": base64.b64encode(document.body).decode(),
                }
                file.write(orjson.dumps(line) + b"\n")
                written += 1
        if written:
            draft.rename(path)
    finally:
        draft.unlink(missing_ok=True)
    return written


def read(path: Path) -> Iterator[RecordedDocument]:
    """The documents of a recording, in its order; raises `InvalidRecording` where it is none, was cut short or was changed."""
    try:
        with gzip.open(path, "rb") as file:
            _check_header(path, file.readline(MAX_LINE_BYTES))
            number = 1
            while line := file.readline(MAX_LINE_BYTES):
                number += 1
                yield _document(line, number)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InvalidRecording(f"{path}: {error}") from error


def _check_header(path: Path, line: bytes) -> None:
    try:
        header = _Header.model_validate_json(line)
    except ValidationError as error:
        raise InvalidRecording(f"{path} is no wire day of release {RELEASE}") from error
    if (header.kind, header.release) != (KIND, RELEASE):
        raise InvalidRecording(f"{path} is no wire day of release {RELEASE}")


def _document(line: bytes, number: int) -> RecordedDocument:
    try:
        fields = _Line.model_validate_json(line)
        body = base64.b64decode(fields.body, validate=True)
    except (ValidationError, binascii.Error) as error:
        raise InvalidRecording(f"line {number}: {error}") from error
    if fields.sha256 is not None and hashlib.sha256(body).hexdigest() != fields.sha256:
        raise InvalidRecording(f"line {number}: the body is not what was recorded")
    return RecordedDocument(fields.received_at, fields.source, fields.content_type, fields.format, body, fields.updates)
