"""Renditions in a folder: content-addressed and written once, so a backup copies what it does not have yet."""

import os
import shutil
from pathlib import Path
from urllib.parse import unquote, urlsplit

from shared.settings import Connections


def folder_of(settings: Connections) -> Path | None:
    """The folder of `MEDIA_STORE`; None where it is an object store, which has versions and backups of its own."""
    parts = urlsplit(settings.media_store)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None


def copy_missing(source: Path, target: Path) -> tuple[int, int]:
    """Copy every file that the target does not have whole; how many there are, and how many were copied. Nothing is deleted."""
    there = copied = 0
    for place, _, names in os.walk(source):
        folder = target / Path(place).relative_to(source)
        for name in sorted(names):
            file = Path(place) / name
            there += 1
            to = folder / name
            if to.exists() and to.stat().st_size == file.stat().st_size:
                continue
            folder.mkdir(parents=True, exist_ok=True)
            temporary = to.with_name(f".{name}.part")
            shutil.copy2(file, temporary)
            temporary.rename(to)
            copied += 1
    return there, copied
