"""Reading wires: items per second of one core for each format, feeds beside feedparser alone in the same run; and what
it costs to refuse an attack.

    python tests/bench/reading.py [--seconds 2] [--repeats 5]

Documents are made here: an article of 450 words with a picture, names and codes, as agencies send one; a feed holds
thirty entries. Time is the process's own CPU time, so that a busy machine counts less; medians of the repeats with
their spread. `of feedparser` is how many entries are read in the time in which feedparser alone reads one: above 1 is
faster. Each attack of tests/security/documents/attacks.py is refused in a process of its own: the least of three times, and
what the process grew by. Memory is collected as in every process of ours. JSON goes to .local/bench/reading.json.
"""

import argparse
import gc
import io
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import escape
from pathlib import Path
from typing import Any

import feedparser

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests")]

from ingest.formats import ReadRequest, Unreadable, read  # noqa: E402
from security.documents.attacks import ATTACKS  # noqa: E402

RECEIVED_AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
REQUEST = ReadRequest(content_type=None, source="bench", received_at=RECEIVED_AT, original_id="bench", sha256="0" * 64)
START = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
GOALS = {"newsml-g2": 1500, "nitf": 1500, "ninjs-1": 10_000, "ninjs-3": 10_000}
ATTACK_GOALS = {"ms": 100, "megabytes": 50}
FEED_ENTRIES = 30
WORDS = [
    "the",
    "a",
    "of",
    "to",
    "in",
    "and",
    "on",
    "for",
    "with",
    "that",
    "was",
    "were",
    "has",
    "have",
    "said",
    "government",
    "minister",
    "council",
    "budget",
    "report",
    "official",
    "people",
    "police",
    "court",
    "market",
    "shares",
    "rose",
    "fell",
    "percent",
    "year",
    "month",
    "week",
    "city",
    "region",
    "country",
    "company",
    "workers",
    "talks",
    "vote",
    "party",
    "leader",
    "president",
    "statement",
    "plan",
    "cut",
    "raise",
    "deal",
    "agreement",
    "border",
    "water",
    "energy",
    "price",
    "storm",
    "rescue",
    "hospital",
    "school",
    "team",
]
NAMES = (
    "Kyiv",
    "Müller & Söhne",
    "Anna Okonkwo",
    "Region Nord",
    "Lloyd “Bud” Ellery",
    "Åse Lund",
    "Port Council",
    "José",
)


class Copy:
    """One made-up article, written as any of the formats."""

    def __init__(self, number: int) -> None:
        rng = random.Random(number)
        self.number = number
        self.headline = self._sentence(rng, 9)
        self.summary = self._sentence(rng, 24)
        self.paragraphs = [" ".join(self._sentence(rng, 15) for _ in range(2)) for _ in range(15)]
        self.people = rng.sample(NAMES, 4)
        self.codes = [f"{rng.randint(1, 17):02}000000" for _ in range(6)]
        self.moment = (START + timedelta(seconds=number)).isoformat()

    @staticmethod
    def _sentence(rng: random.Random, words: int) -> str:
        said = [*rng.choices(WORDS, k=words), rng.choice(NAMES)]
        return " ".join(said).capitalize() + "."

    @property
    def html(self) -> str:
        """The body as HTML paragraphs."""
        return "".join(f"<p>{escape(one, quote=False)}</p>" for one in self.paragraphs)

    def newsml_g2(self) -> bytes:
        """A newsMessage with one newsItem and an XHTML body."""
        subjects = "".join(
            f'<subject type="cpnat:abstract" qcode="medtop:{code}"><name xml:lang="en">Topic {code}</name></subject>'
            for code in self.codes
        ) + "".join(f'<subject type="cpnat:person"><name>{escape(one)}</name></subject>' for one in self.people)
        return f"""<?xml version="1.0" encoding="UTF-8"?>
<newsMessage xmlns="http://iptc.org/std/nar/2006-10-01/"><header><sent>{self.moment}</sent></header><itemSet>
<newsItem guid="urn:newsml:example.org:{self.number}" version="3" standard="NewsML-G2" standardversion="2.30" xml:lang="en">
<catalogRef href="http://www.iptc.org/std/catalog/catalog.IPTC-G2-Standards_38.xml"/>
<rightsInfo><copyrightHolder literal="Example"/><copyrightNotice>© 2026 Example</copyrightNotice></rightsInfo>
<itemMeta><itemClass qcode="ninat:text"/><provider literal="Example"/><versionCreated>{self.moment}</versionCreated>
<firstCreated>{self.moment}</firstCreated><pubStatus qcode="stat:usable"/><signal qcode="sig:update"/>
<edNote>Adds background.</edNote></itemMeta>
<contentMeta><urgency>4</urgency><located qcode="geo:1"><name>Kyiv</name></located><creator><name>Anna Okonkwo</name></creator>
<language tag="en"/><genre qcode="genre:Current"><name>Current</name></genre>{subjects}<keyword>port</keyword>
<slugline>PORT-{self.number}</slugline><headline>{escape(self.headline)}</headline><by>By Anna Okonkwo</by>
<creditline>Example</creditline><description role="drol:summary">{escape(self.summary)}</description></contentMeta>
<contentSet><inlineXML contenttype="application/xhtml+xml"><html xmlns="http://www.w3.org/1999/xhtml"><head><title/></head>
<body>{self.html}</body></html></inlineXML>
<remoteContent rendition="rnd:highRes" href="https://img.example.org/{self.number}.jpg" contenttype="image/jpeg" width="3000" height="2000" size="400000"/>
</contentSet></newsItem></itemSet></newsMessage>""".encode()

    def nitf(self) -> bytes:
        """A NITF document with DOCTYPE, media and identified content."""
        subjects = "".join(
            f'<tobject.subject tobject.subject.refnum="{code}" tobject.subject.type="Type" tobject.subject.matter="Matter"/>'
            for code in self.codes
        )
        names = "".join(f"<person>{escape(one)}</person>" for one in self.people)
        norm = self.moment.replace("-", "").replace(":", "")
        return f"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE nitf SYSTEM "http://www.nitf.org/IPTC/NITF/3.2/nitf-3-2.dtd">
<nitf version="-//IPTC//DTD NITF 3.2//EN"><head><title>{escape(self.headline)}</title><meta name="slug" content="PORT"/>
<tobject tobject.type="news">{subjects}</tobject><docdata management-status="usable"><doc-id id-string="example-{self.number}" regsrc="EX"/>
<urgency ed-urg="4"/><date.issue norm="{norm}"/><du-key key="PORT-{self.number}" version="2"/>
<doc.copyright year="2026" holder="Example"/><key-list><keyword key="port"/></key-list>
<identified-content>{names}</identified-content></docdata></head>
<body><body.head><hedline><hl1>{escape(self.headline)}</hl1></hedline><byline>By <person>Anna Okonkwo</person><byttl>Staff</byttl></byline>
<distributor>Example</distributor><dateline><location>Kyiv</location></dateline><abstract><p>{escape(self.summary)}</p></abstract></body.head>
<body.content>{self.html}<media media-type="image"><media-reference mime-type="image/jpeg" source="https://img.example.org/{self.number}.jpg" width="3000" height="2000"/>
<media-caption>The port.</media-caption><media-producer>Åse Lund</media-producer></media></body.content></body></nitf>""".encode()

    def ninjs_1(self) -> bytes:
        """ninjs 1.x with a picture among its associations."""
        picture = {
            "uri": f"urn:picture:{self.number}",
            "type": "picture",
            "headline": "The port",
            "description_text": self.summary,
            "byline": "Åse Lund",
            "renditions": {
                name: {
                    "href": f"https://img.example.org/{self.number}-{name}.jpg",
                    "mimetype": "image/jpeg",
                    "width": size,
                    "height": size,
                }
                for name, size in (("original", 3000), ("viewImage", 640), ("thumbnail", 120))
            },
        }
        document = {
            "uri": f"urn:newsml:example.org:{self.number}",
            "type": "text",
            "mimetype": "text/html",
            "version": "3",
            "versioncreated": self.moment,
            "firstcreated": self.moment,
            "pubstatus": "usable",
            "urgency": 4,
            "copyrightholder": "Example",
            "language": "en",
            "headline": self.headline,
            "slugline": f"PORT-{self.number}",
            "byline": "By Anna Okonkwo",
            "located": "Kyiv",
            "description_text": self.summary,
            "body_html": self.html,
            "subject": [
                {"code": code, "scheme": "http://cv.iptc.org/newscodes/mediatopic/", "name": f"Topic {code}"}
                for code in self.codes
            ],
            "person": [{"name": one, "rel": "about"} for one in self.people],
            "associations": {"featuremedia": picture},
        }
        return json.dumps(document, ensure_ascii=False).encode()

    def ninjs_3(self) -> bytes:
        """ninjs 3.x, arrays and camelCase."""
        document = {
            "standard": {
                "name": "ninjs",
                "version": "3.1",
                "schema": "https://www.iptc.org/std/ninjs/ninjs-schema_3.1.json",
            },
            "uri": f"urn:newsml:example.org:{self.number}",
            "type": "text",
            "version": "3",
            "versionCreated": self.moment,
            "firstCreated": self.moment,
            "pubStatus": "usable",
            "urgency": 4,
            "copyrightHolder": "Example",
            "language": "en",
            "headlines": [{"role": "main", "value": self.headline}],
            "descriptions": [{"role": "summary", "contentType": "text/plain", "value": self.summary}],
            "bodies": [{"role": "main", "contentType": "text/html", "value": self.html}],
            "by": "By Anna Okonkwo",
            "located": "Kyiv",
            "subjects": [
                {"uri": f"http://cv.iptc.org/newscodes/mediatopic/{code}", "name": f"Topic {code}"}
                for code in self.codes
            ],
            "people": [{"name": one, "rel": "about"} for one in self.people],
            "associations": [
                {
                    "name": "main",
                    "uri": f"urn:picture:{self.number}",
                    "type": "picture",
                    "descriptions": [{"role": "caption", "value": self.summary}],
                    "renditions": [
                        {
                            "name": name,
                            "href": f"https://img.example.org/{self.number}-{name}.jpg",
                            "contentType": "image/jpeg",
                            "width": size,
                            "height": size,
                        }
                        for name, size in (("original", 3000), ("viewImage", 640), ("thumbnail", 120))
                    ],
                }
            ],
        }
        return json.dumps(document, ensure_ascii=False).encode()

    def native(self) -> bytes:
        """Slugline's own JSON."""
        document = {
            "guid": f"urn:example:{self.number}",
            "version_created": self.moment,
            "headline": self.headline,
            "body_html": self.html,
            "summary": self.summary,
            "byline": "By Anna Okonkwo",
            "subjects": [{"code": f"medtop:{code}"} for code in self.codes],
            "media": [
                {"url": f"https://img.example.org/{self.number}.jpg", "caption": self.summary, "credit": "Åse Lund"}
            ],
        }
        return json.dumps(document, ensure_ascii=False).encode()


def rss(number: int) -> bytes:
    """A feed of thirty entries with full text and a picture each."""
    entries = "".join(
        f"<item><title>{escape(one.headline)}</title><link>https://example.org/{one.number}</link>"
        f'<guid isPermaLink="false">example-{one.number}</guid><pubDate>Mon, 23 Nov 2026 09:00:00 +0000</pubDate>'
        f"<dc:creator>Anna Okonkwo</dc:creator><category>port</category><description>{escape(one.summary)}</description>"
        f"<content:encoded><![CDATA[{one.html}]]></content:encoded>"
        f'<media:content url="https://img.example.org/{one.number}.jpg" medium="image"><media:description>The port.</media:description>'
        f"<media:credit>Åse Lund</media:credit></media:content></item>"
        for one in (Copy(number * FEED_ENTRIES + place) for place in range(FEED_ENTRIES))
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/"><channel><title>Wire</title>'
        f"<link>https://example.org/</link>{entries}</channel></rss>"
    ).encode()


def atom(number: int) -> bytes:
    """The same as Atom."""
    entries = "".join(
        f"<entry><title>{escape(one.headline)}</title><link href='https://example.org/{one.number}'/><id>tag:example.org,{one.number}</id>"
        f"<updated>{one.moment}</updated><author><name>Anna Okonkwo</name></author><summary>{escape(one.summary)}</summary>"
        f"<content type='html'>{escape(one.html)}</content></entry>"
        for one in (Copy(number * FEED_ENTRIES + place) for place in range(FEED_ENTRIES))
    )
    return (
        f'<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>Wire</title>{entries}</feed>'.encode()
    )


def ours(body: bytes) -> int:
    """The updates of a document, as ingest reads it: the format is recognised."""
    return len(read(body, REQUEST).updates)


def feedparser_alone(body: bytes) -> int:
    """The same by feedparser as it comes."""
    return len(feedparser.parse(io.BytesIO(body)).entries)


def rate(work: Callable[[bytes], int], bodies: list[bytes], seconds: float) -> float:
    """Items per second of CPU."""
    items = 0
    begin = time.process_time()
    while (spent := time.process_time() - begin) < seconds:
        for body in bodies:
            items += work(body)
    return items / spent


def measure(seconds: float, repeats: int) -> list[dict[str, Any]]:
    """Every format, in turns, so that a slow minute of the machine meets all of them."""
    copies = [Copy(number) for number in range(50)]
    cases: dict[str, tuple[Callable[[bytes], int], list[bytes]]] = {
        "native": (ours, [one.native() for one in copies]),
        "ninjs-1": (ours, [one.ninjs_1() for one in copies]),
        "ninjs-3": (ours, [one.ninjs_3() for one in copies]),
        "newsml-g2": (ours, [one.newsml_g2() for one in copies]),
        "nitf": (ours, [one.nitf() for one in copies]),
        "rss": (ours, [rss(number) for number in range(5)]),
        "rss, feedparser alone": (feedparser_alone, [rss(number) for number in range(5)]),
        "atom": (ours, [atom(number) for number in range(5)]),
        "atom, feedparser alone": (feedparser_alone, [atom(number) for number in range(5)]),
    }
    found: dict[str, list[float]] = {name: [] for name in cases}
    for work, bodies in cases.values():
        work(bodies[0])
    for _ in range(repeats):
        for name, (work, bodies) in cases.items():
            found[name].append(rate(work, bodies, seconds))
    return [
        {
            "case": name,
            "items_per_s": round(statistics.median(rates)),
            "lowest": round(min(rates)),
            "highest": round(max(rates)),
            "bytes_per_document": round(statistics.mean(len(body) for body in cases[name][1])),
            "goal": GOALS.get(name),
        }
        for name, rates in found.items()
    ]


def attacks() -> list[dict[str, Any]]:
    """What it costs to refuse each attack."""
    rows = []
    for name in ATTACKS:
        told = subprocess.run(
            [sys.executable, __file__, "--attack", name], check=True, capture_output=True, timeout=120
        ).stdout
        rows.append({"case": name, **json.loads(told)})
    return rows


def attack(name: str) -> dict[str, Any]:
    """What it costs this process to refuse one; what readers load at their first document is loaded before."""
    for warm in (
        b'<rss version="2.0"><channel><item/></channel></rss>',
        b"<nitf/>",
        b'{"uri":"a"}',
        Copy(1).newsml_g2(),
    ):
        refused_as(warm)
    body = ATTACKS[name]()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    times = []
    for _ in range(3):
        begin = time.perf_counter()
        code = refused_as(body)
        times.append(time.perf_counter() - begin)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return {"bytes": len(body), "ms": round(min(times) * 1000, 1), "megabytes": round(grown / 1024, 1), "code": code}


def refused_as(body: bytes) -> str:
    """The code of the reason for which a document was refused; empty for one that was not."""
    try:
        found = read(body, REQUEST)
    except Unreadable as failure:
        return failure.code
    return "" if found.updates or not found.refused else found.refused[0].code


def main() -> int:
    """Measure, print, keep."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seconds", type=float, default=1.0, help="CPU seconds of each measurement")
    arguments.add_argument("--repeats", type=int, default=5)
    arguments.add_argument("--attack", help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.attack:
        print(json.dumps(attack(given.attack)))
        return 0
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    refusals = attacks()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    rows = measure(given.seconds, given.repeats)
    by_case = {row["case"]: row for row in rows}
    for kind in ("rss", "atom"):
        alone = by_case[f"{kind}, feedparser alone"]["items_per_s"]
        by_case[kind]["goal"] = alone
        by_case[kind]["of_feedparser"] = round(by_case[kind]["items_per_s"] / alone, 2)
    print(f"{'reading':<24}{'items/s':>10}{'lowest':>10}{'highest':>10}{'goal':>10}{'bytes':>10}{'of feedparser':>16}")
    for row in rows:
        goal = row["goal"] or ""
        print(
            f"{row['case']:<24}{row['items_per_s']:>10}{row['lowest']:>10}{row['highest']:>10}{goal:>10}{row['bytes_per_document']:>10}{row.get('of_feedparser', ''):>16}"
        )
    print(
        f"\n{'refusing':<36}{'ms':>8}{'MB':>8}  as      (goal: {ATTACK_GOALS['ms']} ms, {ATTACK_GOALS['megabytes']} MB)"
    )
    for row in sorted(refusals, key=lambda row: row["ms"], reverse=True):
        print(f"{row['case']:<36}{row['ms']:>8}{row['megabytes']:>8}  {row['code']}")
    target = ROOT / ".local" / "bench" / "reading.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(
        json.dumps(
            {
                "measured_at": datetime.now(UTC).isoformat(),
                "unit": "items per CPU second",
                "rows": rows,
                "attacks": refusals,
            },
            indent=2,
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
