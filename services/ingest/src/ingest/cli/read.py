"""`python -m ingest read`: what would become of documents, without a server."""

import hashlib
import json
import sys
import tomllib
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import click
import orjson
from pydantic import ValidationError

from ingest.formats import DEFAULT_PROFILE, FORMATS, ReadRequest, SourceProfile, Unreadable, read
from ingest.formats.model import MAX_DOCUMENT_BYTES
from ingest.formats.vendors import catalog
from shared.messages import Power
from shared.messages.powers import OF_A_WIRE, POWERS


@dataclass(slots=True)
class FileReport:
    """What is printed of one file."""

    file: str
    format: str | None = None
    parser_version: str | None = None
    updates: list[dict[str, object]] = field(default_factory=list)
    repairs: list[dict[str, object]] = field(default_factory=list)
    refused: list[dict[str, object]] = field(default_factory=list)
    error: dict[str, str] | None = None
    note: str = ""

    def to_json(self) -> bytes:
        """One line of JSON."""
        try:
            return orjson.dumps(self)
        except TypeError:
            # A number of more than 64 bits, in a field that is not read.
            return json.dumps(asdict(self)).encode()


def report(
    path: str,
    source: str,
    profile: SourceProfile,
    format: str | None,  # noqa: A002
    may: tuple[Power, ...] = OF_A_WIRE,
) -> FileReport:
    """What would become of one file. A file that yields nothing because all of it was refused is an error."""
    found = FileReport(path)
    try:
        body = _bytes(path)
        request = ReadRequest(
            content_type=None,
            source=source,
            received_at=datetime.now(UTC),
            original_id=path,
            sha256=hashlib.sha256(body).hexdigest(),
            profile=profile,
            format=format,
            may=may,
        )
        reading = read(body, request)
    except Unreadable as failure:
        found.error = {"code": failure.code, "place": failure.place, "reason": failure.reason}
        return found
    except OSError as failure:
        found.error = {"code": "no-file", "place": "", "reason": failure.strerror or str(failure)}
        return found
    found.format = reading.format
    found.parser_version = reading.parser_version
    found.updates = [update.model_dump(mode="json") for update in reading.updates]
    found.repairs = [repair.model_dump(mode="json") for repair in reading.repairs]
    found.refused = [refused.model_dump(mode="json") for refused in reading.refused]
    if not reading.updates and not reading.refused:
        found.note = "the document is well formed and has no items"
    if reading.refused and not reading.updates:
        first = reading.refused[0]
        found.error = {"code": first.code, "place": first.place, "reason": first.reason}
    return found


def _bytes(path: str) -> bytes:
    """The file's bytes, at most one more than is permitted; `-` is standard input."""
    if path == "-":
        return sys.stdin.buffer.read(MAX_DOCUMENT_BYTES + 1)
    with Path(path).open("rb") as file:
        return file.read(MAX_DOCUMENT_BYTES + 1)


def _profile(path: str | None) -> SourceProfile:
    if path is None:
        return DEFAULT_PROFILE
    if path in catalog.names():
        return SourceProfile(extends=path)
    try:
        return SourceProfile.model_validate(tomllib.loads(Path(path).read_text("utf-8")))
    except (OSError, ValueError, ValidationError) as failure:
        raise click.ClickException(f"{path}: {failure}") from None


@click.command("read")
@click.argument("files", nargs=-1, required=True, type=click.Path(allow_dash=True))
@click.option("--source", default="local", show_default=True, help="Name of the source, which update ids are made of.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(sorted(name for one in FORMATS for name in one.names)),
    help="Take the files for this format instead of recognising it.",
)
@click.option(
    "--profile", "profile_file", type=click.Path(), help="TOML file with the source's profile, or a vendor's name."
)
@click.option(
    "--desk", is_flag=True, help="Read them as of a desk, which may pin, name stories and more; else as of a wire."
)
def read_command(
    files: tuple[str, ...], source: str, format_: str | None, profile_file: str | None, *, desk: bool
) -> None:
    """Show what FILES would become: one JSON line for each, touching no server.

    A line has file, format, parser_version, updates (as they would be emitted), repairs, refused items, error
    (code, place, reason), and a note where there was nothing to take. Exit status 1 when any file gave an error.
    """
    profile = _profile(profile_file)
    failed = False
    for path in files:
        found = report(path, source, profile, format_, POWERS if desk else OF_A_WIRE)
        failed = failed or found.error is not None
        sys.stdout.buffer.write(found.to_json() + b"\n")
        sys.stdout.buffer.flush()
    sys.exit(1 if failed else 0)
