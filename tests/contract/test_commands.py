"""What commands print: JSON of whatever Postgres has, in every service."""

import ast
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address

import orjson

from shared.commands import to_json
from support.places import ROOT


def _printed() -> Iterator[tuple[str, str]]:
    """Each call within `click.echo`, and where it is."""
    for path in sorted([*ROOT.glob("services/*/src/**/*.py"), *ROOT.glob("shared/src/**/*.py")]):
        text = path.read_text("utf-8")
        if "click.echo(" not in text:
            continue
        for echo in (each for each in ast.walk(ast.parse(text)) if isinstance(each, ast.Call)):
            if ast.unparse(echo.func) == "click.echo":
                for call in (each for each in ast.walk(echo) if isinstance(each, ast.Call)):
                    yield f"{path.relative_to(ROOT)}:{call.lineno}", ast.unparse(call.func)


def test_all_that_commands_print_as_json_is_made_in_one_place() -> None:
    """orjson alone ends with a traceback at asyncpg's UUIDs and addresses, and its bytes pass by what a terminal is spared."""
    found = list(_printed())
    assert sum(function == "to_json" for _, function in found) > 20
    assert [where for where, function in found if function in ("orjson.dumps", "orjson.loads")] == []


def test_any_value_of_postgres_can_be_printed() -> None:
    """What JSON has no form for is text, and sets have an order."""

    @dataclass
    class Row:
        name: str

    value = {"id": uuid.UUID(int=1), "address": ip_address("192.0.2.1"), "seen": {"b", "a"}, 1: Row("a")}
    expected = {"id": str(uuid.UUID(int=1)), "address": "192.0.2.1", "seen": ["a", "b"], "1": {"name": "a"}}
    assert orjson.loads(to_json(value)) == orjson.loads(to_json(value, indented=True)) == expected
