"""Backups again and again: when one is due, which stay, and what a failure leaves behind."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from slugline.recovery import manifest
from slugline.recovery.programs import NotPossible
from slugline.recovery.schedule import NAME, Schedule, backups_in

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
NEVER = datetime.min.replace(tzinfo=UTC)
DAY = timedelta(days=1)


class Newsroom:
    """What is backed up: one rendition a day; it can fail."""

    def __init__(self, folder: Path) -> None:
        self.said: list[str] = []
        self.noted = 0
        self.fails = False
        self.schedule = Schedule(folder, DAY, 2, self.back_up, self.note_removals, self.said.append)

    async def back_up(self, target: Path) -> str:
        """One rendition more than are there, and the manifest last."""
        media = target / manifest.MEDIA_FOLDER / "a"
        media.mkdir(parents=True, exist_ok=True)
        (media / f"{len(list(media.iterdir()))}.webp").write_text("picture")
        if self.fails:
            raise NotPossible("Postgres is away")
        (target / manifest.FILE).write_text("{}")
        return f"{target.name} made"

    async def note_removals(self, _: Path) -> int:
        """Counted."""
        self.noted += 1
        return 0


async def test_one_is_made_a_day_and_the_newest_stay(tmp_path: Path) -> None:
    """Not sooner, whoever looks how often; renditions are shared with the one before, and outlive it."""
    newsroom = Newsroom(tmp_path)
    (tmp_path / "by hand").mkdir()
    for hours in (0, 1, 23, 24, 25, 48, 72):
        await newsroom.schedule.turn(NOON + timedelta(hours=hours), NEVER)
    assert newsroom.noted == 7
    made = backups_in(tmp_path)
    assert [each.name for each in made] == [(NOON + timedelta(days=day)).strftime(NAME) for day in (2, 3)]
    assert (tmp_path / "by hand").exists()
    pictures = [{path.name: path.stat().st_ino for path in (each / "media" / "a").iterdir()} for each in made]
    assert pictures[0].items() < pictures[1].items()
    assert len(pictures[1]) == 4


async def test_what_fails_is_no_backup_and_is_tried_again(tmp_path: Path) -> None:
    """After five minutes, not at every look; removals are noted all the while, and nothing older goes."""
    newsroom = Newsroom(tmp_path)
    await newsroom.schedule.turn(NOON, NEVER)
    newsroom.fails = True
    later = NOON + DAY
    not_before = await newsroom.schedule.turn(later, NEVER)
    assert "Postgres is away" in newsroom.said[-1]
    assert [each.name for each in tmp_path.iterdir()] == [NOON.strftime(NAME)]
    newsroom.fails = False
    await newsroom.schedule.turn(later + timedelta(minutes=1), not_before)
    assert len(backups_in(tmp_path)) == 1
    await newsroom.schedule.turn(not_before, not_before)
    assert len(backups_in(tmp_path)) == 2
    assert newsroom.noted == 4
