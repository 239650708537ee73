"""What stands beside a dump: when it was made, of what, and where the log was."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import orjson

from slugline.recovery.offsets import LogPlaces
from slugline.recovery.programs import NotPossible

FILE, DUMP, MEDIA_FOLDER, REMOVALS = "manifest.json", "postgres.dump", "media", "removals.jsonl"
VERSION = 1


@dataclass(frozen=True, slots=True)
class Manifest:
    """A backup."""

    made_at: datetime
    topic_prefix: str
    sha256: str
    size_bytes: int
    places: LogPlaces
    migrations: Mapping[str, int]
    """How many each schema has."""
    media_files: int | None
    """None where the media store is not in the backup."""
    seconds: float

    def write(self, folder: Path) -> None:
        """Put it beside the dump, last: a folder without it is no backup."""
        text = orjson.dumps({"version": VERSION} | asdict(self), option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS)
        temporary = folder / f".{FILE}"
        temporary.write_bytes(text)
        temporary.rename(folder / FILE)


def read(folder: Path) -> Manifest:
    """The manifest of a folder; raises NotPossible where there is none, or the dump is not the one that it names."""
    try:
        found = orjson.loads((folder / FILE).read_bytes())
        if found.pop("version") != VERSION:
            raise NotPossible(f"{folder} was made by a release that this one does not know")
        places = found.pop("places")
        groups = {group: {int(key): place for key, place in each.items()} for group, each in places["groups"].items()}
        manifest = Manifest(
            **found | {"made_at": datetime.fromisoformat(found["made_at"])},
            places=LogPlaces(places["cluster_id"], groups, places["enriched_end"]),
        )
    except FileNotFoundError:
        raise NotPossible(f"{folder} holds no whole backup: {FILE} is not there") from None
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise NotPossible(f"{folder / FILE} cannot be read: {error}") from error
    if digest(folder / DUMP) != manifest.sha256:
        raise NotPossible(f"{folder / DUMP} is not what was dumped: its checksum is another one")
    return manifest


def digest(path: Path) -> str:
    """The SHA-256 of a file, in hex; raises NotPossible where it is not there."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise NotPossible(f"{path} cannot be read: {error}") from error
