"""Messages change only additively: services deploy at different times and topics keep what old releases wrote.

`golden/RELEASE/` holds, for every message type of a release, one message with every field said and the JSON Schema, as
that release wrote them. A release adds a folder; no file in one ever changes. `released/messages` holds the schemas of the last
release, whose services run beside this one's during an upgrade (`make released` writes them).
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import jsonschema
import pytest
from pydantic import Field, ValidationError, create_model

from shared import messages
from shared.kafka.cloudevents import headers_for, value_of
from shared.messages import Message
from shared.messages.unknown_values import KNOWN_ONLY, UnknownValues

Schema = dict[str, Any]
GOLDEN = Path(__file__).parent / "golden"
TYPES: dict[str, type[Message]] = {
    each.ce_type: each
    for each in (getattr(messages, name) for name in messages.__all__)
    if isinstance(each, type) and issubclass(each, Message) and each.ce_type
}
WRITTEN = sorted(path for path in GOLDEN.glob("*/*.json") if not path.name.endswith(".schema.json"))
SCHEMAS = sorted(GOLDEN.glob("*/*.schema.json"))
LAST = {path.stem: path for path in sorted((GOLDEN.parent / "released" / "messages").glob("*.json"))}
"""The schemas of the last release, by CloudEvents type."""


def _name(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def _ce_type(path: Path) -> str:
    return path.name.removesuffix(".json").removesuffix(".schema")


def test_every_message_type_has_a_golden_message() -> None:
    """What is not written down cannot be guarded: a new message type brings its golden files."""
    assert {_ce_type(path) for path in WRITTEN} == set(TYPES)
    assert {_ce_type(path) for path in SCHEMAS} == set(TYPES)


@pytest.mark.parametrize("path", WRITTEN, ids=_name)
def test_what_an_old_release_wrote_is_still_read_whole(path: Path) -> None:
    """Every field that an old release said is still there with the same value after reading."""
    said = json.loads(path.read_text())
    model = TYPES[_ce_type(path)].model_validate_json(path.read_text())
    assert _differences(said, json.loads(model.model_dump_json())) == []


@pytest.mark.parametrize("path", WRITTEN, ids=_name)
def test_what_we_write_is_still_valid_for_an_old_reader(path: Path) -> None:
    """A reader that checks against the schema of an old release takes what this release writes."""
    model = TYPES[_ce_type(path)].model_validate_json(path.read_text())
    schema = json.loads(path.with_suffix(".schema.json").read_text())
    jsonschema.validate(json.loads(model.model_dump_json()), schema)
    jsonschema.validate(json.loads(value_of(model)), schema)


@pytest.mark.parametrize("path", WRITTEN, ids=_name)
def test_what_we_write_is_valid_for_the_last_release(path: Path) -> None:
    """Its services take what this release's send while both run, and after the way back."""
    if _ce_type(path) not in LAST:
        pytest.skip("the last release does not know this type")
    model = TYPES[_ce_type(path)].model_validate_json(path.read_text())
    jsonschema.validate(json.loads(value_of(model)), json.loads(LAST[_ce_type(path)].read_text()))


@pytest.mark.parametrize("path", [*SCHEMAS, *LAST.values()], ids=_name)
def test_schemas_change_only_additively(path: Path) -> None:
    """No field leaves, none becomes required, none becomes narrower; values of an enumeration only come."""
    old, new = json.loads(path.read_text()), TYPES[_ce_type(path)].model_json_schema()
    broken: list[str] = []
    for name, was in {"": old, **old.get("$defs", {})}.items():
        now = new["$defs"].get(name) if name else new
        if now is None:
            broken.append(f"{name} is gone")
            continue
        broken += _broken(name or TYPES[_ce_type(path)].__name__, was, now)
    assert broken == []


def _broken(name: str, was: Schema, now: Schema) -> list[str]:
    """What a reader or writer of the old schema would miss or refuse in the new one, in parts of parts as well."""
    was_any, now_any = _alternatives(was), _alternatives(now)
    if len(was_any) > 1 or len(now_any) > 1:
        known = {_kind(each): each for each in now_any}
        return [
            broken
            for each in was_any
            for broken in (
                _broken(name, each, known[_kind(each)])
                if _kind(each) in known
                else [f"{name} no longer takes {_kind(each)}"]
            )
        ]
    if _kind(was) != _kind(now):
        return [f"{name} no longer takes {_kind(was)}"]
    broken = [f"{name}.{each} became required" for each in set(now.get("required", ())) - set(was.get("required", ()))]
    for field, old in was.get("properties", {}).items():
        new = now.get("properties", {}).get(field)
        broken += [f"{name}.{field} is gone"] if new is None else _broken(f"{name}.{field}", old, new)
    if set(was.get("enum", ())) - set(now.get("enum", was.get("enum", ()))) or ("enum" in now and "enum" not in was):
        broken.append(f"{name} lost values")
    for part in ("items", "additionalProperties"):
        if isinstance(was.get(part), dict):
            broken += _broken(f"{name}[]", was[part], now.get(part) or {})
    places = was.get("prefixItems", [])
    if len(places) != len(now.get("prefixItems", [])):
        broken.append(f"{name} has another number of places")
    else:
        for number, (old, new) in enumerate(zip(places, now.get("prefixItems", []), strict=True)):
            broken += _broken(f"{name}[{number}]", old, new)
    broken += [f"{name} has a narrower {each}" for each in BOUNDS if _is_narrower(each, was, now)]
    return broken


BOUNDS = ("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "pattern", "format", "const")


def _is_narrower(bound: str, was: Schema, now: Schema) -> bool:
    """Whether a bound is new or other than it was; a number may move outwards."""
    old, new = was.get(bound), now.get(bound)
    if new is None or new == old:
        return False
    if old is None or bound in ("pattern", "format", "const"):
        return True
    return bool(new > old) if bound.startswith("min") else bool(new < old)


def _alternatives(schema: Schema) -> list[Schema]:
    return [each for one in schema["anyOf"] for each in _alternatives(one)] if "anyOf" in schema else [schema]


def _kind(schema: Schema) -> str:
    return str(schema.get("$ref") or schema.get("type") or ("enum" if "enum" in schema else "any"))


class Part(Message):
    """A part of a message, for what follows."""

    name: str = ""


class Known(Message):
    """A message as an old release wrote it."""

    maybe: tuple[str, ...] | None = None
    parts: tuple[Part, ...] = ()
    pairs: tuple[tuple[Literal["a", "b"], int], ...] = ()
    labels: dict[str, str] = Field(default_factory=dict)
    short: str = ""


BREAKING: dict[str, tuple[Any, Any]] = {
    "what an optional list holds": ("maybe", (tuple[int, ...] | None, None)),
    "a list that is not optional any more": ("maybe", (tuple[str, ...], ())),
    "the parts of a list": ("parts", (tuple[str, ...], ())),
    "a place of a pair": ("pairs", (tuple[tuple[Literal["a", "b"], str], ...], ())),
    "a value of an enumeration in a pair": ("pairs", (tuple[tuple[Literal["a"], int], ...], ())),
    "how long a pair is": ("pairs", (tuple[tuple[Literal["a", "b"], int, int], ...], ())),
    "the values of a mapping": ("labels", (dict[str, int], {})),
    "a bound that was not there": ("short", (str, Field(default="", max_length=5))),
}


@pytest.mark.parametrize("what", BREAKING)
def test_a_change_within_a_list_or_an_optional_is_found(what: str) -> None:
    """Wherever in a message it is: a field that is retyped breaks readers, one that is added does not."""
    name, retyped = BREAKING[what]
    later = create_model("Known", __base__=Known, **{name: retyped}).model_json_schema()
    assert _broken("Known", Known.model_json_schema(), later)
    more = create_model("Known", __base__=Known, added=(str, "")).model_json_schema()
    assert _broken("Known", Known.model_json_schema(), more) == []


def _differences(said: Any, read: Any, place: str = "") -> list[str]:
    if isinstance(said, dict) and isinstance(read, dict):
        return [each for key, value in said.items() for each in _differences(value, read.get(key), f"{place}/{key}")]
    if isinstance(said, list) and isinstance(read, list) and len(said) == len(read):
        pairs = enumerate(zip(said, read, strict=True))
        return [each for number, (one, other) in pairs for each in _differences(one, other, f"{place}/{number}")]
    return [] if said == read else [f"{place}: {said!r} became {read!r}"]


@pytest.mark.parametrize("path", WRITTEN, ids=_name)
def test_fields_of_a_newer_release_are_ignored(path: Path) -> None:
    """A reader is not troubled by what a newer writer added."""
    said = json.loads(path.read_text()) | {"invented_later": {"deep": [1]}}
    assert TYPES[_ce_type(path)].model_validate(said) == TYPES[_ce_type(path)].model_validate_json(path.read_text())


STRICT = {("slugline.update.order", "/order")}
"""An order that is not known becomes a dead letter, to be replayed after the upgrade."""


def _enumerations(
    schema: Schema, definitions: dict[str, Schema], place: tuple[str, ...] = ()
) -> Iterator[tuple[str, ...]]:
    """The paths of all enumerations, through parts, alternatives, lists and pairs; `[n]` is a place in a list."""
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    if "enum" in schema:
        yield place
    for one in schema.get("anyOf", ()):
        yield from _enumerations(one, definitions, place)
    for name, one in schema.get("properties", {}).items():
        yield from _enumerations(one, definitions, (*place, name))
    if isinstance(schema.get("items"), dict):
        yield from _enumerations(schema["items"], definitions, (*place, "[0]"))
    for number, one in enumerate(schema.get("prefixItems", ())):
        yield from _enumerations(one, definitions, (*place, f"[{number}]"))


ENUMERATIONS = sorted(
    {
        (ce_type, "/" + "/".join(place))
        for ce_type, model in TYPES.items()
        for schema in [model.model_json_schema()]
        for place in _enumerations(schema, schema.get("$defs", {}))
    }
)


def _put(said: Any, place: list[str], value: str) -> bool:
    """Put a value into each part that has this path; whether there was one."""
    here, *rest = place
    if here.startswith("["):
        members = (
            list(range(len(said))) if here == "[0]" and rest != [] and isinstance(said[0], dict) else [int(here[1:-1])]
        )
    else:
        members = [here] if isinstance(said, dict) and (rest == [] or here in said) else []
    found = False
    for member in members:
        if rest == []:
            said[member] = value
            found = True
        elif said[member]:
            found = _put(said[member], rest, value) or found
    return found


ADDED_LATER: dict[str, dict[str, Any]] = {
    "slugline.update.enriched": {"/media/[0]/content_credentials": {"state": "valid"}},
}
"""Parts with enumerations that the message of 0.1 has not."""


@pytest.mark.parametrize(("ce_type", "place"), ENUMERATIONS, ids=lambda each: each)
def test_a_value_of_a_newer_release_is_no_poison(ce_type: str, place: str) -> None:
    """Wherever an enumeration is, in alternatives, lists and pairs too: the message is read, and what was met is told."""
    written = [json.loads(path.read_text()) for path in WRITTEN if _ce_type(path) == ce_type]
    for one in written:
        for holder, added in ADDED_LATER.get(ce_type, {}).items():
            _put(one, holder.strip("/").split("/"), added)
    said = next((one for one in written if _put(one, place.strip("/").split("/"), "invented-later")), None)
    assert said is not None, "no golden message has such a part"
    newer = json.dumps(said)
    if (ce_type, place) in STRICT:
        with pytest.raises(ValidationError):
            TYPES[ce_type].model_validate_json(newer)
        return
    met = UnknownValues()
    read = TYPES[ce_type].model_validate_json(newer, context=met)
    assert met
    assert all(each.endswith("=invented-later") for each in met)
    assert "invented-later" not in read.model_dump_json()
    # What a release writes again is valid for itself, and input that is written for it is held to its values.
    assert TYPES[ce_type].model_validate_json(read.model_dump_json(), context=KNOWN_ONLY) == read
    with pytest.raises(ValidationError):
        TYPES[ce_type].model_validate_json(newer, context=KNOWN_ONLY)


def test_a_reason_for_a_removal_that_is_not_known_yet_removes() -> None:
    """The default of each enumeration errs towards showing less."""
    (path,) = (
        path for path in WRITTEN if _ce_type(path) == messages.EnrichedUpdate.ce_type and path.parent.name == "0.1"
    )
    said = json.loads(path.read_text()) | {"removal": "recalled"}
    assert messages.EnrichedUpdate.model_validate(said).removal == "withdrawn"
    (path,) = (path for path in WRITTEN if _ce_type(path) == messages.RawUpdate.ce_type and path.parent.name == "0.1")
    said = json.loads(path.read_text()) | {"status": "quarantined"}
    assert messages.RawUpdate.model_validate(said).status == "withheld"


@pytest.mark.parametrize("ce_type", sorted(TYPES))
def test_leaving_out_defaults_loses_nothing(ce_type: str) -> None:
    """The compact form on the wire reads back as the same message."""
    (path,) = (path for path in WRITTEN if _ce_type(path) == ce_type and path.parent.name == "0.1")
    message = TYPES[ce_type].model_validate_json(path.read_text())
    assert TYPES[ce_type].model_validate_json(value_of(message)) == message


@pytest.mark.parametrize("ce_type", sorted(TYPES))
def test_the_envelope_is_a_cloudevent(ce_type: str) -> None:
    """Every message carries the required attributes of CloudEvents 1.0 as headers."""
    (path,) = (path for path in WRITTEN if _ce_type(path) == ce_type and path.parent.name == "0.1")
    message = TYPES[ce_type].model_validate_json(path.read_text())
    headers = dict(headers_for(message, source="slugline/test", event_id="1"))
    assert headers["ce_specversion"] == b"1.0"
    assert headers["ce_type"].decode() == ce_type
    assert {"ce_id", "ce_source", "ce_time", "content-type"} <= headers.keys()


def test_the_schemas_are_published_by_a_command(tmp_path: Path) -> None:
    """`python -m shared schemas` writes a valid JSON Schema for every message type."""
    subprocess.run([sys.executable, "-m", "shared", "schemas", str(tmp_path)], check=True, capture_output=True)
    assert {path.stem for path in tmp_path.glob("*.json")} == set(TYPES)
    for path in tmp_path.glob("*.json"):
        jsonschema.Draft202012Validator.check_schema(json.loads(path.read_text()))
