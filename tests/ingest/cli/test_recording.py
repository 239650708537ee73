"""A wire day in one file."""

import gzip
import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.cli import recording
from ingest.intake.originals import StoredOriginal, new_original_id


async def test_a_recording_that_was_cut_is_told_so(tmp_path: Path) -> None:
    """Cut short, changed or of another kind: an error naming the line, after what was good."""

    async def documents() -> AsyncIterator[StoredOriginal]:
        for number in range(3):
            body = b"%d" % number
            yield StoredOriginal(
                id=new_original_id(), source="s", transport="api", received_at=datetime.now(UTC), content_type=None,
                sha256=hashlib.sha256(body).hexdigest(), body=body, format=None, asked_format=None, updates=1, reprocessed=0,
            )  # fmt: skip

    file = tmp_path / "day.gz"
    assert await recording.write(file, documents()) == 3
    assert [document.body for document in recording.read(file)] == [b"0", b"1", b"2"]
    whole = file.read_bytes()
    file.write_bytes(whole[:-12])
    with pytest.raises(recording.InvalidRecording):
        list(recording.read(file))
    changed = gzip.decompress(whole).replace(b'"MA=="', b'"MQ=="')
    file.write_bytes(gzip.compress(changed))
    with pytest.raises(recording.InvalidRecording, match="line 2"):
        list(recording.read(file))
    file.write_bytes(gzip.compress(b"{}\n"))
    with pytest.raises(recording.InvalidRecording, match="no wire day"):
        list(recording.read(file))
