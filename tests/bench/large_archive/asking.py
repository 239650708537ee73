"""What readers and partners ask of an archive, and how long each answer takes; every address is asked once, so that none is kept."""

import http.client
import random
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

import asyncpg
import psutil

from large_archive.made_copy import EPOCH, LANGUAGES, word
from publish.representation.position import Position


@dataclass(frozen=True)
class Question:
    """Something that is asked, and how long the answer may take for 95 of 100."""

    name: str
    goal_ms: float
    targets: Sequence[str]


@dataclass
class Answered:
    """How long answers took, and the processor time of those who made them."""

    took_ms: list[float] = field(default_factory=list)
    worked_s: float = 0.0

    @property
    def row(self) -> dict[str, float]:
        """For the table."""
        return {
            "p50_ms": statistics.median(self.took_ms),
            "p95_ms": statistics.quantiles(self.took_ms, n=20)[18],
            "cpu_ms": self.worked_s * 1000 / len(self.took_ms),
        }


class Site:
    """A web replica, asked over one connection that stays."""

    def __init__(self, port: int, replica: int, backends: Sequence[int]) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self._processes = [psutil.Process(pid) for pid in (replica, *backends)]

    def worked_s(self) -> float:
        """Processor time of the replica and of its sessions of Postgres so far."""
        times = [process.cpu_times() for process in self._processes if process.is_running()]
        return float(sum(each.user + each.system for each in times))

    def ask(self, target: str) -> float:
        """Milliseconds until the answer is whole; RuntimeError where it is none."""
        began = time.perf_counter()
        self._connection.request("GET", target)
        answer = self._connection.getresponse()
        body = answer.read()
        took = (time.perf_counter() - began) * 1000
        if answer.status != 200:
            raise RuntimeError(f"{target}: {answer.status} {body[:200]!r}")
        return took


PAGE_MS, SEARCH_MS = 10.0, 50.0


async def questions(dsn: str, count: int) -> list[Question]:
    """What is asked, `count` times each, of what is behind a replica's memory."""
    connection = await asyncpg.connect(dsn)
    chosen = random.Random(7)

    async def of(query: str) -> list[asyncpg.Record]:
        rows = await connection.fetch(query)
        return chosen.sample(rows, min(count, len(rows)))

    sampled = "FROM publish.updates TABLESAMPLE SYSTEM (2) WHERE visible AND position_offset IS NOT NULL"
    updates = await of(f"SELECT update_id, log_offset {sampled}")
    if len(updates) < count:
        updates = await of("SELECT update_id, log_offset FROM publish.updates WHERE visible")
    told = {
        kind: [row["channel"] for row in await of(
            f"WITH RECURSIVE c AS ((SELECT channel FROM publish.update_channels WHERE channel >= '{kind}:' ORDER BY channel LIMIT 1) UNION ALL "
            f"SELECT (SELECT n.channel FROM publish.update_channels n WHERE n.channel > c.channel ORDER BY n.channel LIMIT 1) FROM c "
            f"WHERE starts_with(c.channel, '{kind}:')) SELECT channel FROM c WHERE starts_with(channel, '{kind}:')"
        )]
        for kind in ("story", "tag", "author")
    }  # fmt: skip
    await connection.close()
    cursors = [str(Position(EPOCH, row["log_offset"])) for row in updates]
    ids = [row["update_id"] for row in updates]
    names = {kind: [quote(each.partition(":")[2], safe=":") for each in channels] for kind, channels in told.items()}
    channels = [quote(chosen.choice(told[chosen.choice(("story", "tag", "author"))]), safe=":") for _ in cursors]
    words = [word(int(1.4 ** chosen.uniform(0, 30))) for _ in cursors]
    return [
        Question("a page, far back", PAGE_MS, [f"/?before={each}" for each in cursors]),
        Question("the page of an update", PAGE_MS, [f"/updates/{each}/words" for each in ids]),
        Question("the page of a story", PAGE_MS, [f"/stories/{each}" for each in names["story"]]),
        Question("the page of a tag", PAGE_MS, [f"/tags/{each}" for each in names["tag"]]),
        Question("the page of an author", PAGE_MS, [f"/authors/{each}" for each in names["author"]]),
        Question("API: an update", PAGE_MS, [f"/v1/updates/{each}" for each in ids]),
        Question("API: its revisions", PAGE_MS, [f"/v1/updates/{each}/revisions" for each in ids]),
        Question("API: a page, far back", PAGE_MS, [f"/v1/updates?before={each}" for each in cursors]),
        Question("API: a page of a channel, far back", PAGE_MS,
                 [f"/v1/updates?channel={channel}&before={each}" for channel, each in zip(channels, cursors, strict=True)]),
        Question("API: a story", PAGE_MS, [f"/v1/stories/{each}" for each in names["story"]]),
        Question("what followed a cursor, news", PAGE_MS, [f"/v1/since?cursor={each}&limit=20" for each in cursors]),
        Question("what followed a cursor, a channel", PAGE_MS,
                 [f"/v1/since?cursor={each}&channel={channel}&limit=20" for channel, each in zip(channels, cursors, strict=True)]),
        Question("API: filters", SEARCH_MS,
                 [f"/v1/updates?tag={chosen.choice(names['tag'])}&language={chosen.choice(tuple(LANGUAGES))}&before={each}" for each in cursors]),
        Question("search: a word", SEARCH_MS, [f"/v1/search?q={each}&before={cursor}" for each, cursor in zip(words, cursors, strict=True)]),
        Question("search: two words", SEARCH_MS,
                 [f"/v1/search?q={each}+{chosen.choice(words)}&before={cursor}" for each, cursor in zip(words, cursors, strict=True)]),
        Question("the page of a search", SEARCH_MS, [f"/search?q={each}&before={cursor}" for each, cursor in zip(words, cursors, strict=True)]),
    ]  # fmt: skip


def ask_in_turns(sites: Mapping[str, Site], asked: Mapping[str, list[Question]]) -> dict[str, dict[str, Answered]]:
    """Each question of each site, the sites by turns of ten."""
    found: dict[str, dict[str, Answered]] = {}
    for number, question in enumerate(next(iter(asked.values()))):
        answers = found[question.name] = {name: Answered() for name in sites}
        most = max(len(each[number].targets) for each in asked.values())
        for start in range(0, most, 10):
            for name, site in sites.items():
                before = site.worked_s()
                targets = asked[name][number].targets[start : start + 10]
                answers[name].took_ms += [site.ask(target) for target in targets]
                answers[name].worked_s += site.worked_s() - before
        rows = {name: {each: round(value, 1) for each, value in answer.row.items()} for name, answer in answers.items()}
        print(f"  {question.name}: {rows}", flush=True)
    return found
