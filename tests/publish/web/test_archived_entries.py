"""What is kept of updates that the archive gave."""

from dataclasses import replace

from publish.web.archive_client import ArchivedEntries
from support.revisions import read, revision


def test_the_same_update_is_rendered_once() -> None:
    """As long as the archive gives the very same: another revision, or another last change, is another entry."""
    entries = ArchivedEntries()
    first = entries.entry(read(revision("a")))
    first.made["item"] = b"<li>"
    assert entries.entry(read(revision("a"))) is first
    changed = replace(read(revision("a")), change=replace(first.update.change, reason="a slip"))
    assert entries.entry(changed).made == {}
    assert entries.entry(read(revision("a", 2))).made == {}
    assert entries.entry(read(revision("a"))) is not first


def test_the_one_that_was_asked_for_longest_ago_goes_first() -> None:
    """Bounded, whatever is asked for."""
    entries = ArchivedEntries(2)
    a, b = entries.entry(read(revision("a"))), entries.entry(read(revision("b")))
    assert entries.entry(read(revision("a"))) is a
    entries.entry(read(revision("c")))
    assert entries.entry(read(revision("a"))) is a
    assert entries.entry(read(revision("b"))) is not b
