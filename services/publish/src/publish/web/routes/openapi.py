"""The OpenAPI document of the web process."""

from dataclasses import replace

from pydantic import BaseModel, JsonValue

from publish.representation import reader_json
from publish.representation.reader_docs import EXAMPLE
from publish.web.partner.negotiation import TYPES
from publish.web.partner.schemas import (
    CURSOR,
    EXAMPLES,
    REMOVAL,
    AuthorDetail,
    Authors,
    Events,
    NinjsPage,
    OEmbed,
    Page,
    PollResults,
    Removal,
    Reset,
    Revisions,
    SearchResults,
    Stories,
    StoryDetail,
    TagDetail,
    Tags,
    Translations,
    event_schemas,
)
from publish.web.partner.selecting import KINDS
from shared.http.openapi import (
    JSON,
    PROBLEM_JSON,
    REF,
    ApiDescription,
    Content,
    JsonObject,
    Operation,
    Parameter,
    ref,
)
from shared.http.openapi import (
    document as openapi_document,
)
from shared.http.problem import ProblemDocument

OBJECT: JsonObject = {"type": "object"}
TEXT: JsonObject = {"type": "string"}
TAGS = {
    "updates": "What is visible now, with cursors.",
    "streams": "What follows a cursor: one cursor for stream, long poll and plain questions.",
    "things": "What updates are of.",
    "search": "Words in all that was published.",
    "feeds": "For feed readers.",
    "embedding": "On pages of others.",
    "operation": "For whoever runs the site.",
}


def _query(name: str, schema: JsonObject, description: str, example: JsonValue = None) -> Parameter:
    return Parameter(name, "query", schema, description, example=example)


def _path(name: str, schema: JsonObject, description: str, example: JsonValue) -> Parameter:
    return Parameter(name, "path", schema, description, example=example)


def _problem(code: str, status: int, title: str, description: str, **members: JsonValue) -> Content:
    example = {
        "type": f"urn:slugline:problem:{code}", "title": title, "status": status, "code": code, "detail": description, **members,
    }  # fmt: skip
    return Content(description, {PROBLEM_JSON: ProblemDocument}, {PROBLEM_JSON: example})


def _text(description: str, example: str, *media_types: str) -> Content:
    return Content(description, dict.fromkeys(media_types, TEXT), dict.fromkeys(media_types, example))


def _of(model: type[BaseModel], description: str) -> Content:
    return Content(description, {JSON: model}, {JSON: EXAMPLES[model.__name__]})


def _object(description: str, example: JsonObject) -> Content:
    return Content(description, {JSON: OBJECT}, {JSON: example})


UPDATE_ID = _path(
    "update_id",
    {"type": "string", "pattern": "^[a-z2-7]{26}$"},
    "The update's id, the same for ever.",
    EXAMPLE["update_id"],
)
UPDATES_FORM = _path(
    "form",
    {"type": "string", "enum": list(TYPES)},
    "JSON, ninjs 3.1 or JSON Feed 1.1; without a suffix `Accept` chooses.",
    "ninjs",
)
CHANNEL = _query(
    "channel",
    {"type": "string", "default": "news", "maxLength": 300},
    "`news`, `source:NAME`, `tag:CODE`, `story:ID`, `author:SLUG`, `update:ID`, or `translations:ID` of an update.",
    "tag:medtop:20000150",
)
BEFORE = _query("before", CURSOR, "Updates that stand before this position: the `next` of a page.", "1-1042")
LIMIT = _query(
    "limit",
    {"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
    "Updates on a page; fewer where they are very long, and `next` then leads on.",
    20,
)
SEARCH_LIMIT = _query("limit", {"type": "integer", "minimum": 1, "maximum": 50, "default": 20}, "Results.", 20)
EVENTS_LIMIT = _query(
    "limit", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 200}, "Events in an answer.", 200
)
FIELDS = _query("fields", TEXT, "Members of an update, comma-separated: only these are sent.", "update_id,headline,url")
NAME: JsonObject = {"type": "string", "minLength": 1, "maxLength": 300}
FILTERS = (
    _query("story", NAME, "Of this story.", "harbour-flood"),
    _query("tag", NAME, "With this tag.", "medtop:20000150"),
    _query("author", NAME, "By this author, by slug.", "ana-ferreira"),
    _query("source", NAME, "From this source.", "northern-wire"),
    _query("language", TEXT, "In this language: `en` is any English, `en-gb` that alone (BCP 47).", "en"),
    _query(
        "urgency",
        {"type": "integer", "minimum": 1, "maximum": 9},
        "As urgent as this, or more; 1 is the most (IPTC).",
        3,
    ),
    _query("key_events", {"type": "boolean", "default": False}, "Key events alone.", True),
    _query("kind", {"type": "string", "enum": list(KINDS)}, "Whose current revision is of this kind.", "correct"),
    _query("from", TEXT, "First published at this time or later: RFC 3339, or a day (UTC).", "2026-01-01"),
    _query("to", TEXT, "First published before this time; of a day, on it or before.", "2026-01-31"),
)
LAST_EVENT_ID = Parameter(
    "Last-Event-ID",
    "header",
    CURSOR,
    "Where the client was; counts before the parameters. One that cannot be continued from, or read, is answered with a "
    "`reset` event, whose `reason` says why.",
    example="1-1058",
)
FOLLOWED = (
    _query(
        "channel",
        {"type": "array", "items": TEXT, "default": ["news"]},
        "Several may be named, once each; `channels=a,b` says the same.",
        ["story:harbour-flood"],
    ),
    _query("cursor", CURSOR, "The `cursor` of a page, of an event or of an answer.", "1-1058"),
    _query(
        "lastEventId",
        CURSOR,
        "As `cursor`, under the name that clients use which cannot set the header, in any case; `Last-Event-ID` is taken "
        "too. The newest counts.",
        "1-1058",
    ),
    _query(
        "view",
        {"type": "string", "enum": ["json", "page"], "default": "json"},
        "`page` adds `html`, as the site's own page shows it, and `channels`.",
        "json",
    ),
)
"""What is asked of a stream, and of its two stand-ins."""
FORM = _path("form", {"type": "string", "enum": ["rss", "atom", "json"]}, "RSS 2.0, Atom or JSON Feed 1.1.", "atom")
FEED = Content(
    "The newest 50 updates, with WebSub links, and notices of those that were taken out of sight.",
    {"application/rss+xml": TEXT, "application/atom+xml": TEXT, "application/feed+json": OBJECT},
    {
        "application/rss+xml": "<rss version='2.0'>…</rss>",
        "application/atom+xml": "<feed xmlns='http://www.w3.org/2005/Atom'>…</feed>",
        "application/feed+json": {"version": "https://jsonfeed.org/version/1.1", "title": "Slugline", "items": []},
    },
)
PAGE_OF_MEMBERS: JsonObject = {
    "type": "object",
    "description": "With `fields`: of each update those members alone.",
    "required": ["updates", "channel", "next", "cursor"],
    "properties": {
        "updates": {"type": "array", "items": ref("UpdateMembers")},
        "channel": TEXT,
        "next": {"anyOf": [CURSOR, {"type": "null"}]},
        "cursor": CURSOR,
    },
}
UPDATES = Content(
    "The page, in the form that was asked for.",
    {JSON: {"anyOf": [ref("Page"), PAGE_OF_MEMBERS]}, TYPES["ninjs"]: NinjsPage, TYPES["jsonfeed"]: OBJECT},
    {JSON: EXAMPLES["Page"], TYPES["ninjs"]: EXAMPLES["NinjsPage"], TYPES["jsonfeed"]: {"version": "https://jsonfeed.org/version/1.1", "items": []}},
)  # fmt: skip
UPDATE = Content(
    "The update, in the form that was asked for.",
    {JSON: {"anyOf": [ref("Update"), ref("UpdateMembers")]}, TYPES["ninjs"]: OBJECT, TYPES["jsonfeed"]: OBJECT},
    {
        JSON: EXAMPLE,
        TYPES["ninjs"]: {"uri": f"urn:slugline:update:{EXAMPLE['update_id']}", "pubStatus": "usable", "version": "2"},
        TYPES["jsonfeed"]: {"version": "https://jsonfeed.org/version/1.1", "items": []},
    },
)
UNCHANGED = Content("What the client has, by its `ETag`, is the newest.")
BAD = _problem(
    "bad-limit", 400, "Bad request", "A parameter that is none, or not known: `field` names it.", field="limit"
)
NO_UPDATE = _problem("not-found", 404, "Not found", "No such update.")
NOTHING = _problem("not-found", 404, "Not found", "Nothing has been published under this name.")
GONE = _problem(
    "gone", 410, "Gone",
    "The update was there and is out of sight: killed, taken down, withdrawn, expired or superseded. In ninjs it is the item "
    "with `pubStatus` `canceled`.",
    removal="killed", update_id=EXAMPLE["update_id"], revision=3,
)  # fmt: skip
GONE_AS = replace(
    GONE,
    content={**GONE.content, TYPES["ninjs"]: OBJECT, TYPES["jsonfeed"]: OBJECT},
    examples={
        **GONE.examples,
        TYPES["ninjs"]: {"uri": f"urn:slugline:update:{EXAMPLE['update_id']}", "pubStatus": "canceled", "version": "3"},
        TYPES["jsonfeed"]: {"version": "https://jsonfeed.org/version/1.1", "items": []},
    },
)
INTERNAL = _problem("not-found", 404, "Not found", "It has a port of its own (`INTERNAL_PORT`).")
AWAY = _problem(
    "archive-away", 503, "Unavailable",
    "What memory does not hold cannot be asked of the archive now, or this replica has just started; see `Retry-After`.",
)  # fmt: skip
FULL = _problem("full", 503, "Unavailable", "Full or starting; see `Retry-After`.")
KEYED = {
    "401": _problem("key-wrong", 401, "Key missing or wrong", "A key is needed by nobody; the one that was sent is not known."),
    "403": _problem("scope", 403, "Not allowed", "The key does not open this; without a key the public quota holds."),
    "429": _problem(
        "quota-used-up", 429, "Too many requests",
        "More requests than the quota that `RateLimit-Policy` names; `Retry-After` says when to come again.",
    ),
}  # fmt: skip
NOT_COUNTED = ("/v1/stream", "/v1/poll", "/v1/since")
STREAM_EXAMPLE = 'id: 1-1060\nevent: kill\ndata: {"update_id":"r3vxd2aqmz5n7yk4tlw6hcb2pe","removal":"killed"}\n\n'


def _get(  # noqa: PLR0917 -- a table
    identity: str,
    path: str,
    tag: str,
    summary: str,
    description: str,
    ok: Content,
    *parameters: Parameter,
    **others: Content,
) -> Operation:
    """`others` are the responses besides 200 and 400, as `on_404`."""
    counted = path.startswith("/v1/") and path not in NOT_COUNTED
    responses = {"200": ok, "400": BAD, **(KEYED if counted else {})}
    responses |= {name.removeprefix("on_"): response for name, response in others.items()}
    return Operation(
        "GET", path, summary, responses, parameters, operation_id=identity, description=description, tags=(tag,),
        security=("", "key") if counted else None,
    )  # fmt: skip


OPERATIONS = (
    _get(
        "listUpdates", "/v1/updates", "updates", "A page of a channel, newest position first",
        "Filters narrow the channel: an update must meet all of them. `Accept` chooses between JSON, ninjs and JSON Feed. `cursor` "
        "is where a stream of the channel goes on; every replica gives the same bytes.",
        UPDATES, CHANNEL, *FILTERS, FIELDS, BEFORE, LIMIT, on_304=UNCHANGED, on_503=AWAY,
    ),
    _get(
        "listUpdatesAs", "/v1/updates.{form}", "updates", "The same in a form of one's choice",
        "For clients that cannot set `Accept`.", UPDATES, UPDATES_FORM, CHANNEL, *FILTERS, FIELDS, BEFORE, LIMIT,
        on_304=UNCHANGED, on_404=_problem("not-found", 404, "Not found", "No such form."), on_503=AWAY,
    ),
    _get(
        "getUpdate", "/v1/updates/{update_id}", "updates", "One update with its passport",
        "`Accept` chooses between JSON, ninjs and JSON Feed.", UPDATE, UPDATE_ID, FIELDS,
        on_304=UNCHANGED, on_404=NO_UPDATE, on_410=GONE_AS, on_503=AWAY,
    ),
    _get(
        "getUpdateAs", "/v1/updates/{update_id}.{form}", "updates", "One update in a form of one's choice",
        "For clients that cannot set `Accept`.", UPDATE, UPDATE_ID, UPDATES_FORM, FIELDS,
        on_304=UNCHANGED, on_404=NO_UPDATE, on_410=GONE_AS, on_503=AWAY,
    ),
    _get(
        "listRevisions", "/v1/updates/{update_id}/revisions", "updates",
        "What readers were given of an update over time, first to last",
        "The `change` of each revision has its reason, the members that changed, and the words as a diff.",
        _of(Revisions, "The revisions."), UPDATE_ID, on_404=NO_UPDATE, on_410=GONE, on_503=AWAY,
    ),
    _get(
        "listTranslations", "/v1/updates/{update_id}/translations", "updates", "The same in other languages",
        "Whichever of them is asked for; `stale` are those that are behind their original.",
        _of(Translations, "The languages."), UPDATE_ID, on_304=UNCHANGED, on_404=NO_UPDATE, on_410=GONE, on_503=AWAY,
    ),
    _get(
        "search", "/v1/search", "search", "Words in all that was published, newest first",
        'All words must be there, in any form that the language has of them; "a phrase" as it stands; -word must not be there; `or` '
        "between two words. What was killed is not found, and what was corrected by its new words alone.",
        _of(SearchResults, "The results."),
        Parameter("q", "query", {"type": "string", "minLength": 1, "maxLength": 200}, "The words, at most 20.", required=True, example="tide gates"),
        CHANNEL, *FILTERS, BEFORE, SEARCH_LIMIT, on_503=AWAY,
    ),
    _get(
        "listStories", "/v1/stories", "things", "The stories of the newest updates", "That with the newest update first.",
        _of(Stories, "The stories."), on_304=UNCHANGED, on_503=AWAY,
    ),
    _get(
        "getStory", "/v1/stories/{story}", "things", "A story with its key events", "Its updates are those of its channel.",
        _of(StoryDetail, "The story."), _path("story", TEXT, "The story's id.", "harbour-flood"),
        on_304=UNCHANGED, on_404=NOTHING, on_503=AWAY,
    ),
    _get(
        "getPoll", "/v1/polls/{update_id}/{poll}", "things", "How a poll stands",
        "The poll itself is a block of its update. Votes are cast on the site alone; ask no more than every two seconds.",
        _of(PollResults, "The votes."), UPDATE_ID, _path("poll", TEXT, "The id of the poll.", "close-early"),
        on_404=NOTHING, on_410=GONE, on_503=AWAY,
    ),
    _get(
        "listTags", "/v1/tags", "things", "The tags of the newest updates", "The most frequent first.",
        _of(Tags, "The tags."), on_304=UNCHANGED, on_503=AWAY,
    ),
    _get(
        "getTag", "/v1/tags/{code}", "things", "A tag", "As its newest update has it.", _of(TagDetail, "The tag."),
        _path("code", TEXT, "The tag's code.", "medtop:20000150"), on_304=UNCHANGED, on_404=NOTHING, on_503=AWAY,
    ),
    _get(
        "listAuthors", "/v1/authors", "things", "The authors of the newest updates", "The most frequent first.",
        _of(Authors, "The authors."), on_304=UNCHANGED, on_503=AWAY,
    ),
    _get(
        "getAuthor", "/v1/authors/{slug}", "things", "An author", "As the newest update has it.",
        _of(AuthorDetail, "The author."), _path("slug", TEXT, "The author's slug.", "ana-ferreira"),
        on_304=UNCHANGED, on_404=NOTHING, on_503=AWAY,
    ),
    _get(
        "stream", "/v1/stream", "streams", "Server-sent events from a cursor on",
        "Each event is an `Event` whose `id`, `event` and `data` are the fields of the same names on the wire (WHATWG HTML, section 9.2). "
        "After a `reset`, fetch the snapshots that it names and go on from its cursor.",
        Content("The stream.", {"text/event-stream": ref("Event")}, {"text/event-stream": STREAM_EXAMPLE}),
        *FOLLOWED, LAST_EVENT_ID, on_204=Content("All that was asked for are stories long over: do not come back."),
        on_429=_problem("too-many-streams", 429, "Too many requests", "Too many streams from this address."), on_503=FULL,
    ),
    _get(
        "poll", "/v1/poll", "streams", "Wait for what follows a cursor", "The answer's cursor is the next question's.",
        _of(Events, "What followed."), *FOLLOWED,
        _query("timeout", {"type": "number", "minimum": 0, "maximum": 55, "default": 25}, "Seconds to wait.", 25), EVENTS_LIMIT,
        on_503=FULL,
    ),
    _get(
        "since", "/v1/since", "streams", "What followed a cursor",
        "The same, answered at once and kept by shared caches for a second: for many who ask now and then.",
        _of(Events, "What followed."), *FOLLOWED, EVENTS_LIMIT, on_503=FULL,
    ),
    _get(
        "getFeed", "/feeds/news.{form}", "feeds", "The feed of everything", "An entry keeps its id for ever.", FEED, FORM,
        on_304=UNCHANGED, on_404=_problem("not-found", 404, "Not found", "No such form."), on_503=AWAY,
    ),
    _get(
        "getFeedOf", "/feeds/{kind}/{name}.{form}", "feeds", "The feed of a story, a tag or an author",
        "An entry keeps its id for ever.", FEED,
        _path("kind", {"type": "string", "enum": ["story", "tag", "author"]}, "What the feed is of.", "story"),
        _path("name", TEXT, "The story's id, the tag's code, the author's slug.", "harbour-flood"),
        FORM, on_304=UNCHANGED, on_404=NOTHING, on_503=AWAY,
    ),
    _get(
        "oembed", "/oembed", "embedding", "How to embed a page", "For an address of a story or of an update (oembed.com).",
        _of(OEmbed, "What to put into a page."),
        Parameter("url", "query", {"type": "string", "format": "uri"}, "The page.", required=True, example="https://news.example/stories/harbour-flood"),
        _query("format", {"type": "string", "enum": ["json"], "default": "json"}, "JSON alone; another is 501.", "json"),
        _query("maxwidth", {"type": "integer", "minimum": 1}, "Pixels that there are.", 600),
        _query("maxheight", {"type": "integer", "minimum": 1}, "Pixels that there are.", 800),
        on_404=_problem("not-found", 404, "Not found", "No page that can be embedded."),
        on_501=_problem("bad-format", 501, "Not implemented", "This format is not spoken."), on_503=AWAY,
    ),
    _get(
        "getMedia", "/media/{path}", "updates", "A rendition of a picture, immutable", "Served while an update shows it.",
        _text("The picture.", "…", "image/avif", "image/webp", "image/jpeg"), _path("path", TEXT, "As a rendition's `url` has it.", "ab/abc-320.webp"),
        on_304=UNCHANGED, on_404=_problem("not-found", 404, "Not found", "No such picture."),
        on_503=_problem("unavailable", 503, "Unavailable", "The store is away."),
    ),
    _get(
        "getDocument", "/openapi.json", "operation", "This document", "OpenAPI 3.1; `/docs` shows it.",
        _object("OpenAPI 3.1.", {"openapi": "3.1.0"}), on_304=UNCHANGED,
    ),
    _get(
        "livez", "/livez", "operation", "Whether a restart would help", "For orchestrators.",
        _object("Alive.", {"status": "ok"}), on_404=INTERNAL, on_503=_object("Not.", {"status": "stuck"}),
    ),
    _get(
        "readyz", "/readyz", "operation", "Whether it serves, and what it waits for", "For load balancers.",
        _object("Ready.", {"status": "ok"}), on_503=_object("Not yet, and why.", {"status": "not ready"}),
    ),
    _get("metrics", "/metrics", "operation", "Prometheus metrics", "For Prometheus.", _text("The metrics.", "# HELP …", "text/plain"), on_404=INTERNAL),
)  # fmt: skip


def document(site_url: str) -> JsonObject:
    """The document, for a site at this address."""
    update, parts = reader_json.schema(REF, CURSOR)
    members = {
        name: value for name, value in update.items() if name not in {"required", "description", "title", "examples"}
    }
    members["description"] = "The members of an update that `fields` names."
    api = ApiDescription(
        title="Slugline",
        version="1",
        description="Live updates: what is visible now, what followed a cursor, and the stream of what comes. A parameter that is not "
        "known is refused; every error is a problem (RFC 9457) whose `code` is stable.",
        server=site_url,
        models=(Page, Removal, Reset),
        schemas={**parts, **event_schemas(), "Update": update, "UpdateMembers": members},
        tags=TAGS,
        security_schemes={
            "key": {"type": "http", "scheme": "bearer", "description": "A partner's, for a larger quota"}
        },
    )
    made = openapi_document(api, OPERATIONS)
    _exemplify(made)
    return made


def _exemplify(made: JsonObject) -> None:
    """Put the examples of models at their schemas too."""
    components = made["components"]
    schemas = components["schemas"] if isinstance(components, dict) else None
    assert isinstance(schemas, dict)  # noqa: S101 -- for the type checker
    for name, example in (EXAMPLES | {"Removal": REMOVAL}).items():
        schema = schemas.get(name)
        if isinstance(schema, dict):
            schema["examples"] = [example]
