"""Sanitised HTML, checked by a parser that has nothing to do with the sanitiser."""

import json
import re
from typing import Any

import html5lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enrich.short_text import slug_of, tidy
from enrich.text.steps.text.plain_text import plain
from enrich.text.steps.text.sanitise import CLEAN, TAGS, sanitised
from enrich.text.steps.text.step import bare_text, read_text
from support.places import conformance_files

PIECES = [
    "<p>",
    "</p>",
    "<b>",
    "</b>",
    "<em>",
    "</em>",
    "a",
    "word ",
    "\n",
    " ",
    "\t",
    "&amp;",
    "é",
    "\xa0",
    "<br>",
    '"',
    "&lt;",
    "&",
    ">",
]


LINKS = re.compile(r"(?:https?://|mailto:|tel:)")


NAUGHTY = [each for path in conformance_files("naughty-strings", "blns.json") for each in json.loads(path.read_text())]
ATTACKS = [
    path.read_text(errors="replace").partition("\n--\n")[0] for path in conformance_files("html-sanitise", "*.test")
] + [
    "<p onclick=alert(1)>x</p>",
    '<a href="java\tscript:alert(1)">x</a>',
    '<a href="https://ok.example/" style="position:fixed" target=_blank id=x class=y>x</a>',
    "<svg><script>alert(1)</script></svg>",
    "<math><mtext></p><style><img src=x onerror=alert(1)></style>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<form action=//evil><input name=a></form><button formaction=javascript:1>x",
    "<img src=x onerror=alert(1)><video src=x onerror=alert(1)><iframe srcdoc='<script>1</script>'>",
    "<base href=//evil><meta http-equiv=refresh content='0;url=//evil'><link rel=stylesheet href=//evil>",
    "<p>unclosed <b>bold <i>both",
    "<td colspan=99999999>x</td><ol start=-1 type=xyz><li>y</ol>",
    "<table><tr><td><div><p>x",
    "<!--[if IE]><script>1</script><![endif]--><?xml version='1.0'?><![CDATA[x]]>",
]


def walk(node: Any) -> list[Any]:
    """A tree's elements."""
    return [each for each in node.iter() if isinstance(each.tag, str)]


def check(body: str) -> None:
    """What an HTML parser of its own makes of sanitised HTML holds nothing that runs, loads or leaves the element."""
    fragment = html5lib.parseFragment(body, treebuilder="etree", namespaceHTMLElements=False)
    for element in walk(fragment):
        if element.tag == "DOCUMENT_FRAGMENT":
            continue
        assert element.tag in TAGS | {"tbody"}, element.tag
        for name, value in element.attrib.items():
            assert not name.startswith("on"), name
            assert name in {"href", "title", "cite", "datetime", "lang", "dir", "rel", "start", "reversed", "type", "colspan", "rowspan", "scope"}  # fmt: skip
            if name in ("href", "cite"):
                assert LINKS.match(value), value


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_comes_out_of_an_attack_is_harmless(attack: str) -> None:
    """No script, handler, frame, form, style or foreign scheme is left, whatever goes in."""
    body = sanitised(attack)
    check(body)
    assert sanitised(body) == body


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from([*ATTACKS, "<p>", "</p>", "<b>", "text ", "<", ">", '"', "&amp;", "&lt;", "<a href='", "\x00", "é", "<ul><li>", "</div>"]), max_size=12))  # fmt: skip
def test_any_mixture_is_harmless_and_stays_as_it_is_the_second_time(pieces: list[str]) -> None:
    """Cut and joined as hostile copy would be, it is safe and a fixed point."""
    body = sanitised("".join(pieces))
    check(body)
    check(bare_text("", "".join(pieces), "", None).body_html)
    assert plain(sanitised(body)) == plain(body)


@pytest.mark.parametrize("index", range(len(NAUGHTY)))
def test_naughty_strings_pass_unharmed_and_harmless(index: int) -> None:
    """As a headline, and as plain text of a body, they come out as they went in, control characters and edges aside."""
    naughty = NAUGHTY[index]
    made = read_text(naughty, f"<p>{naughty.replace('&', '&amp;').replace('<', '&lt;')}</p>", naughty, None)
    check(made.body_html)
    visible = re.compile(r"[\x00-\x20\x7f-\x9f\ufdd0-\ufdef\ufeff\ufffe\uffff\u202c\u2069]")
    assert visible.sub("", made.headline) == visible.sub("", naughty)
    assert visible.sub("", made.text) == visible.sub("", naughty)
    assert slug_of(naughty)
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug_of(naughty))


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("  Two   words \n", "Two words"),
        ("“Quotes” — and ‘these’ – stay", "“Quotes” — and ‘these’ – stay"),
        ("10\u00a0000\u00a0€ «\u202foui\u202f»", "10\u00a0000\u00a0€ «\u202foui\u202f»"),
        ("می\u200cخواهم 👩\u200d👩\u200d👧", "می\u200cخواهم 👩\u200d👩\u200d👧"),
        ("a\x00b\x07c\ufeffd\ufffee", "abcde"),
        ("turned \u202eback", "turned \u202eback\u202c"),
        ("isolated \u2067two", "isolated \u2067two\u2069"),
        ('it\'s "straight" -- still', 'it\'s "straight" -- still'),
    ],
)
def test_the_clean_up_never_changes_what_is_meant(sent: str, kept: str) -> None:
    """Spaces and control characters go; quotes, dashes, joiners and hard spaces are the writer's."""
    assert tidy(sent) == kept


@pytest.mark.parametrize("hostile", ["<b>" * 100_000 + "x", "<div>" * 50_000 + "x", "<ul><li>" * 20_000 + "x", '<a href="' * 50_000, "<p></p>" * 50_000, "&" * 200_000])  # fmt: skip
def test_nesting_and_repetition_cost_no_time(hostile: str) -> None:
    """A parser's square time is not reached: what is nested deeper than any desk would is flattened."""
    check(read_text("", hostile, "", "en").body_html[:5000])


@given(st.lists(st.lists(st.sampled_from(PIECES), max_size=6).map("".join), min_size=1, max_size=3))
def test_copy_that_is_taken_for_clean_is_what_the_cleaner_makes_of_it(paragraphs: list[str]) -> None:
    """The plainest copy passes by the cleaner, and only what would come out as it went in."""
    body = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    if CLEAN.fullmatch(body):
        # An element that the cleaner's table does not name sends the text the long way.
        assert sanitised(f"<span>{body}</span>").replace("<span>", "").replace("</span>", "") == body
