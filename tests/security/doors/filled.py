"""An archive with one of everything that readers can ask for: stories, authors, tags, a translation, a poll, a correction, a kill."""

from dataclasses import dataclass
from typing import Any

import httpx

from security.doors.running import Doors
from support.waiting import eventually

POLL = {
    "kind": "poll", "id": "gate", "question": "Is a gate needed?",
    "options": [{"id": "yes", "label": "Yes"}, {"id": "no", "label": "No"}],
}  # fmt: skip
STORY: dict[str, Any] = {
    "guid": "one", "headline": "The gates were closed", "language": "en", "story": "gates", "byline": "By Ada Quill", "located": "Oslo",
    "body_html": '<p>At six.</p><p><a href="https://video.example/">x</a></p>', "keywords": ["Tides"], "urgency": 2,
    "blocks": [POLL, {"kind": "quote", "text": "It was close.", "speaker": "I. Calder"}],
}  # fmt: skip
UPDATES: tuple[dict[str, Any], ...] = (
    STORY,
    {**STORY, "guid": "two", "headline": "Die Tore sind zu", "language": "de", "translation_of": "one", "blocks": []},
    {**STORY, "headline": "The gates were closed at seven", "version": "2", "signal": "correction"},
    {"guid": "three", "headline": "\u202eBidi \u2067and <b>tags</b> &amp; a\u0301", "body_html": "<p>" + "w\u00f6rd " * 5000 + "</p>", "story": "a/b?c#d%2f"},
    {"guid": "four", "headline": "To be killed", "story": "gates", "body_html": "<p>Secret.</p>"},
    {"guid": "four", "status": "canceled", "version": "2"},
    {"guid": "five", "headline": "Held", "embargo_until": "2099-01-01T00:00:00Z"},
)  # fmt: skip


@dataclass(frozen=True)
class Known:
    """What is there, by the parameter that names it."""

    shown: str
    translation: str
    killed: str
    embargoed: str

    def values(self, name: str) -> tuple[str, ...]:
        """What a parameter of a path may be."""
        return {
            "update_id": (self.shown, self.translation, self.killed, self.embargoed),
            "id": (self.shown, self.killed, self.embargoed),
            "story": ("gates", "a-b-c-d-2f", "nothing"),
            "poll": ("gate", "nothing"),
            "form": ("json", "rss", "atom", "ninjs", "jsonfeed"),
            "slug": ("ada-quill", "nothing"),
            "kind": ("stories", "tags", "authors"),
            "name": ("gates", "ada-quill"),
            "source": ("desk", "wire"),
        }.get(name, ("nothing",))


async def filled(doors: Doors) -> Known:
    """Send it all, and wait for readers to have it."""
    ids: dict[str, str] = {}
    headers = {"Authorization": f"Bearer {doors.keys['ingest']['desk']}"}
    async with httpx.AsyncClient(timeout=30) as client:
        for update in UPDATES:
            answer = await client.post(f"{doors.url('ingest')}/v1/updates", json=update, headers=headers)
            assert answer.status_code == 202, answer.text
            ids[update["guid"]] = answer.json()["results"][0]["id"]

        async def statuses() -> list[int]:
            return [
                (await client.get(f"{doors.url('web')}/v1/updates/{ids[guid]}")).status_code
                for guid in ("one", "two", "three", "four", "five")
            ]

        await eventually(statuses, lambda seen: seen == [200, 200, 200, 410, 404], within_s=60, what="not published")
    return Known(ids["one"], ids["two"], ids["four"], ids["five"])
