"""JSON, RFC 8259, as senders break it: every flaw is found with its JSON pointer, and what can be understood is.

A well-formed document takes the fast way. One that is not is read again slowly, to name what is wrong and where, so
that one bad item of a batch does not take the good ones with it.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import jiter
import orjson
from pydantic import JsonValue

from ingest.formats import charset
from ingest.formats.model import MAX_DOCUMENT_BYTES, MAX_REPAIRS, Document, RefusedItem, Unreadable
from ingest.formats.text import plain as text
from shared.messages import Repair

MAX_DEPTH = 64
"""Deeper documents are refused; the deepest of the real ones have 12 levels."""

_MAX_MENDED = 1024 * 1024
"""Mending quotes looks at every character; a larger document that needs it is refused instead."""

_MAX_MENDED_QUOTES = 50_000

_MAX_SLOW = 4 * 1024 * 1024
"""A document that is not well formed and larger is refused whole."""

MAX_CONTAINERS = 400_000
"""Objects and lists of one document; ten thousand items of an agency have 300,000."""

MAX_MEMBERS = 600_000

MAX_FIELDS = 5_000
"""Members of one item; real ones have up to a hundred."""

_CLOSES = re.compile(r"\s*(?:[:}\]]|,\s*[\"{\[\d\-tfn]|$)")
_CURLY_OPENS = re.compile(r"(?<=[{\[:,])(\s*)[\u201c\u201d\u201e\u201f]")
_CURLY_CLOSES = re.compile(r"[\u201c\u201d\u201e\u201f](?=\s*[:,}\]])")
_TRAILING_COMMA = re.compile(r",(\s*[}\]])")


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something that makes the value that contains it unacceptable."""

    pointer: str
    code: str
    reason: str


@dataclass(slots=True)
class Json:
    """A parsed document: its value, and the flaws in it by pointer."""

    value: JsonValue
    flaws: list[Flaw] = field(default_factory=list)
    repairs: list[Repair] = field(default_factory=list)
    _by_item: dict[str, list[Flaw]] = field(default_factory=dict)

    def below(self, pointer: str) -> list[Flaw]:
        """The flaws at an item's pointer or below it."""
        if not self.flaws:
            return []
        if not self._by_item:
            for flaw in self.flaws:
                steps = flaw.pointer.split("/")
                for count in range(1, min(len(steps), 5) + 1):
                    self._by_item.setdefault("/".join(steps[:count]), []).append(flaw)
        return self._by_item.get(pointer, [])

    def flaw_in(self, pointer: str) -> Flaw | None:
        """The first flaw at a pointer or below it."""
        return next(iter(self.below(pointer)), None)

    def tolerable(self, pointer: str) -> tuple[Flaw | None, list[Repair]]:
        """The flaws that a wire's item is accepted in spite of, as repairs, and the first one that it cannot be.

        A duplicate name deep inside means its last value; at the item's own level its meaning is unknown. Characters
        that cannot be kept are removed.
        """
        repairs: list[Repair] = []
        for flaw in self.below(pointer):
            deep = flaw.pointer.count("/") > pointer.count("/") + 1
            if flaw.code in ("lone-surrogate", "nul") or (flaw.code == "duplicate-key" and deep):
                repairs.append(Repair(code=flaw.code, place=flaw.pointer, detail=flaw.reason))
            else:
                return flaw, []
        return None, repairs[:MAX_REPAIRS]


@dataclass(frozen=True, slots=True)
class JsonItem:
    """An object that is taken, with what was repaired in it."""

    value: dict[str, JsonValue]
    repairs: list[Repair]


def item_of(parsed: Json, pointer: str, value: JsonValue) -> JsonItem | RefusedItem:
    """An item of a wire's document, or why it cannot be taken."""
    flaw, repairs = parsed.tolerable(pointer)
    if flaw:
        return RefusedItem(code=flaw.code, place=flaw.pointer, reason=flaw.reason)
    checked = object_of(pointer, value)
    return checked if isinstance(checked, RefusedItem) else JsonItem(checked, repairs)


def object_of(pointer: str, value: JsonValue, noun: str = "an item") -> dict[str, JsonValue] | RefusedItem:
    """The value where it is an object of a permitted size."""
    if not isinstance(value, dict):
        return RefusedItem(code="not-an-object", place=pointer or "/", reason=f"{noun} is a JSON object")
    if len(value) > MAX_FIELDS:
        reason = f"{len(value)} members, {MAX_FIELDS} are permitted"
        return RefusedItem(code="too-large", place=pointer or "/", reason=reason)
    return value


def text_of(value: object) -> str:
    """A text, or a number as text; empty for anything else."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else ""


class _Twice(dict[str, JsonValue]):
    """An object that names a member twice."""

    __slots__ = ("name",)
    name: str


@dataclass(frozen=True, slots=True)
class _NotJson:
    """NaN, Infinity or a number that no reader can hold."""

    text: str


def parse(document: Document, *, strict: bool) -> Json:
    """The document's value. `strict` refuses broken syntax and what is not UTF-8 instead of mending it."""
    kept = document.kept.get("json")
    if isinstance(kept, Json):
        return kept
    body = document.body
    if len(body) > MAX_DOCUMENT_BYTES:
        raise Unreadable("too-large", "", f"the document has {len(body)} bytes, {MAX_DOCUMENT_BYTES} are permitted")
    refuse_excess(body)
    try:
        if strict:
            value = orjson.loads(body)
            _DUPLICATES.decode(body.decode())
        else:
            known = document.kept.get("value")
            value = known.value if isinstance(known, Json) else _well_formed(body)
    except (ValueError, RecursionError):
        return _parse_slowly(document, strict)
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH:
        _check_depth(value)
    parsed = Json(value)
    document.unclean = text.may_be_unclean(body)
    if strict and b"\\u0000" in body:
        parsed.flaws = [flaw for flaw in _walk(value) if flaw.code == "nul"]
    return parsed


def refuse_excess(body: bytes) -> None:
    """Raises Unreadable for documents that would keep a parser busy for long, by counting bytes only."""
    if len(body) < MAX_CONTAINERS:
        return
    if (count := body.count(b"{") + body.count(b"[")) > MAX_CONTAINERS:
        if not body[: 64 * MAX_DEPTH].strip(b" \t\r\n[{"):
            raise _too_deep()
        raise Unreadable("too-large", "", f"{count} objects and lists, {MAX_CONTAINERS} are permitted")
    if (count := body.count(b'":')) > MAX_MEMBERS:
        raise Unreadable("too-large", "", f"{count} members, {MAX_MEMBERS} are permitted")


def _well_formed(body: bytes) -> JsonValue:
    """The value of well-formed JSON. jiter checks for duplicate names in a third of the time of other parsers."""
    value: JsonValue = jiter.from_json(body, allow_inf_nan=False, catch_duplicate_keys=True)
    return value


def first_object(document: Document) -> dict[str, JsonValue]:
    """The object that a format is recognised by: the document, or the first of its list; empty where it is not well formed."""
    if document.family != "json":
        return {}
    known = document.kept.get("first")
    if known is None:
        document.kept["first"] = known = Json({})
        refuse_excess(document.body)
        try:
            value = _well_formed(document.body)
            document.kept["value"] = Json(value)
        except ValueError:
            value = dict.fromkeys(re.findall(r'"([^"\n]{1,40})"\s*:', document.head))
        for _ in range(3):
            if isinstance(value, list):
                value = value[0] if value else {}
        if isinstance(value, dict):
            known.value = value
    return known.value if isinstance(known, Json) and isinstance(known.value, dict) else {}


def _pairs(pairs: list[tuple[str, object]]) -> None:
    if len(dict(pairs)) != len(pairs):
        raise ValueError


_DUPLICATES = json.JSONDecoder(object_pairs_hook=_pairs)


def _parse_slowly(document: Document, strict: bool) -> Json:
    if len(document.body) > _MAX_SLOW:
        raise Unreadable("malformed-json", "", f"more than {_MAX_SLOW} bytes are not looked through for what is wrong")
    parsed = Json(None)
    if strict and charset.by_signature(document.body[:8])[0] in (None, "utf-8"):
        decoded = document.body.decode("utf-8", "surrogateescape")
    else:
        decoded, _, wrong = charset.decode(document.body, document.declared_charset, fallback=document.profile.charset)
        if wrong:
            parsed.repairs.append(Repair(code="bad-charset", detail=wrong))
    decoded = decoded.lstrip("\ufeff")
    try:
        parsed.value = _load(decoded)
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:
        if strict:
            raise _syntax(error) from None
        parsed.value = _mend(decoded, parsed, error)
    else:
        if _RAW_CONTROL.search(decoded):
            parsed.repairs.append(Repair(code="control-characters", detail="unescaped in a string"))
    _check_depth(parsed.value)
    parsed.flaws = list(_walk(parsed.value))
    return parsed


_FOREIGN_BYTE = re.compile("[\udc80-\udcff]")
_RAW_CONTROL = re.compile('"[^"\n\r\t]*[\x00-\x08\x0b\x0c\x0e-\x1f]')


def _load(decoded: str) -> JsonValue:
    value: JsonValue = json.loads(
        decoded,
        strict=False,
        object_pairs_hook=_keep_pairs,
        parse_constant=_NotJson,
        parse_float=_float,
        parse_int=_int,
    )
    return value


def _keep_pairs(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    plain = dict(pairs)
    if len(plain) == len(pairs):
        return plain
    seen: set[str] = set()
    twice = _Twice(plain)
    for name, _ in pairs:
        if name in seen:
            twice.name = name
            break
        seen.add(name)
    return twice


def _float(written: str) -> float | _NotJson:
    number = float(written)
    return number if number - number == 0 else _NotJson(written[:20])


def _int(written: str) -> int | _NotJson:
    return int(written) if len(written) < 400 else _NotJson(written[:20])


def _mend(decoded: str, parsed: Json, error: ValueError) -> JsonValue:
    """The value after quotes and commas are put right; the first error where that does not help."""
    if len(decoded) > _MAX_MENDED or decoded.count('"') > _MAX_MENDED_QUOTES:
        raise _syntax(error)
    mended = decoded
    for code, mend in (
        ("curly-quote", _straighten),
        ("trailing-comma", lambda broken: _TRAILING_COMMA.sub(r"\1", broken)),
        ("unescaped-quote", _escape_quotes),
    ):
        changed = mend(mended)
        if changed == mended:
            continue
        mended = changed
        parsed.repairs.append(Repair(code=code, detail=str(error)[:200]))
        try:
            return _load(mended)
        except RecursionError:
            raise _too_deep() from None
        except ValueError:
            continue
    raise _syntax(error)


def _straighten(broken: str) -> str:
    return _CURLY_CLOSES.sub('"', _CURLY_OPENS.sub(r'\1"', broken))


def _escape_quotes(broken: str) -> str:
    """Escape quotes inside strings: those not followed by anything that may follow a string."""
    out: list[str] = []
    inside = False
    start = 0
    for match in re.finditer(r'\\.|"', broken, re.DOTALL):
        if match.group() != '"':
            continue
        at = match.start()
        if not inside:
            inside = True
        elif _CLOSES.match(broken, at + 1):
            inside = False
        else:
            out += (broken[start:at], '\\"')
            start = at + 1
    out.append(broken[start:])
    return "".join(out)


def _syntax(error: ValueError) -> Unreadable:
    if isinstance(error, json.JSONDecodeError):
        return Unreadable("malformed-json", f"{error.lineno}:{error.colno}", error.msg)
    return Unreadable("malformed-json", "", str(error)[:200])


def _too_deep() -> Unreadable:
    return Unreadable("too-deep", "", f"values are nested more than {MAX_DEPTH} deep")


def _check_depth(value: object) -> None:
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        below: list[object] = []
        for one in level:
            if isinstance(one, dict):
                below += [each for each in one.values() if isinstance(each, (dict, list))]
            elif isinstance(one, list):
                below += [each for each in one if isinstance(each, (dict, list))]
        if not below:
            return
        level = below
    raise _too_deep()


def pointer_of(*steps: str | int) -> str:
    """A JSON pointer, RFC 6901."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


def _walk(value: object) -> Iterator[Flaw]:
    stack: list[tuple[str, object]] = [("", value)]
    while stack:
        pointer, one = stack.pop()
        if isinstance(one, str):
            yield from _flaws_of_text(pointer, one)
        elif isinstance(one, dict):
            if isinstance(one, _Twice):
                yield Flaw(pointer + pointer_of(one.name[:60]), "duplicate-key", f"{one.name[:60]!r} is there twice")
            for name, each in reversed(one.items()):
                # A name of a megabyte would be repeated for each value below it.
                place = pointer + pointer_of(name[:60])
                yield from _flaws_of_text(place, name)
                stack.append((place, each))
        elif isinstance(one, list):
            stack += [(f"{pointer}/{index}", one[index]) for index in range(len(one) - 1, -1, -1)]
        elif isinstance(one, _NotJson):
            yield Flaw(pointer, "not-a-number", f"{one.text} is not a number that JSON has")


def _flaws_of_text(pointer: str, value: str) -> Iterator[Flaw]:
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            if _FOREIGN_BYTE.search(value):
                yield Flaw(pointer, "bad-charset", "bytes that are not UTF-8")
            else:
                yield Flaw(pointer, "lone-surrogate", "half of a surrogate pair is no character")
    if "\x00" in value:
        yield Flaw(pointer, "nul", "NUL cannot be kept")
