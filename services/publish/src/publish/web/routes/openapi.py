"""The OpenAPI document of the web answers, made of the models that it describes."""

from typing import Any

from publish.representation import reader_json

CURSOR = {"type": "string", "pattern": "^[0-9]+--?[0-9]+$", "description": "`epoch-offset`; opaque to clients."}
PROBLEM = "application/problem+json"


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _parameter(name: str, place: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": place, "required": place == "path", "schema": schema, "description": description}


def _json(description: str, schema: dict[str, Any], media_type: str = "application/json") -> dict[str, Any]:
    return {"description": description, "content": {media_type: {"schema": schema}}}


def _problem(description: str) -> dict[str, Any]:
    return _json(description, _ref("Problem"), PROBLEM)


def _get(summary: str, ok: dict[str, Any], *parameters: dict[str, Any], **answers: dict[str, Any]) -> dict[str, Any]:
    responses = {"200": ok, **{code.removeprefix("on_"): answer for code, answer in answers.items()}}
    return {"get": {"summary": summary, "parameters": list(parameters), "responses": responses}}


UPDATE_ID = _parameter(
    "update_id", "path", {"type": "string", "pattern": "^[a-z2-7]{26}$"}, "The update's id, the same for ever."
)
CHANNEL = _parameter(
    "channel",
    "query",
    {"type": "string", "default": "news", "maxLength": 300},
    "`news`, `source:NAME`, `tag:CODE`, `story:ID`, `author:SLUG` or `update:ID`.",
)
CHANNELS = _parameter(
    "channel",
    "query",
    {"type": "array", "items": {"type": "string"}, "default": ["news"]},
    "Several may be named, once each; `channels=a,b` says the same.",
)
BEFORE = _parameter("before", "query", CURSOR, "Updates that stand before this position: the `next` of a page.")
LIMIT = _parameter(
    "limit", "query", {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}, "Updates on a page."
)
SINCE = _parameter("cursor", "query", CURSOR, "The `cursor` of a page, of an event or of an answer.")
LAST_EVENT_ID = _parameter(
    "lastEventId", "query", CURSOR,
    "As `cursor`, under the name that clients use which cannot set the header; `Last-Event-ID` is taken too. The newest counts.",
)  # fmt: skip
VIEW = _parameter(
    "view",
    "query",
    {"enum": ["json", "page"], "default": "json"},
    "`page` adds `html`, as the site's own page shows it.",
)
UNCHANGED = {"description": "What the client has, by its `ETag`, is the newest."}
GONE = _problem("The update was there and is out of sight: killed, taken down, withdrawn, expired or superseded.")
AWAY = _problem("What memory does not hold cannot be asked of the archive now; see `Retry-After`.")


def _schemas() -> dict[str, Any]:
    update, parts = reader_json.schema("#/components/schemas/{model}", CURSOR)
    definitions: dict[str, Any] = {**parts, "Update": update}
    definitions["Page"] = {
        "type": "object",
        "properties": {
            "updates": {"type": "array", "items": _ref("Update")},
            "channel": {"type": "string"},
            "next": {
                "anyOf": [CURSOR, {"type": "null"}],
                "description": "`before` of the next page; null on the last.",
            },
            "cursor": {**CURSOR, "description": "Where the stream goes on from this page without a hole."},
        },
        "required": ["updates", "channel", "next", "cursor"],
        "additionalProperties": False,
    }
    definitions["Stories"] = {
        "type": "object",
        "properties": {
            "stories": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "id": {"type": "string"},
                        "label": {"type": "string"},
                        "url": {"type": "string", "format": "uri"},
                        "updates": {"type": "integer"},
                        "closed": {"type": "boolean"},
                        "corroboration": {"type": "integer", "description": "Independent newsrooms that report it."},
                        "newest": {"type": "object"},
                    },
                    "required": ["id", "label", "url", "updates", "closed", "corroboration", "newest"],
                },
            },
            "cursor": CURSOR,
        },
        "required": ["stories", "cursor"],
    }
    definitions["Events"] = {
        "type": "object",
        "properties": {
            "cursor": {**CURSOR, "description": "The next question's cursor."},
            "more": {"type": "boolean", "description": "There is more already: ask again at once."},
            "events": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "id": CURSOR,
                        "event": {"enum": ["publish", "update", "enrich", "correct", "kill", "pin", "reset"]},
                        "data": {"type": "object"},
                    },
                    "required": ["id", "event", "data"],
                },
            },
        },
        "required": ["cursor", "more", "events"],
    }
    definitions["Problem"] = {
        "type": "object",
        "description": "RFC 9457. `code` is stable; `detail` names field and reason.",
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "code": {"type": "string"},
            "detail": {"type": "string"},
        },
        "required": ["type", "title", "status", "code", "detail"],
    }
    return definitions


def _feed(name: str, media_type: str) -> dict[str, Any]:
    return {"description": name, "content": {media_type: {"schema": {"type": "string"}}}}


FORM = _parameter("form", "path", {"enum": ["rss", "atom", "json"]}, "RSS 2.0, Atom or JSON Feed 1.1.")
FEED = {
    "description": "The newest 50 updates, with WebSub links.",
    "content": {
        "application/rss+xml": {"schema": {"type": "string"}},
        "application/atom+xml": {"schema": {"type": "string"}},
        "application/feed+json": {"schema": {"type": "object"}},
    },
}


def document(site_url: str) -> dict[str, Any]:
    """The document, for a site at this address."""
    bad = _problem("A parameter that is none: `field` names it.")
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Slugline",
            "version": "1",
            "description": "Live updates: what is visible now, what followed a cursor, and the stream of what comes.",
        },
        "servers": [{"url": site_url}],
        "paths": {
            "/v1/updates": _get(
                "A page of a channel, newest position first", _json("The page.", _ref("Page")),
                CHANNEL, BEFORE, LIMIT, on_304=UNCHANGED, on_400=bad, on_503=AWAY,
            ),
            "/v1/updates/{update_id}": _get(
                "One update with its passport", _json("The update.", _ref("Update")),
                UPDATE_ID, on_304=UNCHANGED, on_404=_problem("No such update."), on_410=GONE, on_503=AWAY,
            ),
            "/v1/updates/{update_id}.ninjs": _get(
                "One update as ninjs 3.1", _json("The item.", {"type": "object"}),
                UPDATE_ID, on_304=UNCHANGED, on_404=_problem("No such update."), on_410=GONE, on_503=AWAY,
            ),
            "/v1/updates/{update_id}/revisions": _get(
                "What readers were given of an update over time, first to last",
                _json(
                    "The revisions.",
                    {
                        "type": "object",
                        "properties": {"revisions": {"type": "array", "items": _ref("Update")}},
                        "required": ["revisions"],
                    },
                ),
                UPDATE_ID, on_404=_problem("No such update."), on_410=GONE, on_503=AWAY,
            ),
            "/v1/stories": _get(
                "The stories of the newest updates", _json("The stories, newest first.", _ref("Stories")),
                on_304=UNCHANGED,
            ),
            "/v1/stream": _get(
                "Server-sent events from a cursor on", _feed("The stream.", "text/event-stream"),
                CHANNELS, SINCE, LAST_EVENT_ID, VIEW,
                _parameter("Last-Event-ID", "header", CURSOR, "Where the client was; of this and the parameters the newest counts."),
                on_204={"description": "All that was asked for are stories long over: do not come back."},
                on_400=bad, on_429=_problem("Too many streams from this address."), on_503=_problem("Full or starting."),
            ),
            "/v1/poll": _get(
                "Wait for what follows a cursor", _json("What followed.", _ref("Events")),
                CHANNELS, SINCE, LAST_EVENT_ID, VIEW,
                _parameter("timeout", "query", {"type": "number", "minimum": 0, "maximum": 55, "default": 25}, "Seconds."),
                _parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": 1000}, "Events in an answer."),
                on_400=bad, on_503=_problem("Full or starting."),
            ),
            "/v1/since": _get(
                "What followed a cursor", _json("What followed.", _ref("Events")),
                CHANNELS, SINCE, LAST_EVENT_ID, VIEW,
                _parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": 1000}, "Events in an answer."),
                on_400=bad, on_503=_problem("Starting."),
            ),
            "/feeds/news.{form}": _get("The feed of everything", FEED, FORM, on_304=UNCHANGED),
            "/feeds/{kind}/{name}.{form}": _get(
                "The feed of a story, a tag or an author", FEED,
                _parameter("kind", "path", {"enum": ["story", "tag", "author"]}, "What the feed is of."),
                _parameter("name", "path", {"type": "string"}, "The story's id, the tag's code, the author's slug."),
                FORM, on_304=UNCHANGED, on_404=_problem("Nothing has been published in it."),
            ),
            "/media/{path}": _get(
                "A rendition of a picture, immutable", _feed("The picture.", "image/*"),
                _parameter("path", "path", {"type": "string"}, "As a rendition's `url` has it."),
                on_304=UNCHANGED, on_404=_problem("No such picture."), on_503=_problem("The store is away."),
            ),
            "/openapi.json": _get("This document", _json("OpenAPI 3.1.", {"type": "object"})),
            "/livez": _get("Whether a restart would help", _json("Alive.", {"type": "object"}), on_503=_json("Not.", {"type": "object"})),
            "/readyz": _get("Whether it serves, and what it waits for", _json("Ready.", {"type": "object"}), on_503=_json("Not yet, and why.", {"type": "object"})),
            "/metrics": _get("Prometheus metrics", _feed("The metrics.", "text/plain")),
        },
        "components": {"schemas": _schemas()},
    }  # fmt: skip
