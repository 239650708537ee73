"""What commands print: JSON of whatever Postgres has, in every service."""

import ast
from collections.abc import Iterator

from support.places import ROOT


def _printed() -> Iterator[tuple[str, ast.Call]]:
    """Each call of `orjson.dumps` within `click.echo`, and where it is."""
    for path in sorted([*ROOT.glob("services/*/src/**/*.py"), *ROOT.glob("shared/src/**/*.py")]):
        text = path.read_text("utf-8")
        if "click.echo(" not in text or "orjson.dumps(" not in text:
            continue
        for echo in (each for each in ast.walk(ast.parse(text)) if isinstance(each, ast.Call)):
            if ast.unparse(echo.func) == "click.echo":
                for call in (each for each in ast.walk(echo) if isinstance(each, ast.Call)):
                    if ast.unparse(call.func) == "orjson.dumps":
                        yield f"{path.relative_to(ROOT)}:{call.lineno}", call


def test_what_a_command_prints_as_json_may_be_any_value_of_postgres() -> None:
    """asyncpg's UUID and addresses are not known to orjson, which ends with a traceback: the value is text then."""
    found = list(_printed())
    assert len(found) > 15
    assert [where for where, call in found if not any(each.arg == "default" for each in call.keywords)] == []
