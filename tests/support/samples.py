"""Updates with everything that an update can have."""

from datetime import timedelta
from typing import Any

from shared.messages import (
    Author,
    Block,
    Change,
    Corroboration,
    EnrichedUpdate,
    FactBox,
    Flags,
    Media,
    Poll,
    PollOption,
    QuestionAnswer,
    Quote,
    Rendition,
    Score,
    Side,
    Tag,
)
from support.revisions import NOON, revision

PLACEHOLDER = "data:image/webp;base64,UklGRhYAAABXRUJQVlA4TAoAAAAvAAAAAP8B/wE="


BLOCKS: tuple[Block, ...] = (
    FactBox(kind="fact-box", title="The gates", facts=("Four, of 1911", "Closed twelve times")),
    Quote(kind="quote", text="It was close.", speaker="Ines Calder", role="harbour master"),
    QuestionAnswer(kind="question-answer", question="When will they open?", asked_by="Jo", answer="At low tide.", answered_by="Ana Ferreira"),
    Score(kind="score",
        title="Vote on a fifth gate", status="live",
        sides=(Side(name="Yes", score="48.1%", detail="12 wards"), Side(name="No", score="51.9%")), note="40% counted",
    ),
    Poll(kind="poll",
        id="fifth-gate", question="Is a fifth gate needed?",
        options=(PollOption(id="yes", label="Yes, soon"), PollOption(id="no", label="No")),
        closes_at=NOON + timedelta(days=36500),
    ),
)  # fmt: skip
"""One of each kind."""


def picture(**fields: Any) -> Media:
    """A picture in two sizes and three types."""
    renditions = tuple(
        Rendition(url=f"/media/ab/abc-{width}.{suffix}", mime_type=mime, width=width, height=width * 2 // 3)
        for width in (320, 960)
        for suffix, mime in (("avif", "image/avif"), ("webp", "image/webp"), ("jpg", "image/jpeg"))
    )
    given: dict[str, Any] = {
        "id": "abc",
        "caption": "The quay at dawn.",
        "credit": "Jo Lindqvist/Wire",
        "alt_text": "A quay under water",
        "width": 960,
        "height": 640,
        "focal_point": (0.2, 0.8),
        "placeholder": PLACEHOLDER,
        "renditions": renditions,
    }
    return Media(**given | fields)


def full(guid: str = "full", number: int = 1, **fields: Any) -> EnrichedUpdate:
    """An update of which no field is empty."""
    given: dict[str, Any] = {
        "headline": "Tide gates closed",
        "body_html": '<p>The gates <a href="https://harbour.example/gates">closed</a> at six.</p><ul><li>All four</li></ul>',
        "text": "The gates closed at six.\n\nAll four",
        "summary": "An hour earlier than planned.",
        "excerpt": "The gates closed at six.",
        "byline": "By Ana Ferreira",
        "credit": "Northern Wire",
        "copyright": "© Northern Wire",
        "located": "Port Ellery",
        "editors_note": "This story develops.",
        "link": "https://wire.example/1",
        "language": "en",
        "urgency": 2,
        "word_count": 7,
        "authors": (
            Author(
                name="Ana Ferreira",
                id="ana",
                slug="ana-ferreira",
                role="Correspondent",
                bio="Writes about rivers.",
                avatar_url="/media/an/ana.jpg",
                url="https://ana.example/",
                links=("https://social.example/@ana", "javascript:alert(1)", "https://ana.example/"),
            ),
            Author(name="A Stringer"),
        ),
        "tags": (
            Tag(code="medtop:20000150", label="Flood", uri="http://cv.iptc.org/newscodes/mediatopic/20000150"),
            Tag(code="place:port-ellery", label="Port Ellery", kind="place"),
            Tag(code="person:calder", label="Ines Calder", kind="person"),
        ),
        "media": (picture(),),
        "blocks": BLOCKS,
        "story": "harbour-flood",
        "story_label": "Harbour flood",
        "corroboration": Corroboration(count=3, sources=("a", "b", "c")),
        "flags": Flags(key_event=True),
        "slug": "tide-gates-closed",
    }
    if number > 1:
        given |= {
            "kind": "correct",
            "updated_at": NOON + timedelta(minutes=number),
            "change": Change(
                fields=("headline",),
                reason="The hour was wrong.",
                diff=(("=", "closed at "), ("-", "five"), ("+", "six")),
            ),
        }
    given |= fields
    tags = given.pop("tags")
    return revision(guid, number, **given).model_copy(update={"tags": tags})
