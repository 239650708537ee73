"""What the API answers with, as models and schemas, each with an example."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, WithJsonSchema

from publish.representation.reader_docs import EXAMPLE
from shared.http.openapi import JsonObject, ref

CURSOR: JsonObject = {
    "type": "string",
    "pattern": "^[0-9]+--?[0-9]+$",
    "description": "`epoch-offset`; opaque to clients.",
    "examples": ["1-1042"],
}
Cursor = Annotated[str, WithJsonSchema(CURSOR)]
Url = Annotated[str, WithJsonSchema({"type": "string", "format": "uri"})]
Update = Annotated[object, WithJsonSchema(ref("Update"))]
Removed = Literal["killed", "taken-down", "withdrawn", "expired", "superseded"]


class Answer(BaseModel):
    """An answer: it may have more members in a later release."""

    model_config = ConfigDict(extra="forbid")


class Page(Answer):
    """A page of a channel."""

    updates: list[Update] = Field(description="Newest position first; with `fields`, those members alone.")
    channel: str = Field(description="The channel: what streams and feeds of the same updates are named by.")
    next: Cursor | None = Field(description="`before` of the next page; null on the last.")
    cursor: Cursor = Field(description="Where the stream goes on from this page without a hole.")


class NinjsPage(Answer):
    """A page of a channel in ninjs 3.1, and what was canceled of it."""

    items: list[dict[str, object]] = Field(
        description="Items, newest position first. One whose `pubStatus` is `canceled` must be taken out everywhere."
    )
    channel: str = Field(description="The channel.")
    next: Cursor | None = Field(description="`before` of the next page; null on the last.")
    next_url: Url | None = Field(description="The address of the next page.")
    cursor: Cursor = Field(description="Where the stream goes on from this page without a hole.")


class Revisions(Answer):
    """What readers were given of an update."""

    revisions: list[Update] = Field(
        description="First to last; the `change` of each has the words that changed. Of more than eight megabytes the last."
    )


class Newest(Answer):
    """The newest update of a story."""

    update_id: str = Field(description="Its id.")
    headline: str = Field(description="Its headline.")
    first_published_at: str = Field(description="When it was first published.")
    position: Cursor = Field(description="Its place.")


class Story(Answer):
    """A story of the newest updates."""

    id: str = Field(description="Names its page and its channel.")
    label: str = Field(description="What it is called; may be empty.")
    url: Url = Field(description="Its page.")
    updates: int = Field(description="How many of the newest updates belong to it.")
    closed: bool = Field(description="Its coverage is over.")
    corroboration: int = Field(description="Independent newsrooms that tell it.")
    newest: Newest = Field(description="Its newest update.")


class Stories(Answer):
    """The stories of the newest updates."""

    stories: list[Story] = Field(description="That with the newest update first.")
    cursor: Cursor = Field(description="Where the stream of everything goes on.")


class StoryDetail(Answer):
    """A story with its key events."""

    id: str = Field(description="Names its page and its channel.")
    label: str = Field(description="What it is called.")
    standfirst: str = Field(description="What editors say of it in a sentence or two; may be empty.")
    summary: list[str] = Field(description="What is known by now, point by point; may be empty.")
    began_at: str = Field(description="When its first update was published.")
    url: Url = Field(description="Its page.")
    closed: bool = Field(description="Its coverage is over.")
    closed_at: str | None = Field(description="When it ended.")
    corroboration: int = Field(description="Independent newsrooms that tell it.")
    channel: str = Field(description="Its channel, for streams and pages.")
    cursor: Cursor = Field(description="Where the stream of this channel goes on.")
    key_events: list[Update] = Field(description="Its key events, newest first, at most a hundred.")


class TagDetail(Answer):
    """Something that updates are about."""

    code: str = Field(description="Its code, for ever.")
    label: str = Field(description="Its name.")
    labels: dict[str, str] = Field(description="Its names by language.")
    kind: str = Field(description="What kind of thing it is.")
    uri: str | None = Field(description="Its address in the vocabulary that it is of.")
    url: Url = Field(description="Its page.")
    updates: int | None = Field(default=None, description="How many of the newest updates have it; in lists.")
    channel: str | None = Field(default=None, description="Its channel; not in lists.")
    cursor: Cursor | None = Field(default=None, description="Where the stream of this channel goes on; not in lists.")


class TranslationDetail(Answer):
    """The same update in one language."""

    update_id: str = Field(description="Its id.")
    language: str = Field(description="Its language (BCP 47).")
    url: Url = Field(description="Its page.")
    title: str = Field(description="What it is called.")
    is_original: bool = Field(description="Whether the others are translations of it.")
    stale: bool = Field(description="The original was given other words, or withdrawn, since this one was written.")
    modified_at: AwareDatetime = Field(description="When it was last given other words.")


class Translations(Answer):
    """The same update in several languages."""

    original: str = Field(description="The id of the original.")
    original_withdrawn: bool = Field(description="The original is out of sight.")
    translations: list[TranslationDetail] = Field(
        description="The original first, then by language; empty where there is no other language."
    )


class PollResults(Answer):
    """How a poll stands."""

    poll: str = Field(description="The id of the poll.")
    open: bool = Field(description="Whether votes are taken.")
    closes_at: AwareDatetime | None = Field(description="No vote is taken from then on.")
    total: int = Field(description="How many have voted.")
    votes: dict[str, int] = Field(description="How many for each option, by its id.")


class Tags(Answer):
    """The tags of the newest updates."""

    tags: list[TagDetail] = Field(description="The most frequent first.")
    cursor: Cursor = Field(description="Where the stream of everything goes on.")


class AuthorDetail(Answer):
    """Somebody who writes updates."""

    slug: str = Field(description="Names the author's page and channel.")
    name: str = Field(description="Name.")
    kind: Literal["person", "organisation"] = Field(description="A person, or an agency or a desk.")
    role: str | None = Field(description="Role in the newsroom.")
    bio: str | None = Field(description="A few words about the author.")
    avatar_url: str | None = Field(description="A picture.")
    links: list[str] = Field(description="Pages elsewhere.")
    url: Url = Field(description="The author's page here.")
    updates: int | None = Field(default=None, description="How many of the newest updates are the author's; in lists.")
    channel: str | None = Field(default=None, description="The author's channel; not in lists.")
    cursor: Cursor | None = Field(default=None, description="Where the stream of this channel goes on; not in lists.")


class Authors(Answer):
    """The authors of the newest updates."""

    authors: list[AuthorDetail] = Field(description="The most frequent first.")
    cursor: Cursor = Field(description="Where the stream of everything goes on.")


class Highlights(Answer):
    """HTML in which nothing stands but text and `<mark>`."""

    title: str = Field(description="The headline with what was found.")
    excerpt: str = Field(description="A part of the text with what was found.")


class SearchResult(Answer):
    """An update that was found."""

    update: Annotated[object, WithJsonSchema({"allOf": [ref("Update")], "description": "The update as it is now."})]
    highlights: Highlights = Field(description="Where the words are.")


class SearchResults(Answer):
    """What was found, newest first."""

    results: list[SearchResult] = Field(description="The results.")
    q: str = Field(description="What was looked for.")
    next: Cursor | None = Field(description="`before` of the next page; null on the last.")
    complete: bool = Field(description="False while older updates are still being indexed.")


class Removal(BaseModel):
    """An update is out of sight: take it out, whatever you had of it. It has no words."""

    update_id: str = Field(description="The update.")
    revision: int = Field(description="The number of this revision.")
    kind: str = Field(description="`kill`.")
    removal: Removed = Field(description="Why. `killed` and `taken-down` are final.")
    path: str = Field(description="The page that it had.")
    cursor: Cursor = Field(description="The place of this revision.")
    passport: dict[str, object] = Field(description="When this revision passed each stage.")


class Reset(BaseModel):
    """The stream cannot be continued from where you were: fetch the snapshots, then follow on from `cursor`."""

    reason: Literal["expired", "epoch", "ahead", "gap", "slow", "unknown-cursor", "broken"] = Field(
        description="`expired`: more was missed than is replayed. `epoch`: the log was replaced. `ahead`: the cursor is not "
        "of this newsroom. `gap`: what was missed is unknown. `slow`: the connection takes too little, and ends. "
        "`unknown-cursor`: it could not be read. `broken`: one event cannot be shown."
    )
    snapshot: str = Field(description="Path of the snapshot of the channel; of several, the first.")
    snapshots: list[str] = Field(default=[], description="Paths of all, where several channels are followed.")
    cursor: Cursor | None = Field(default=None, description="Where the stream goes on; absent where it ends.")


class Events(BaseModel):
    """What followed a cursor."""

    cursor: Cursor = Field(description="The next question's cursor.")
    more: bool = Field(description="There is more already: ask again at once.")
    events: list[Annotated[object, WithJsonSchema(ref("Event"))]] = Field(description="In order.")


class OEmbed(BaseModel):
    """How to embed a page (oembed.com 1.0, `rich`)."""

    type: Literal["rich"] = Field(description="What it is.")
    version: Literal["1.0"] = Field(description="Of oEmbed.")
    title: str = Field(description="What the page is called.")
    provider_name: str = Field(description="The newsroom.")
    provider_url: Url = Field(description="The site.")
    html: str = Field(description="What to put into a page.")
    width: int = Field(description="Pixels.")
    height: int = Field(description="Pixels.")
    cache_age: int = Field(description="Seconds for which this may be kept.")


_EVENTS = {
    "publish": "An update was published.",
    "update": "An update has other words.",
    "correct": "An update was corrected; `change.reason` says why.",
    "enrich": "An update has tags, pictures or the like that it had not; its words are the same.",
    "pin": "An editor put an update on top, or took it off.",
    "kill": "An update is out of sight.",
    "reset": "The stream cannot be continued from where the client was.",
}


def event_schemas() -> dict[str, JsonValue]:
    """`Event`, and a schema for each of its kinds."""
    schemas: dict[str, JsonValue] = {}
    for kind, description in _EVENTS.items():
        data = {"kill": ref("Removal"), "reset": ref("Reset")}.get(kind, ref("Update"))
        schemas[f"{kind.capitalize()}Event"] = {
            "type": "object",
            "description": description,
            "properties": {
                "id": {**CURSOR, "description": "The cursor behind this event; on the stream its `id` field."},
                "event": {"const": kind, "type": "string", "description": "On the stream its `event` field."},
                "data": data,
            },
            "required": ["id", "event", "data"],
            "examples": [{"id": "1-1058", "event": kind, "data": _event_data(kind)}],
        }
    schemas["Event"] = {
        "description": "What happened to an update, or to the stream.",
        "oneOf": [ref(f"{kind.capitalize()}Event") for kind in _EVENTS],
        "discriminator": {
            "propertyName": "event",
            "mapping": {kind: f"#/components/schemas/{kind.capitalize()}Event" for kind in _EVENTS},
        },
        "examples": [{"id": "1-1058", "event": "kill", "data": _event_data("kill")}],
    }
    return schemas


def _event_data(kind: str) -> JsonValue:
    if kind == "kill":
        return REMOVAL
    if kind == "reset":
        return {"reason": "expired", "snapshot": "/v1/updates?channel=story:harbour-flood", "cursor": "1-1058"}
    return EXAMPLE | {"kind": kind}


REMOVAL: JsonObject = {
    "update_id": EXAMPLE["update_id"],
    "revision": 3,
    "kind": "kill",
    "removal": "killed",
    "path": f"/updates/{EXAMPLE['update_id']}/update",
    "cursor": "1-1060",
    "passport": {"received_at": "2026-01-05T06:10:00Z", "enriched_at": "2026-01-05T06:10:00Z", "published_at": None},
}
STORY: JsonObject = {
    "id": "harbour-flood",
    "label": "Harbour flood",
    "url": "https://news.example/stories/harbour-flood",
    "updates": 12,
    "closed": False,
    "corroboration": 3,
    "newest": {
        "update_id": EXAMPLE["update_id"],
        "headline": EXAMPLE["headline"],
        "first_published_at": EXAMPLE["first_published_at"],
        "position": "1-1042",
    },
}
TAG: JsonObject = {
    "code": "medtop:20000150",
    "label": "Flood",
    "labels": {"de": "Hochwasser"},
    "kind": "subject",
    "uri": "http://cv.iptc.org/newscodes/mediatopic/20000150",
    "url": "https://news.example/tags/medtop:20000150",
}
AUTHOR: JsonObject = {
    "slug": "ana-ferreira",
    "name": "Ana Ferreira",
    "kind": "person",
    "role": "Correspondent",
    "bio": "Writes about rivers.",
    "avatar_url": None,
    "links": [],
    "url": "https://news.example/authors/ana-ferreira",
}
EXAMPLES: dict[str, JsonValue] = {
    "Page": {"updates": [EXAMPLE], "channel": "news", "next": "1-1042", "cursor": "1-1058"},
    "NinjsPage": {
        "items": [{"uri": "urn:slugline:update:r3vxd2aqmz5n7yk4tlw6hcb2pe", "pubStatus": "canceled", "version": "3"}],
        "channel": "news",
        "next": None,
        "next_url": None,
        "cursor": "1-1060",
    },
    "Revisions": {"revisions": [EXAMPLE]},
    "Stories": {"stories": [STORY], "cursor": "1-1058"},
    "StoryDetail": {
        **{name: STORY[name] for name in ("id", "label", "url", "closed", "corroboration")},
        "standfirst": "Two quarters are being cleared.",
        "summary": ["Four gates are closed."],
        "began_at": "2026-11-23T09:20:00Z",
        "closed_at": None,
        "channel": "story:harbour-flood",
        "cursor": "1-1058",
        "key_events": [EXAMPLE],
    },
    "Translations": {
        "original": "r3vxd2aqmz5n7yk4tlw6hcb2pe",
        "original_withdrawn": False,
        "translations": [
            {
                "update_id": "r3vxd2aqmz5n7yk4tlw6hcb2pe",
                "language": "en",
                "title": "Tide gates closed at six",
                "url": "https://news.example/updates/r3vxd2aqmz5n7yk4tlw6hcb2pe/tide-gates-closed",
                "is_original": True,
                "stale": False,
                "modified_at": "2026-01-05T06:02:03Z",
            },
            {
                "update_id": "b5mzd2aqmz5n7yk4tlw6hcb2aa",
                "language": "uk",
                "title": "Шлюзи зачинено о п’ятій",
                "url": "https://news.example/updates/b5mzd2aqmz5n7yk4tlw6hcb2aa/tide-gates-closed-uk",
                "is_original": False,
                "stale": True,
                "modified_at": "2026-01-05T06:01:00Z",
            },
        ],
    },
    "PollResults": {
        "poll": "close-early",
        "open": True,
        "closes_at": "2026-11-24T18:00:00Z",
        "total": 1204,
        "votes": {"yes": 903, "no": 301},
    },
    "Tags": {"tags": [TAG | {"updates": 3}], "cursor": "1-1058"},
    "TagDetail": TAG | {"channel": "tag:medtop:20000150", "cursor": "1-1058"},
    "Authors": {"authors": [AUTHOR | {"updates": 3}], "cursor": "1-1058"},
    "AuthorDetail": AUTHOR | {"channel": "author:ana-ferreira", "cursor": "1-1058"},
    "SearchResults": {
        "results": [
            {
                "update": EXAMPLE,
                "highlights": {
                    "title": "Tide <mark>gates</mark> closed at six",
                    "excerpt": "The <mark>gates</mark> closed at six.",
                },
            }
        ],
        "q": "gate",
        "next": None,
        "complete": True,
    },
    "Events": {
        "cursor": "1-1060",
        "more": False,
        "events": [{"id": "1-1060", "event": "kill", "data": REMOVAL}],
    },
    "OEmbed": {
        "type": "rich",
        "version": "1.0",
        "title": "Harbour flood",
        "provider_name": "Slugline",
        "provider_url": "https://news.example/",
        "html": '<iframe src="https://news.example/embed/stories/harbour-flood"></iframe>',
        "width": 600,
        "height": 800,
        "cache_age": 3600,
    },
}
