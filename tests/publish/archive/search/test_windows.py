"""What is asked of the index: the newest blocks of the log first, through every log that there was, in as few terms as do."""

from publish.archive.search.engine import LAST, in_languages, windows
from publish.archive.search.selection import PLACES, block_mark, config_mark, quoted
from publish.representation.position import Position

BLOCK = 1 << PLACES


def _asked(before: Position, spans: dict[int, tuple[int, int]]) -> list[tuple[list[str], Position]]:
    """The marks of each window, and where it begins."""
    return [
        (query.strip("()").replace("'", "").split(" | ") if query else [], upper)
        for query, upper in windows(before, spans)
    ]


def test_a_new_log_goes_on_in_the_one_before() -> None:
    """After a log was replaced, a common word still costs two blocks, not the whole archive."""
    asked = _asked(LAST, {1: (0, 100 * BLOCK), 2: (0, 5)})
    assert asked[0] == ([block_mark(2, 0), block_mark(1, 100)], LAST)
    assert asked[1] == ([block_mark(1, block) for block in range(99, 91, -1)], Position(1, 100 * BLOCK))
    assert asked[2][1] == Position(1, 92 * BLOCK)
    assert asked[3] == ([], Position(1, 28 * BLOCK))


def test_nothing_is_asked_of_places_that_no_log_had() -> None:
    """Neither after an empty log's end nor before its beginning, nor of a newer log than the one that is asked from."""
    spans = {1: (7 * BLOCK, 9 * BLOCK + 5), 2: (0, -1), 3: (0, BLOCK)}
    assert _asked(Position(2, 3), spans) == [
        ([block_mark(1, 9), block_mark(1, 8)], Position(2, 3)),
        ([block_mark(1, 7)], Position(1, 8 * BLOCK)),
    ]
    assert _asked(Position(1, 8 * BLOCK + 1), spans)[0][0] == [block_mark(1, 8), block_mark(1, 7)]
    assert _asked(LAST, {}) == []


def test_languages_are_asked_for_where_they_differ() -> None:
    """A name is the same in all: nothing more is intersected; a word that one stems another way is asked with its languages."""
    assert in_languages({"english": "'merkel'", "simple": "'merkel'"}) == "('merkel')"
    english, german, simple = (quoted(config_mark(name)) for name in ("english", "german", "simple"))
    asked = in_languages({"english": "'run'", "simple": "'running'", "german": "'running'"})
    assert asked == f"((('run') & ({english})) | (('running') & ({german} | {simple})))"
    assert in_languages({"english": "", "german": "'the'"}) == f"((('the') & ({german})))"
    assert in_languages({"english": "", "german": ""}) == ""
    assert in_languages({}) == ""
