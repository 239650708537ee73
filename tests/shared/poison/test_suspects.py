"""What two processes died of is set aside, and what they only had been at before is not."""

from pathlib import Path

import pytest

from shared.poison.suspects import Suspects
from shared.postgres.migrations import migrate
from shared.postgres.pool import connect
from shared.settings import Connections

pytestmark = pytest.mark.integration


async def test_what_two_processes_died_with_in_progress_is_set_aside(newsroom: Connections, tmp_path: Path) -> None:
    """Whichever replicas they were of; what was put down again, and an orderly end, tell nothing."""
    pool = await connect(newsroom, schema="publish")
    await migrate(pool, "publish")
    try:
        for place in ("a", "b"):
            dying = Suspects(pool, "publish", "s", place, tmp_path)
            assert await dying.open() == set()
            with dying.in_progress("innocent"):
                pass
            # The process ends inside the block, so that nothing is put down.
            within = dying.in_progress("outer")
            within.__enter__()
            with dying.in_progress("part of it"):
                pass
            assert await Suspects(pool, "publish", "s", "c", tmp_path).open() == set()
            last = await Suspects(pool, "publish", "s", place, tmp_path).open()
        assert last == {"outer"}
        third = Suspects(pool, "publish", "s", "d", tmp_path)
        assert await third.open() == {"outer"}
        await third.close()
        assert await Suspects(pool, "publish", "s", "d", tmp_path).open() == {"outer"}
        assert await Suspects(pool, "publish", "other", "d", tmp_path).open() == set()
    finally:
        await pool.close()
