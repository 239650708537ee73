"""What an operator has made again is told to nobody, unless it takes something out of sight."""

import pytest

from publish.archive.queries import Archived
from publish.push.delivery.notice import Notice
from publish.push.notifier import SILENT, told_by
from publish.representation.position import Position
from publish.representation.reader_update import reader_update
from shared.messages import EnrichedUpdate
from support.revisions import revision


def notice(update: EnrichedUpdate, *, republished: bool) -> Notice:
    """A revision on its way to the channels."""
    place = Position(1, update.revision)
    return Notice(
        Archived(reader_update(update, cursor=place, position=place), frozenset({"news"})),
        True,
        republished=republished,
    )


@pytest.mark.parametrize("channel", ["webhooks", "feeds", "alerts"])
def test_a_republish_is_told_to_nobody(channel: str) -> None:
    """Nothing has happened: a partner and a reader hear of what was published, and of what is taken out of sight."""
    again, news = notice(revision("a", 2), republished=True), notice(revision("b"), republished=False)
    gone = notice(revision("c", 2, removal="killed"), republished=True)
    assert told_by(channel, [again, news, gone]) == [news, gone]


@pytest.mark.parametrize("channel", SILENT)
def test_stores_take_everything(channel: str) -> None:
    """A shared cache that kept the text of before would show it until its time is over."""
    again = notice(revision("a", 2), republished=True)
    assert told_by(channel, [again]) == [again]
