"""`python -m enrich explain`: what each step would make of updates, without a server."""

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import click
import orjson

from enrich.admin.author_directory import read_profiles
from enrich.admin.explainer import Explainer, read_lines
from enrich.reference.dictionary import Dictionary
from enrich.reference.directory import Directory
from enrich.reference.iptc_release import read_release
from enrich.reference.loader import ReferenceData, read_entries, vocabulary_with
from enrich.reference.vocabulary import ConceptTags, shipped
from enrich.settings import Settings
from enrich.text.steps.runner import Steps
from shared.commands import to_json
from shared.failures import Invalid

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("file", type=click.File("rb"))
@click.option("--authors", type=FILE, help="The directory: JSON or CSV, as `authors import` takes it.")
@click.option("--names", type=FILE, help="The dictionary: JSON lines, as `tags names` takes it.")
@click.option("--topics", type=FILE, help="IPTC's JSON release; the small table that ships when it is left out.")
@click.option(
    "--at",
    type=click.DateTime(["%Y-%m-%dT%H:%M:%S%z"]),
    help="The moment at which embargoes are looked at; now when left out.",
)
@click.option("--text", "as_text", is_flag=True, help="For people; else one JSON object a line.")
def explain(  # noqa: PLR0917 -- click hands over its options by name
    file: BinaryIO, authors: Path | None, names: Path | None, topics: Path | None, at: datetime | None, as_text: bool
) -> None:
    """Show what enrich would make of the updates in FILE (`-` is standard input) and why, in their order.

    FILE has one JSON object a line: raw updates or desk orders, or the lines that `ingest read` prints. Nothing is
    connected to and nothing is written. Exit code 1 where a line cannot be understood.
    """
    settings = Settings()
    now = (at or datetime.now(UTC)).astimezone(UTC)
    try:
        explainer = Explainer(Steps(reference_data_of(settings, authors, names, topics), settings), now)
        for explanation in explainer.explain(read_lines(file.read(), now)):
            click.echo(as_lines(explanation) if as_text else to_json(explanation))
    except Invalid as failure:
        click.echo(
            f"{getattr(file, 'name', 'input')}: {failure.reason}{f' at {failure.field}' if failure.field else ''}",
            err=True,
        )
        sys.exit(1)


def reference_data_of(
    settings: Settings, authors: Path | None, names: Path | None, topics: Path | None
) -> ReferenceData:
    """The reference data, read from files."""
    profiles = read_profiles(authors.read_bytes(), authors.suffix.lower()) if authors is not None else []
    names = names or settings.enrich_dictionary
    return ReferenceData(
        directory=Directory.of(profiles),
        vocabulary=vocabulary_with(*read_release(topics.read_bytes())) if topics is not None else shipped(),
        dictionary=Dictionary.of(read_entries(names)) if names is not None else Dictionary(),
        concept_tags=ConceptTags(settings.enrich_label_languages),
    )


def as_lines(explanation: Mapping[str, object]) -> str:
    """An explanation for people."""
    named = explanation.get("guid", explanation.get("order", ""))
    lines = ["  ".join(str(each) for each in (explanation["update_id"], explanation.get("source", "order"), named))]
    for step, made in explanation.items():
        if step in ("update_id", "guid", "source", "order"):
            continue
        if isinstance(made, dict):
            lines.append(f"  {step}")
            lines.extend(f"    {name}: {_short(value)}" for name, value in made.items() if value not in ("", [], None))
        elif isinstance(made, list):
            lines.append(f"  {step}{'' if made else ': none'}")
            lines.extend(f"    {_short(each)}" for each in made)
        else:
            lines.append(f"  {step}: {made}")
    return "\n".join(lines) + "\n"


def _short(value: object) -> str:
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return text if len(text) <= 300 else f"{text[:300]}…"
