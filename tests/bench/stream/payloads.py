#!/usr/bin/env python3
"""Generate realistic enriched live-update payloads (~1.2 KiB JSON, one per line).

Each line ends with a fixed-width marker that the load client overwrites in place:

    "~":"GGGGGGGG.FFFFFFFF.TTTTTTTTTTTTTTTTTTT"}

G = global sequence, F = per-feed sequence, T = publish time in ns.  The '~'
character occurs nowhere else in a payload, so the client finds the marker with
a single memchr() and sees it only when the whole event has arrived.
"""

import argparse
import json
import random
from pathlib import Path

MARK = '"~":"00000000.00000000.0000000000000000000"}'

PEOPLE = [
    "Maria Lindqvist",
    "Tomas Okafor",
    "Helena Brandt",
    "Samir Haddad",
    "Ingrid Vos",
    "Daniel Moreau",
    "Aiko Tanabe",
    "Ruth Castellano",
    "Pavel Dvorak",
    "Nadia Rahimi",
]
ORGS = [
    "the transport ministry",
    "the central bank",
    "Northline Rail",
    "the coast guard",
    "the city council",
    "the election commission",
    "Harbour Energy",
    "the health agency",
    "the football association",
    "the supreme court",
]
PLACES = ["Rotterdam", "Gothenburg", "Porto", "Gdansk", "Bilbao", "Antwerp", "Trieste", "Cork", "Lyon", "Tallinn"]
VERBS = [
    "confirmed",
    "denied",
    "announced",
    "warned",
    "said",
    "reported",
    "told reporters",
    "acknowledged",
    "estimated",
    "disclosed",
]
CLAUSES = [
    "that services would resume in stages from Thursday morning",
    "that the vote had been postponed until the recount is complete",
    "that three of the four affected districts now have power again",
    "that rates would stay unchanged through the end of the quarter",
    "that crews had located the vessel about forty nautical miles offshore",
    "that the midfielder will miss the return leg with a knee injury",
    "that prosecutors intend to appeal the ruling before the deadline",
    "that water levels had fallen below the alert threshold overnight",
    "that the merger review will take at least another six weeks",
    "that hospitals should expect a second wave of admissions by the weekend",
]
CONTEXT = [
    "The figures could not be verified independently.",
    "It is the second such statement in less than a week.",
    "Opposition members called for an inquiry within hours.",
    "Markets reacted calmly, with the main index up 0.4 percent.",
    "Residents were asked to avoid the area until further notice.",
    "A full report is expected before the end of the month.",
    "Two earlier deadlines had passed without an agreement.",
    "Our correspondent on the scene described long queues and little information.",
    "The decision affects roughly 180,000 commuters in the region.",
    "Previous estimates had put the cost at twice that amount.",
]
TOPICS = ["politics", "economy", "transport", "weather", "courts", "health", "sport", "energy"]


def make(rng: random.Random, i: int, target: int) -> bytes:
    person, org, place = rng.choice(PEOPLE), rng.choice(ORGS), rng.choice(PLACES)
    lead = f"{person} of {org} {rng.choice(VERBS)} {rng.choice(CLAUSES)}"
    doc = {
        "id": f"upd_{rng.getrandbits(60):015x}",
        "liveblog": f"lb_{rng.getrandbits(40):010x}",
        "rev": rng.randint(1, 6),
        "type": rng.choice(["update", "update", "update", "correction", "flash"]),
        "urgency": rng.randint(1, 5),
        "published_at": f"2025-11-{rng.randint(1, 28):02d}T{rng.randint(0, 23):02d}:"
        f"{rng.randint(0, 59):02d}:{rng.randint(0, 59):02d}.{rng.randint(0, 999):03d}Z",
        "lang": rng.choice(["en", "en", "nl", "de"]),
        "byline": rng.choice(PEOPLE),
        "headline": f"{place}: {org[0].upper() + org[1:]} {rng.choice(VERBS)} new details",
        "summary": lead + ".",
        "entities": [
            {
                "id": f"Q{rng.randint(1000, 9999999)}",
                "type": "person",
                "name": person,
                "salience": round(rng.random(), 3),
            },
            {
                "id": f"Q{rng.randint(1000, 9999999)}",
                "type": "place",
                "name": place,
                "salience": round(rng.random(), 3),
            },
        ],
        "topics": rng.sample(TOPICS, 2),
        "media": {"kind": "image", "src": f"/img/{rng.getrandbits(64):016x}.jpg", "w": 1280, "h": 720},
        "body_html": "",
    }
    room = target - len(json.dumps(doc, separators=(",", ":"))) - len(MARK)
    body = ""
    while len(body) < room:
        body += (
            "<p>" + f"{rng.choice(PEOPLE)} {rng.choice(VERBS)} in {rng.choice(PLACES)} "
            f"{rng.choice(CLAUSES)}. {rng.choice(CONTEXT)}</p>"
        )
    doc["body_html"] = body[:room]
    text = json.dumps(doc, separators=(",", ":"))
    assert "~" not in text
    return (text[:-1] + "," + MARK).encode()


def main() -> None:
    ap = argparse.ArgumentParser()
    ap.add_argument("-o", "--out", default="build/payloads.jsonl")
    ap.add_argument("-n", type=int, default=256)
    ap.add_argument("--bytes", type=int, default=1229)
    a = ap.parse_args()
    rng = random.Random(20251123)
    with Path(a.out).open("wb") as f:
        f.writelines(make(rng, i, a.bytes) + b"\n" for i in range(a.n))


if __name__ == "__main__":
    main()
