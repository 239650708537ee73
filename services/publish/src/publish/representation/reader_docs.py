"""What each member of an update is, in words, and an example: for the API's description."""

from collections.abc import Mapping

from pydantic import JsonValue

DESCRIPTIONS: Mapping[str, Mapping[str, str]] = {
    "Update": {
        "update_id": "The update's id, the same for ever.",
        "revision": "The number of this revision, from 1; the greater one is the newer one.",
        "kind": "What this revision is: first publication, other words, a correction with its reason, late enrichment, or a pin.",
        "source": "The source that sent it, by its name in the newsroom.",
        "version_created": "When the source made this version.",
        "urgency": "1 (most urgent) to 9, as IPTC has it; null where the source sent none.",
        "language": "Language of the words (BCP 47); may be empty.",
        "direction": "Direction in which the words are read.",
        "headline": "The headline; may be empty.",
        "headline_from_text": "The source sent no headline: the text goes on behind this first sentence.",
        "body_html": "The body as sanitised HTML.",
        "text": "The body as plain text.",
        "summary": "The source's own summary; may be empty.",
        "excerpt": "The beginning of the text.",
        "byline": "The byline as the source wrote it.",
        "credit": "Who is to be credited.",
        "copyright": "The copyright notice.",
        "located": "Where it was written.",
        "digital_source_type": "How the text came to be, by IPTC's vocabulary: `trainedAlgorithmicMedia` was made with AI; empty where nothing is said.",
        "checked": "A person of the newsroom took responsibility for a text that was made with AI.",
        "editors_note": "A note for readers.",
        "link": "The same at the source.",
        "authors": "The byline, resolved.",
        "media": "Pictures and the like that may be shown.",
        "media_pending": "A picture is on its way.",
        "corroboration": "Who else reports the same.",
        "evolved_from": "The update that this one took over from.",
        "read_time_minutes": "Minutes to read it.",
        "word_count": "Words of the text.",
        "slug": "The words of its page's address.",
        "first_published_at": "When it was first published.",
        "updated_at": "When readers were last given other words; null until then.",
        "expires_at": "When it will go out of sight.",
        "passport": "When this revision passed each stage.",
        "tags": "What it is about.",
        "story": "The story that it belongs to.",
        "pinned": "An editor has put it on top.",
        "key_event": "It is a key event of its story.",
        "change": "The last change that was worth telling.",
    },
    "Author": {
        "name": "Name.",
        "id": "Id in the newsroom's directory; null where the name is text alone.",
        "slug": "Names the author's page and channel.",
        "role": "Role in the newsroom.",
        "bio": "A few words about the author.",
        "avatar_url": "A picture.",
        "url": "The author's own page.",
        "links": "Pages elsewhere.",
        "contribution": "What the author did.",
        "located": "Where the author was.",
        "kind": "A person, or an agency or a desk.",
    },
    "Tag": {
        "code": "Its code, for ever: `medtop:…` of IPTC, or one of the newsroom's.",
        "label": "Its name in the site's language.",
        "labels": "Its names by language.",
        "kind": "What kind of thing it is.",
        "uri": "Its address in the vocabulary that it is of.",
        "confidence": "How sure it is, 0 to 1.",
        "origin": "Who or what tagged the update.",
    },
    "Rendition": {
        "url": "Address, of the site or whole.",
        "mime_type": "Media type.",
        "width": "Pixels.",
        "height": "Pixels.",
        "size_bytes": "Bytes.",
    },
    "Media": {
        "id": "Its id within the update.",
        "kind": "What it is.",
        "role": "Where it belongs.",
        "caption": "What is told below it.",
        "credit": "Who is to be credited.",
        "copyright": "The copyright notice.",
        "usage_terms": "How it may be used.",
        "creator": "Who made it.",
        "terms_url": "The page that tells its terms.",
        "licensor_url": "The page where it is to be licensed.",
        "digital_source_type": "How it came to be, by IPTC's vocabulary: `trainedAlgorithmicMedia` was made with AI; empty where nothing is said.",
        "content_credentials": "What its C2PA manifest says; null where it has none.",
        "alt_text": "What it shows, for those who do not see it.",
        "width": "Pixels of the original.",
        "height": "Pixels of the original.",
        "focal_point": "What must stay in sight where it is cropped: x and y, 0 to 1.",
        "placeholder": "A small picture as a data address, to be shown until it has come.",
        "renditions": "Its sizes and types.",
    },
    "Credentials": {
        "state": "`trusted`: whole, and signed by somebody on the newsroom's list; `valid`: whole; `invalid`: altered, or not to be read.",
        "signer": "Whom the signature's certificate names.",
        "signed_at": "When it was signed, where that is said.",
        "tool": "What wrote the manifest: a camera, a program.",
        "actions": "What was done, by C2PA's names.",
        "ingredients": "Of how many others it was made.",
        "embedded": "Whether renditions carry a manifest of their own.",
    },
    "Corroboration": {
        "count": "Publisher families that report the same in words of their own, this one among them.",
        "sources": "Their names.",
        "because": "Why they are thought to be the same.",
    },
    "Passport": {
        "received_at": "When the newsroom received it.",
        "enriched_at": "When it was ready.",
        "published_at": "When it was published.",
    },
    "Change": {
        "fields": "The members that changed.",
        "reason": "Why, in the words of the desk or the source.",
        "diff": "The words: kept (=), taken out (-), put in (+).",
    },
}

EXAMPLE: dict[str, JsonValue] = {
    "update_id": "r3vxd2aqmz5n7yk4tlw6hcb2pe",
    "revision": 2,
    "kind": "correct",
    "source": "northern-wire",
    "version_created": "2026-01-05T06:02:00Z",
    "urgency": 2,
    "language": "en",
    "direction": "ltr",
    "headline": "Tide gates closed at six",
    "headline_from_text": False,
    "body_html": "<p>The gates closed at six.</p>",
    "text": "The gates closed at six.",
    "summary": "An hour earlier than planned.",
    "excerpt": "The gates closed at six.",
    "byline": "By Ana Ferreira",
    "credit": "Northern Wire",
    "copyright": "© Northern Wire",
    "located": "Port Ellery",
    "digital_source_type": "",
    "checked": False,
    "editors_note": "",
    "link": None,
    "authors": [
        {
            "name": "Ana Ferreira", "id": "ana", "slug": "ana-ferreira", "role": "Correspondent", "bio": "Writes about rivers.",
            "avatar_url": None, "url": None, "links": [], "contribution": "writing", "located": None, "kind": "person",
        }
    ],
    "media": [],
    "media_pending": False,
    "corroboration": {"count": 2, "sources": ["northern-wire", "coast-agency"], "because": "the same gates, the same hour"},
    "evolved_from": None,
    "read_time_minutes": 1,
    "word_count": 5,
    "slug": "tide-gates-closed",
    "first_published_at": "2026-01-05T06:00:00Z",
    "updated_at": "2026-01-05T06:02:03Z",
    "expires_at": None,
    "passport": {
        "received_at": "2026-01-05T06:02:02Z", "enriched_at": "2026-01-05T06:02:03Z", "published_at": None,
    },
    "tags": [
        {
            "code": "medtop:20000150", "label": "Flood", "labels": {"de": "Hochwasser"}, "kind": "subject",
            "uri": "http://cv.iptc.org/newscodes/mediatopic/20000150", "confidence": 1.0, "origin": "source",
        }
    ],
    "story": {"id": "harbour-flood", "label": "Harbour flood", "url": "https://news.example/stories/harbour-flood"},
    "pinned": False,
    "key_event": True,
    "closed": False,
    "change": {
        "fields": ["text"], "reason": "The hour was wrong.", "diff": [["=", "The gates closed at "], ["-", "five"], ["+", "six"], ["=", "."]],
    },
    "path": "/updates/r3vxd2aqmz5n7yk4tlw6hcb2pe/tide-gates-closed",
    "url": "https://news.example/updates/r3vxd2aqmz5n7yk4tlw6hcb2pe/tide-gates-closed",
    "position": "1-1042",
    "cursor": "1-1058",
    "removal": None,
}  # fmt: skip
"""Members that a later release adds are not in it until somebody writes them here; the schema has them."""


def described(name: str, schema: dict[str, JsonValue]) -> None:
    """Give every property of the schema of a part of an update a description: its own name in words where there is no better."""
    properties = schema.get("properties")
    assert isinstance(properties, dict)  # noqa: S101 -- for the type checker
    known = DESCRIPTIONS.get(name, {})
    for member, of_member in properties.items():
        if isinstance(of_member, dict) and not of_member.get("description"):
            words = member.replace("_", " ")
            of_member["description"] = known.get(member) or words[:1].upper() + words[1:] + "."
