"""What ingest keeps, and for how long unless a policy says otherwise."""

import asyncio
import contextlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from ingest.transports.watch.claims import DONE, REJECTED
from shared.postgres.pool import Pool
from shared.retention.command import prune_command
from shared.retention.rules import Extra, Rule


def old_files(folders: Sequence[Path], before: datetime) -> Iterator[Path]:
    """The files in `done/` and `rejected/` of these folders that were last written before a moment. Links are left alone."""
    for folder in folders:
        for end in (DONE, REJECTED):
            with contextlib.suppress(FileNotFoundError):
                for path in sorted((folder / end).iterdir()):
                    with contextlib.suppress(FileNotFoundError):
                        if path.is_file() and not path.is_symlink() and path.stat().st_mtime < before.timestamp():
                            yield path


async def _files(pool: Pool, before: datetime, dry_run: bool) -> int:
    rows = await pool.fetch("SELECT folder FROM ingest.sources WHERE kind = 'watch' AND folder IS NOT NULL")
    folders = [Path(row["folder"]) for row in rows]

    def act() -> int:
        count = 0
        for path in old_files(folders, before):
            if not dry_run:
                path.unlink(missing_ok=True)
            count += 1
        return count

    return await asyncio.to_thread(act)


RULES = (
    Rule(
        "originals", "bytes as received; what is gone cannot be read again",
        "ingest.originals", "id", "t.received_at < $1", 90, by="received_at",
    ),
    Rule(
        "items", "what became of versions; a repeat of one that is gone is found by enrich",
        "ingest.items", "update_id, fingerprint",
        "t.received_at < $1 AND (t.published_at IS NOT NULL OR t.ended_at IS NOT NULL OR t.enriched_at IS NOT NULL)", 90,
        least_days=7,
    ),
    Rule("orders", "who ordered what and why", "ingest.orders", "id", "t.ordered_at < $1", 400, least_days=7),
    Rule(
        "linked-texts", "versions whose text is only linked and could not be fetched",
        "ingest.linked_texts", "source, guid", "t.wanted_at < $1", 7,
    ),
    Extra("dropped-files", "files in `done/` and `rejected/` of folders that are watched, where this process sees them", 30, _files),
)  # fmt: skip

prune = prune_command("ingest", RULES)
