"""Members inside members, as content systems nest them. Pure."""

from collections.abc import Mapping

from pydantic import JsonValue

from ingest.formats.json.document import text_of


def inner(item: Mapping[str, JsonValue], *path: str) -> JsonValue:
    """The value at a path of names; None where a step is no object."""
    value: JsonValue = None
    for name in path:
        value = item.get(name)
        item = value if isinstance(value, dict) else {}
    return value


def objects(value: JsonValue, most: int = 200) -> list[dict[str, JsonValue]]:
    """The objects of a list, of lists in it too."""
    found: list[dict[str, JsonValue]] = []
    for one in value[:most] if isinstance(value, list) else [value]:
        if isinstance(one, dict):
            found.append(one)
        elif isinstance(one, list):
            found += [two for two in one[:most] if isinstance(two, dict)]
    return found


def names(value: JsonValue, member: str = "name") -> list[str]:
    """What the objects of a list are called."""
    return [said for one in objects(value) if (said := text_of(one.get(member)).strip())]
