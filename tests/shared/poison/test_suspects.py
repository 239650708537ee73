"""What three processes died of is set aside, and what they only had been at before is not."""

from pathlib import Path

import pytest

from shared.poison.suspects import Suspects
from shared.postgres.migrations import migrate
from shared.postgres.pool import connect
from shared.settings import Connections

pytestmark = pytest.mark.integration


async def test_what_three_processes_died_with_in_progress_is_set_aside(newsroom: Connections, tmp_path: Path) -> None:
    """Whichever replicas they were of; what was put down again, and an orderly end, tell nothing."""
    pool = await connect(newsroom, schema="publish")
    await migrate(pool, "publish")
    try:
        for place in ("a", "b", "e"):
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


async def test_ends_of_different_days_are_not_counted_together(newsroom: Connections, tmp_path: Path) -> None:
    """What is rendered all day long is in progress whenever a machine loses its power; what is set aside already stays so."""
    pool = await connect(newsroom, schema="publish")
    await migrate(pool, "publish")
    try:
        # The processes end inside their blocks.
        within = []
        for _ in range(4):
            dying = Suspects(pool, "publish", "s", "a", tmp_path)
            assert await dying.open() == set()
            within.append(dying.in_progress("lead"))
            within[-1].__enter__()
            await pool.execute("UPDATE publish.crash_notes SET begun_at = begun_at - interval '2 hours'")
        await pool.execute("UPDATE publish.crash_notes SET tried_by = '{a,b,c}' WHERE begun = 'lead'")
        assert await Suspects(pool, "publish", "s", "a", tmp_path).open() == {"lead"}
    finally:
        await pool.close()
