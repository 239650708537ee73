"""An update as JSON: the same for the API, streams, webhooks and Redis."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from operator import attrgetter

import orjson
from pydantic import JsonValue, TypeAdapter

from publish.representation.reader_docs import EXAMPLE, described
from publish.representation.reader_update import ReaderUpdate
from publish.representation.site import story_path
from shared.messages import SOURCE_WORDS, EnrichedUpdate, marked

_CONTENT = tuple(
    each.name
    for each in fields(ReaderUpdate)
    if each.name not in ("story_label", "story_profile", "path", "position", "cursor", "removal")
)
_content = attrgetter(*_CONTENT)


MEMBERS = (*_CONTENT, "path", "url", "position", "cursor", "removal")
"""The names of the members of a visible update."""


def members(update: ReaderUpdate, site_url: str) -> dict[str, object]:
    """The members of a visible update: all that `ReaderUpdate` has, with whole addresses."""
    view: dict[str, object] = dict(zip(_CONTENT, _content(update), strict=True))
    if update.story:
        view["story"] = {
            "id": update.story,
            "label": update.story_label,
            "url": site_url + story_path(update.story),
        }
    else:
        view["story"] = None
    view["path"] = update.path
    view["url"] = site_url + update.path
    view["position"] = None if update.position is None else str(update.position)
    view["cursor"] = str(update.cursor)
    view["removal"] = None
    return view


def removal_members(update: ReaderUpdate) -> dict[str, object]:
    """The members of a removal: no text."""
    return {
        "update_id": update.update_id,
        "revision": update.revision,
        "kind": update.kind,
        "removal": update.removal,
        "path": update.path,
        "cursor": str(update.cursor),
        "passport": update.passport,
    }


def read_metadata(view: Mapping[str, object]) -> list[str]:
    """The members of a view, or of a stream's event, that hold words of a source: a removal has none."""
    return [name for name in (*marked(EnrichedUpdate, SOURCE_WORDS), "html") if view.get(name)]


def dump(value: object) -> bytes:
    """JSON; lone surrogates, which no UTF-8 can hold, are replaced."""
    try:
        return orjson.dumps(value, option=orjson.OPT_UTC_Z)
    except orjson.JSONEncodeError:
        return orjson.dumps(_encodable(value), option=orjson.OPT_UTC_Z)


def _encodable(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {_encodable(key): _encodable(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_encodable(each) for each in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: _encodable(getattr(value, each.name)) for each in fields(value)}
    return value


def schema(ref_template: str, cursor: Mapping[str, JsonValue]) -> tuple[dict[str, JsonValue], dict[str, JsonValue]]:
    """The JSON Schema of `members`, and those of its parts by name. `cursor` is the schema of a cursor."""
    model = _public_names(TypeAdapter(ReaderUpdate).json_schema(mode="serialization", ref_template=ref_template))
    parts = model["$defs"]
    of_fields = model["properties"]
    assert isinstance(parts, dict) and isinstance(of_fields, dict)  # noqa: S101, PT018 -- for the type checker
    parts.pop("Position", None)
    parts.pop("StoryProfile", None)
    story: JsonValue = {
        "type": "object",
        "properties": {
            "id": {"type": "string", "description": "Names its page and its channel."},
            "label": {"type": "string", "description": "What it is called; may be empty."},
            "url": {"type": "string", "format": "uri", "description": "Its page."},
        },
        "required": ["id", "label", "url"],
    }
    properties: dict[str, JsonValue] = {name: of_fields[name] for name in _CONTENT}
    properties |= {
        "story": {"anyOf": [story, {"type": "null"}]},
        "closed": {"type": "boolean", "description": "The update's story is over."},
        "path": {"type": "string", "description": "The update's own page."},
        "url": {"type": "string", "format": "uri", "description": "The address of its own page."},
        "position": {
            "anyOf": [dict(cursor), {"type": "null"}],
            "description": "The update's place in the newsroom's order: that of its first publication, for ever.",
        },
        "cursor": {**cursor, "description": "The place of this revision in the stream."},
        "removal": {"type": "null", "description": "Why it is out of sight; null while it is visible."},
    }
    required: list[JsonValue] = [*sorted(properties)]
    whole: dict[str, JsonValue] = {
        "type": "object",
        "description": model["description"],
        "properties": properties,
        "required": required,
        "additionalProperties": False,
        "examples": [EXAMPLE],
    }
    described("Update", whole)
    for name, part in parts.items():
        if isinstance(part, dict) and "properties" in part:
            described(name, part)
    return whole, parts


def _public_names(schema: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """The schema with its parts under the names that clients know: `Author`, not `ReaderAuthor`."""
    renamed: dict[str, JsonValue] = orjson.loads(orjson.dumps(schema).replace(b"Reader", b""))
    return renamed
