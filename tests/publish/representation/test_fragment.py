"""A body that fits where a page puts it."""

import re

import nh3
import pytest
from hypothesis import given
from hypothesis import settings as with_settings
from hypothesis import strategies as st
from lxml import html

from publish.representation import fragment
from publish.representation.fragment import fitting

TAGS = "p div span em strong a ul ol li table tr td h1 h3 blockquote pre br hr dl dt b i figure section q".split()  # noqa: SIM905
PIECES = st.lists(
    st.one_of(
        st.sampled_from([f"<{tag}>" for tag in TAGS] + [f"</{tag}>" for tag in TAGS]),
        st.sampled_from(['<a href="https://a.example/ü?q=<">', "<a href='javascript:alert(1)'>", "<script>x</script>"]),
        st.sampled_from(["words", " ", "&amp;", "&lt;b>", "<", "\u202e", "é", "<!-- no -->", "<![CDATA[x]]>"]),
    ),
    max_size=40,
).map("".join)

PHRASING = {"em", "strong", "b", "i", "q", "a", "br"}


def judge(body: str) -> None:
    """Fail where an element stands in a place that HTML has no room for."""
    root = html.fragment_fromstring(body, create_parent="div")
    for element in root.iter():
        parent = element.getparent()
        if parent is None:
            continue
        assert element.tag not in ("script", "div", "span", "figure", "section", "dl", "dt")
        if element.tag == "li":
            assert parent.tag in ("ul", "ol")
        elif element.tag in PHRASING:
            assert parent.tag not in ("ul", "ol", "table", "tbody", "tr")
        elif element.tag in ("td", "th"):
            assert parent.tag == "tr"
        elif element.tag not in ("tr", "tbody"):
            assert parent.tag in ("div", "li", "blockquote", "td", "th"), f"{element.tag} in {parent.tag}"
        if element.tag == "a":
            assert "a" not in [each.tag for each in element.iterancestors()]
            assert re.match(r"(https?|mailto):", element.get("href"))


@given(PIECES)
@with_settings(max_examples=300)
def test_any_body_becomes_one_that_fits(body: str) -> None:
    """However a source nested its elements, what comes out holds only what HTML allows there, and nothing that runs."""
    judge(fitting(nh3.clean(body)))


@given(PIECES)
@with_settings(max_examples=100)
def test_a_fitting_body_stays_as_it_is(body: str) -> None:
    """What fits is not changed again, so a body that passes twice is the same."""
    once = fitting(body)
    assert fitting(once) == once


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("", ""),
        ("  \n ", ""),
        ("plain words", "<p>plain words</p>"),
        ("one<br><br>two", "<p>one<br><br>two</p>"),
        ("<p>a</p>b<p>c</p>", "<p>a</p><p>b</p><p>c</p>"),
        ("<div>a<div>b</div></div>", "<p>a</p><p>b</p>"),
        ("<h1>Head</h1><h3>Sub</h3>", "<h4>Head</h4><h5>Sub</h5>"),
        ("<ul>x<li>a</li><ul><li>b</li></ul></ul>", "<ul><li>a</li><li><ul><li>b</li></ul></li></ul>"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>",
         "<table><tbody><tr><td><p>a</p></td><td><p>b</p></td></tr><tr><td><p>c</p></td><td></td></tr></tbody></table>"),
        ('<a href="https://a.example/a b">x</a>', '<p><a href="https://a.example/a%20b" rel="noopener nofollow">x</a></p>'),
        ('<a href="/relative">x</a>', "<p>x</p>"),
        ('<a href="https://a.example:99999/">x</a>', "<p>x</p>"),
        ("<p>5 &lt; 6 &amp; 7</p>", "<p>5 &lt; 6 &amp; 7</p>"),
    ],
)  # fmt: skip
def test_bodies_of_real_wires(body: str, expected: str) -> None:
    """Bare text becomes paragraphs, nested blocks are laid flat, lists and tables are made whole, odd links lose their link."""
    assert fitting(body) == expected


def test_a_body_of_any_depth_is_taken() -> None:
    """Thousands of nested elements neither fail nor take their words away."""
    deep = "<div><em>" * 3000 + "words" + "</em></div>" * 3000
    assert "words" in fitting(deep)


def test_a_table_keeps_its_caption() -> None:
    """Before its rows, as HTML has it; an empty one is no caption."""
    rows = "<tr><th>Gate</th></tr><tr><td>One</td></tr>"
    assert fitting(f"<table><caption>Gates <em>closed</em></caption>{rows}</table>") == (
        "<table><caption>Gates <em>closed</em></caption><tbody><tr><th><p>Gate</p></th></tr><tr><td><p>One</p></td></tr></tbody></table>"
    )
    assert "caption" not in fitting(f"<table><caption> </caption>{rows}</table>")


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["<p>", "<p> ", "</p><p>"]),
            st.text(st.sampled_from("ab\"' \n\t\u00a0\u2028\u202e\ufeff\u0301é😀&<"), max_size=12),
            st.sampled_from(["</p>", "</p>\n", "</p> \n "]),
        ),
        max_size=5,
    ).map(lambda pieces: "".join(map("".join, pieces)))
)
@with_settings(max_examples=300)
def test_plain_paragraphs_are_what_parsers_make_of_them(body: str) -> None:
    """What is taken without a parser is byte for byte what comes of it with one."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(fragment, "PARAGRAPHS", re.compile(r"(?!)"))
        parsed = fitting(body)
    assert fitting(body) == parsed


def test_plain_paragraphs_need_no_parser() -> None:
    """What most updates are, and nothing that has an element or a reference in it, is told by one expression."""
    assert fragment.PARAGRAPHS.fullmatch("<p>It’s 7 °C.</p>\n<p>“Cold,” he said.</p>")
    for other in (
        "<p>a<br>b</p>",
        "<p>a &amp; b</p>",
        "<p>a",
        "a",
        "<p>a</p>b",
        "<p class=x>a</p>",
        "<p>\x00</p>",
        "<p>\ud800</p>",
    ):
        assert not fragment.PARAGRAPHS.fullmatch(other), other
