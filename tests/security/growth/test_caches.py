"""What is remembered of the words of strangers: results by names, and never by a name of a megabyte."""

import ast
from collections.abc import Iterator

import pytest

from shared.remembered import remembered
from support.places import ROOT

OF_OURS = {
    "catalogue": "a language of the interface",
    "script_words": "names of our scripts",
    "settings_of": "names of our vendors",
    "_context": "our own certificates",
    "_many_rows": "types of a statement of ours",
    "_one_row": "types of a statement of ours",
    "_origin": "of an address, which has a bound",
    "_score": "what our vocabulary says of a name",
    "marked": "a message's type",
    "_coded": "asked for with less than a hundred characters",
    "_day": "a date",
    "_weekday": "a date",
    "_short_day": "a date",
    "_folded": "an operator's settings",
    "_kind_of": "asked for with no more characters than a name has",
    "_named": "a profile's time zone",
    "_terms": "words that are cut",
}
"""Functions that keep results by whatever they are asked for, and why nobody else says what that is."""


def caches() -> Iterator[tuple[str, str]]:
    """Each function that is decorated by one of functools' caches, with its file."""
    for path in sorted((ROOT / "services").rglob("src/**/*.py")) + sorted((ROOT / "shared").rglob("src/**/*.py")):
        text = path.read_text("utf-8")
        if "cache" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                for each in node.decorator_list:
                    named = ast.unparse(each).partition("(")[0].rpartition(".")[2]
                    if named in ("cache", "lru_cache") and node.args.args[:1] != [] and node.args.args[0].arg != "self":
                        yield node.name, str(path.relative_to(ROOT))


def test_no_function_remembers_what_a_stranger_says_however_long_it_is() -> None:
    """`shared.remembered` has a bound of characters; another cache is of what we say ourselves, for a reason that stands here."""
    found = dict(caches())
    assert {name: path for name, path in found.items() if name not in OF_OURS} == {}


def test_long_texts_are_not_remembered() -> None:
    """Those that are short are worked on once; whatever else they were asked for with belongs to them."""
    asked: list[tuple[str, str, bool]] = []

    @remembered(2, 10)
    def noted(first: str, second: str = "", *, flag: bool = False) -> int:
        asked.append((first, second, flag))
        return len(first)

    for _ in range(3):
        assert noted("a") == 1
        assert noted("a", flag=True) == 1
        assert noted("b" * 11) == 11
        assert noted("a", "c" * 11) == 1
    assert len(asked) == 2 + 3 + 3
    noted("x"), noted("y"), noted("a")
    assert len(asked) == 2 + 3 + 3 + 3
    with pytest.raises(TypeError):
        noted()  # type: ignore[call-arg]
