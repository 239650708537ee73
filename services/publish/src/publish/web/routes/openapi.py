"""The OpenAPI document of the web process."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from publish.representation import reader_json
from shared.http.openapi import (
    PROBLEM_JSON,
    REF,
    ApiDescription,
    Content,
    JsonObject,
    Operation,
    Parameter,
    json_content,
    ref,
)
from shared.http.openapi import (
    document as openapi_document,
)
from shared.http.problem import ProblemDocument

CURSOR: JsonObject = {
    "type": "string",
    "pattern": "^[0-9]+--?[0-9]+$",
    "description": "`epoch-offset`; opaque to clients.",
}
OBJECT: JsonObject = {"type": "object"}
TEXT: JsonObject = {"type": "string"}

Cursor = Annotated[str, WithJsonSchema(CURSOR)]
Url = Annotated[str, WithJsonSchema({"type": "string", "format": "uri"})]
Update = Annotated[object, WithJsonSchema(ref("Update"))]


class Page(BaseModel):
    """A page of a channel."""

    model_config = ConfigDict(extra="forbid")

    updates: list[Update]
    channel: str
    next: Cursor | None = Field(description="`before` of the next page; null on the last.")
    cursor: Cursor = Field(description="Where the stream goes on from this page without a hole.")


class Revisions(BaseModel):
    """What readers were given of an update."""

    revisions: list[Update]


class Story(BaseModel):
    """A story of the newest updates."""

    id: str
    label: str
    url: Url
    updates: int
    closed: bool
    corroboration: int = Field(description="Independent newsrooms that tell it.")
    newest: dict[str, object]


class Stories(BaseModel):
    """The stories of the newest updates."""

    stories: list[Story]
    cursor: Cursor


class Event(BaseModel):
    """What happened to an update."""

    id: Cursor
    event: Literal["publish", "update", "enrich", "correct", "kill", "pin", "reset"]
    data: dict[str, object]


class Events(BaseModel):
    """What followed a cursor."""

    cursor: Cursor = Field(description="The next question's cursor.")
    more: bool = Field(description="There is more already: ask again at once.")
    events: list[Event]


def _query(name: str, schema: JsonObject, description: str) -> Parameter:
    return Parameter(name, "query", schema, description)


def _path(name: str, schema: JsonObject, description: str) -> Parameter:
    return Parameter(name, "path", schema, description)


def _problem(description: str) -> Content:
    return Content(description, {PROBLEM_JSON: ProblemDocument})


def _text(description: str, *media_types: str) -> Content:
    return Content(description, dict.fromkeys(media_types, TEXT))


def _get(path: str, summary: str, ok: Content, *parameters: Parameter, **others: Content) -> Operation:
    """`others` are the responses besides 200, as `on_404`."""
    responses = {"200": ok} | {name.removeprefix("on_"): response for name, response in others.items()}
    return Operation("GET", path, summary, responses, parameters)


UPDATE_ID = _path("update_id", {"type": "string", "pattern": "^[a-z2-7]{26}$"}, "The update's id, the same for ever.")
CHANNEL = _query(
    "channel",
    {"type": "string", "default": "news", "maxLength": 300},
    "`news`, `source:NAME`, `tag:CODE`, `story:ID`, `author:SLUG` or `update:ID`.",
)
BEFORE = _query("before", CURSOR, "Updates that stand before this position: the `next` of a page.")
LIMIT = _query("limit", {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}, "Updates on a page.")
EVENTS_LIMIT = _query("limit", {"type": "integer", "minimum": 1, "maximum": 1000}, "Events in an answer.")
LAST_EVENT_ID = Parameter(
    "Last-Event-ID",
    "header",
    CURSOR,
    "Where the client was; counts before the parameters. One that cannot be continued from, or read, is answered with a "
    "`reset` event, whose `reason` says why.",
)
FOLLOWED = (
    _query(
        "channel",
        {"type": "array", "items": TEXT, "default": ["news"]},
        "Several may be named, once each; `channels=a,b` says the same.",
    ),
    _query("cursor", CURSOR, "The `cursor` of a page, of an event or of an answer."),
    _query(
        "lastEventId",
        CURSOR,
        "As `cursor`, under the name that clients use which cannot set the header, in any case; `Last-Event-ID` is taken "
        "too. The newest counts.",
    ),
    _query(
        "view", {"enum": ["json", "page"], "default": "json"}, "`page` adds `html`, as the site's own page shows it."
    ),
)
"""What is asked of a stream, and of its two stand-ins."""
FORM = _path("form", {"enum": ["rss", "atom", "json"]}, "RSS 2.0, Atom or JSON Feed 1.1.")
FEED = Content(
    "The newest 50 updates, with WebSub links.",
    {"application/rss+xml": TEXT, "application/atom+xml": TEXT, "application/feed+json": OBJECT},
)
UNCHANGED = Content("What the client has, by its `ETag`, is the newest.")
BAD = _problem("A parameter that is none: `field` names it.")
NO_UPDATE = _problem("No such update.")
GONE = _problem("The update was there and is out of sight: killed, taken down, withdrawn, expired or superseded.")
AWAY = _problem("What memory does not hold cannot be asked of the archive now; see `Retry-After`.")
FULL = _problem("Full or starting.")

OPERATIONS = (
    _get(
        "/v1/updates", "A page of a channel, newest position first", json_content(Page, "The page."),
        CHANNEL, BEFORE, LIMIT, on_304=UNCHANGED, on_400=BAD, on_503=AWAY,
    ),
    _get(
        "/v1/updates/{update_id}", "One update with its passport", json_content(ref("Update"), "The update."),
        UPDATE_ID, on_304=UNCHANGED, on_404=NO_UPDATE, on_410=GONE, on_503=AWAY,
    ),
    _get(
        "/v1/updates/{update_id}.ninjs", "One update as ninjs 3.1", json_content(OBJECT, "The item."),
        UPDATE_ID, on_304=UNCHANGED, on_404=NO_UPDATE, on_410=GONE, on_503=AWAY,
    ),
    _get(
        "/v1/updates/{update_id}/revisions", "What readers were given of an update over time, first to last",
        json_content(Revisions, "The revisions."), UPDATE_ID, on_404=NO_UPDATE, on_410=GONE, on_503=AWAY,
    ),
    _get(
        "/v1/stories", "The stories of the newest updates", json_content(Stories, "The stories, newest first."),
        on_304=UNCHANGED,
    ),
    _get(
        "/v1/stream", "Server-sent events from a cursor on", _text("The stream.", "text/event-stream"),
        *FOLLOWED, LAST_EVENT_ID, on_204=Content("All that was asked for are stories long over: do not come back."),
        on_400=BAD, on_429=_problem("Too many streams from this address."), on_503=FULL,
    ),
    _get(
        "/v1/poll", "Wait for what follows a cursor", json_content(Events, "What followed."), *FOLLOWED,
        _query("timeout", {"type": "number", "minimum": 0, "maximum": 55, "default": 25}, "Seconds."), EVENTS_LIMIT,
        on_400=BAD, on_503=FULL,
    ),
    _get(
        "/v1/since", "What followed a cursor", json_content(Events, "What followed."), *FOLLOWED, EVENTS_LIMIT,
        on_400=BAD, on_503=_problem("Starting."),
    ),
    _get("/feeds/news.{form}", "The feed of everything", FEED, FORM, on_304=UNCHANGED),
    _get(
        "/feeds/{kind}/{name}.{form}", "The feed of a story, a tag or an author", FEED,
        _path("kind", {"enum": ["story", "tag", "author"]}, "What the feed is of."),
        _path("name", TEXT, "The story's id, the tag's code, the author's slug."),
        FORM, on_304=UNCHANGED, on_404=_problem("Nothing has been published in it."),
    ),
    _get(
        "/media/{path}", "A rendition of a picture, immutable", _text("The picture.", "image/*"),
        _path("path", TEXT, "As a rendition's `url` has it."),
        on_304=UNCHANGED, on_404=_problem("No such picture."), on_503=_problem("The store is away."),
    ),
    _get("/openapi.json", "This document", json_content(OBJECT, "OpenAPI 3.1.")),
    _get("/livez", "Whether a restart would help", json_content(OBJECT, "Alive."), on_503=json_content(OBJECT, "Not.")),
    _get(
        "/readyz", "Whether it serves, and what it waits for", json_content(OBJECT, "Ready."),
        on_503=json_content(OBJECT, "Not yet, and why."),
    ),
    _get("/metrics", "Prometheus metrics", _text("The metrics.", "text/plain")),
)  # fmt: skip


def document(site_url: str) -> JsonObject:
    """The document, for a site at this address."""
    update, parts = reader_json.schema(REF, CURSOR)
    api = ApiDescription(
        title="Slugline",
        version="1",
        description="Live updates: what is visible now, what followed a cursor, and the stream of what comes.",
        server=site_url,
        schemas={**parts, "Update": update},
    )
    return openapi_document(api, OPERATIONS)
