"""Copy as years of a newsroom leave it, and how it is archived: in SQL alone, so that a million updates take minutes.

An update is one of `TEXTS` texts under a name, a time, a story, tags and authors of its own. What is drawn is drawn by the number of
the update, so that it is the same each time.
"""

import itertools
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from shared.kafka.cloudevents import value_of
from shared.messages import EnrichedUpdate, Passport, Tag
from shared.messages.enriched import Author

EPOCH = 1
BEGUN = datetime(2021, 1, 1, tzinfo=UTC)
YEARS = timedelta(days=5 * 365)
VOCABULARY = 30_000
TEXTS = 20_000
SOURCES = 12
LANGUAGES = {"en": "english", "en-GB": "english", "de": "german", "uk": "simple", "fr": "french", "es": "spanish"}
REVISED_OF, REMOVED_OF = 4, 100
"""One of so many has a second revision, with another headline; of one of so many it is its withdrawal."""
ON_ONE_STORY = 40
"""Updates, on average; a fifth of all are on none."""
STORIES_AT_ONCE = 20
TAGS, AUTHORS = 400, 800
REVISED_AFTER = 10
"""Groups of `REVISED_OF` updates between an update and its second revision."""


def last_offset(count: int) -> int:
    """Where the log of so many updates ends."""
    return ((count - 1) // REVISED_OF + REVISED_AFTER) * (REVISED_OF + 1) + REVISED_OF


def word(number: int) -> str:
    """The word of a rank: letters that no stemmer knows."""
    letters = ""
    while number >= 0:
        letters = "abcdefghijklmnopqrstuvwxyz"[number % 26] + letters
        number = number // 26 - 1
    return f"x{letters}q"


def texts() -> Iterator[tuple[int, str]]:
    """Texts of 40 to 120 words, drawn as words of a language are (by Zipf's law)."""
    chosen = random.Random(1)
    words = [word(number) for number in range(VOCABULARY)]
    weights = list(itertools.accumulate(1 / (rank + 1) for rank in range(VOCABULARY)))
    for number in range(TEXTS):
        yield number, " ".join(chosen.choices(words, cum_weights=weights, k=chosen.randint(40, 120)))


def template(revision: int, *, removed: bool = False) -> str:
    """The JSON of a revision, as the log has it, for the arguments of `_DATA`."""
    words = {} if removed else {
        "headline": "@headline@", "text": "@text@", "body_html": "<p>@text@</p>", "excerpt": "@headline@", "byline": "By @writer@",
        "tags": (Tag(code="@tag@", label="@tag@"), Tag(code="@place@", label="@place@")),
        "authors": (Author(name="@writer@", id="@writer@", slug="@writer@"),), "story_label": "@story@", "slug": "words",
    }  # fmt: skip
    update = EnrichedUpdate(
        update_id="a" * 26, revision=revision, kind="kill" if removed else "publish" if revision == 1 else "update",
        removal="withdrawn" if removed else None, source="@source@", guid="@guid@", language="@language@", urgency=4,
        path=f"/updates/{'a' * 26}/words", story="@story@", word_count=80, fingerprint="@number@", first_published_at=BEGUN,
        updated_at=BEGUN if revision > 1 else None, passport=Passport(received_at=BEGUN, enriched_at=BEGUN, published_at=BEGUN), **words,
    )  # fmt: skip
    made = (
        value_of(update).decode().replace("%", "%%").replace("a" * 26, "%1$s").replace("2021-01-01T00:00:00Z", "%2$s")
    )
    # Of an update on no story: null.
    made = made.replace('"story":"@story@"', '"story":%3$s').replace("@story@", "%4$s")
    for place, name in enumerate(
        ("headline", "text", "source", "guid", "language", "number", "tag", "place", "writer"), 5
    ):
        made = made.replace(f"@{name}@", f"%{place}$s")
    return made


_SLOTS = REVISED_OF + 1
UPDATES = f"""
CREATE UNLOGGED TABLE bench_updates AS
SELECT n, (n / {REVISED_OF} * {_SLOTS} + n % {REVISED_OF})::bigint AS log_offset,
  translate(left(encode(sha256(n::text::bytea), 'hex'), 26), '0189', 'wxyz') AS update_id,
  timestamptz '{BEGUN.isoformat()}' + n / $count::float8 * interval '{YEARS.total_seconds()} s' AS at,
  abs(hashint4(n)) % {TEXTS} AS text, 'wire-' || n % {SOURCES} AS source,
  CASE WHEN abs(hashint4(n + 1)) % 5 > 0 THEN 'story-' || greatest(n / {ON_ONE_STORY} - abs(hashint4(n + 2)) % {STORIES_AT_ONCE}, 0) END AS story,
  ('{{{",".join(LANGUAGES)}}}'::text[])[1 + abs(hashint4(n + 3)) % {len(LANGUAGES)}] AS language,
  -- The first of a kind are written about far more often than the last.
  'topic:' || floor({TAGS} ^ (abs(hashint4(n + 4)) % 10000 / 10000.0))::int AS tag,
  'place:' || floor({TAGS} ^ (abs(hashint4(n + 5)) % 10000 / 10000.0))::int AS place,
  'writer-' || floor({AUTHORS} ^ (abs(hashint4(n + 6)) % 10000 / 10000.0))::int AS writer,
  CASE WHEN n % {REVISED_OF} = 0 THEN ((n / {REVISED_OF} + {REVISED_AFTER}) * {_SLOTS} + {REVISED_OF})::bigint END AS revised_at,
  n % {REMOVED_OF} = 2 * {REVISED_OF} AS removed
FROM generate_series(0, $count - 1) n
"""
_CHANNELS = (
    "array_remove(ARRAY['news', 'source:' || b.source, 'update:' || b.update_id, 'tag:' || b.tag, 'tag:' || b.place, "
    "'author:' || b.writer, 'story:' || b.story], NULL)"
)
_TIME = "to_char(b.at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"


def _data(revision: int, *, removed: bool = False) -> str:
    made = template(revision, removed=removed).replace("'", "''")
    headline = "left(t.text, 70)" if revision == 1 else "left(t.text, 70) || ' again'"
    return (
        f"convert_to(format('{made}', b.update_id, {_TIME}, coalesce('\"' || b.story || '\"', 'null'), b.story, {headline}, t.text, b.source, "
        "'g' || b.n, b.language, b.n, b.tag, b.place, b.writer), 'UTF8')"
    )


_CURRENT = (
    f"CASE WHEN b.revised_at IS NULL THEN {_data(1)} WHEN b.removed THEN {_data(2, removed=True)} ELSE {_data(2)} END"
)
_FROM = "FROM bench_updates b JOIN bench_texts t ON t.n = b.text"
_CONFIG = "CASE b.language " + " ".join(f"WHEN '{each}' THEN '{config}'" for each, config in LANGUAGES.items()) + " END"
_MARKS = (
    f"array_remove({_CHANNELS}, 'news') || ARRAY['kind:' || CASE WHEN b.revised_at IS NULL THEN 'publish' ELSE 'update' END, "
    "to_char(b.at AT TIME ZONE 'UTC', '\"year:\"YYYY'), to_char(b.at AT TIME ZONE 'UTC', '\"month:\"YYYY-MM'), "
    "to_char(b.at AT TIME ZONE 'UTC', '\"day:\"YYYY-MM-DD'), 'language:' || lower(b.language), "
    f"'language:' || left(b.language, 2), 'urgency:4', 'place:{EPOCH}.' || b.log_offset / 8192, 'config:' || {_CONFIG}]"
)
FILL = (
    f"""
    INSERT INTO publish.revisions (update_id, revision, epoch, log_offset, kind, removal, channels, data, written_at)
    SELECT b.update_id, 1, {EPOCH}, b.log_offset, 'publish', NULL, {_CHANNELS}, {_data(1)}, b.at {_FROM} ORDER BY b.n
    """,
    f"""
    INSERT INTO publish.revisions (update_id, revision, epoch, log_offset, kind, removal, channels, data, written_at)
    SELECT b.update_id, 2, {EPOCH}, b.revised_at, CASE WHEN b.removed THEN 'kill' ELSE 'update' END,
      CASE WHEN b.removed THEN 'withdrawn' END, {_CHANNELS}, {_CURRENT}, b.at {_FROM} WHERE b.revised_at IS NOT NULL ORDER BY b.n
    """,
    f"""
    INSERT INTO publish.updates (update_id, revision, epoch, log_offset, position_epoch, position_offset, visible, final, removal,
      source, story, channels, first_published_at, updated_at, data)
    SELECT b.update_id, CASE WHEN b.revised_at IS NULL THEN 1 ELSE 2 END, {EPOCH}, coalesce(b.revised_at, b.log_offset), {EPOCH}, b.log_offset,
      NOT b.removed, false, CASE WHEN b.removed THEN 'withdrawn' END, b.source, b.story, {_CHANNELS}, b.at,
      CASE WHEN b.revised_at IS NOT NULL THEN b.at END, {_CURRENT} {_FROM} ORDER BY b.n
    """,
    f"""
    INSERT INTO publish.update_channels SELECT c, {EPOCH}, b.log_offset, b.update_id FROM bench_updates b, unnest({_CHANNELS}) AS c
    WHERE NOT b.removed AND c <> 'news' AND NOT starts_with(c, 'update:') ORDER BY c, b.log_offset
    """,
    f"""
    INSERT INTO publish.channel_log SELECT c, {EPOCH}, o FROM bench_updates b, unnest({_CHANNELS}) AS c,
      unnest(array_remove(ARRAY[b.log_offset, b.revised_at], NULL)) AS o
    WHERE c <> 'news' AND NOT starts_with(c, 'update:') ORDER BY c, o
    """,
    "INSERT INTO publish.stories (story, started_at) SELECT story, min(at) FROM bench_updates WHERE story IS NOT NULL GROUP BY story",
    f"""
    INSERT INTO publish.search_index
    SELECT b.update_id, CASE WHEN b.revised_at IS NULL THEN 1 ELSE 2 END, {EPOCH}, b.log_offset, b.at, {_CONFIG},
      to_tsvector(({_CONFIG})::regconfig, left(t.text, 70) || CASE WHEN b.revised_at IS NULL THEN E'\nBy ' ELSE E' again\nBy ' END || b.writer)
      || w.words || array_to_tsvector(ARRAY(SELECT chr(1) || mark FROM unnest({_MARKS}) AS mark WHERE NOT starts_with(mark, 'update:')))
    {_FROM} JOIN bench_words w ON w.n = b.text AND w.config = {_CONFIG} WHERE NOT b.removed ORDER BY b.n
    """,
    f"INSERT INTO publish.search_configs SELECT unnest('{{{','.join(sorted(set(LANGUAGES.values())))}}}'::text[])",
)
"""What is archived of them, a table each."""
WORDS = f"""
CREATE UNLOGGED TABLE bench_words AS SELECT t.n, c.config, to_tsvector(c.config::regconfig, t.text) AS words
FROM bench_texts t, unnest('{{{",".join(sorted(set(LANGUAGES.values())))}}}'::text[]) AS c (config)
"""
