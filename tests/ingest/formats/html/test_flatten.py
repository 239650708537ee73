"""Bodies are kept shallow, narrow and balanced; the words stay."""

import html5lib
import nh3
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ingest.formats.html.flatten import flat
from ingest.formats.html.nesting import MAX_ATTRIBUTES, MAX_COLUMNS, MAX_DEPTH, MAX_ROWS, fits
from security.growth.measure import growth
from security.growth.pumps import PUMPS

TAGS = (
    "p", "div", "span", "b", "i", "a", "font", "table", "tr", "td", "th", "tbody", "caption", "ul", "ol", "li", "dl", "dd", "h2",
    "blockquote", "pre", "img", "br", "svg", "math", "select", "option", "template", "script", "style", "textarea", "iframe", "noscript",
    "foo", "x-y", "button", "form", "ruby", "rt", "object", "title", "body", "html", "plaintext",
)  # fmt: skip
ATTRIBUTES = (
    "",
    ' class="a"',
    " title='<b>'",
    ' a=">"',
    ' colspan="9999999999"',
    " x=1 y",
    ' href="',
    " '",
    "/",
    " id=a{}",
)
OTHER = (
    "a ",
    " ",
    "\n",
    "<",
    ">",
    "&lt;",
    "&",
    "<!--",
    "-->",
    "<!-->",
    "<![CDATA[",
    "]]>",
    "<?a",
    "</",
    "</>",
    "\xa0",
    '"',
    "'",
)

_part = st.one_of(
    st.builds(lambda tag, attribute: f"<{tag}{attribute}>", st.sampled_from(TAGS), st.sampled_from(ATTRIBUTES)),
    st.sampled_from(TAGS).map(lambda tag: f"</{tag}>"),
    st.sampled_from(OTHER),
)
markups = st.lists(st.tuples(_part, st.integers(1, 40)), max_size=60).map(
    lambda parts: "".join(part.replace("{}", str(number)) * number for part, number in parts)
)


def depth(html: str) -> int:
    """How deep a parser that is not ours finds the markup, without its own `html` and `body`."""
    tree = html5lib.parse(html, treebuilder="etree", namespaceHTMLElements=False)
    deepest, level = 0, [tree.find("body")]
    while level:
        level = [child for one in level if one is not None for child in one if isinstance(child.tag, str)]
        deepest += bool(level)
    return deepest


@example("<div>" * 4 + "<svg>" * 8 + "<tr>" * 29)
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(markups)
def test_flattened_markup_keeps_to_the_limits(html: str) -> None:
    """Whatever is nested how: the result fits, stays what it is, is no many times larger, and parsers agree on its depth."""
    made = flat(html).html
    assert fits(made)
    assert flat(made) == (made, ())
    assert len(made) <= 6 * len(html) + 100
    # A parser adds rows and bodies of tables that were not written.
    assert depth(made) <= MAX_DEPTH + 8


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(markups)
def test_what_a_cleaner_makes_of_flattened_markup_is_no_larger(html: str) -> None:
    """Formatting that was left open is opened again in each paragraph by whoever reads as browsers do: none is left open."""
    made = flat(html).html
    assert len(nh3.clean(made)) <= 12 * len(made) + 200


@pytest.mark.parametrize("before", ["{}", "<p>{}", "<table><tr><td>{}", "<b><p {}", "<!-- {}"])
def test_time_and_size_grow_with_the_markup(before: str) -> None:
    """Of every kind of hostile text, wherever it stands."""
    for name, pump in PUMPS.items():
        # Rows enough for their limit, so that both lengths are rewritten: to see that a body fits takes less.
        length = 50_000 if "rows" in name else 10_000
        assert not growth(flat, lambda n, pump=pump: before.replace("{}", pump(n)), length), name  # type: ignore[misc]
        html = before.replace("{}", pump(10_000))
        assert len(flat(html).html) <= 6 * len(html), name


@pytest.mark.parametrize(
    "html",
    [
        '<p>Plain, with <a href="https://example.org/?a=1&amp;b=2">a link</a> and <b>more</b>.</p><p>Next<br>line</p>',
        "<ul><li>one<li>two</ul><p>open<p>paragraphs",
        "<table><caption>a</caption><thead><tr><th>a<th>b</thead><tr><td colspan=2>c</table>",
        "<!-- said --><blockquote class='x'><p>Quote</p></blockquote><img src=a.png>",
        '<svg viewBox="0 0 1 1"><title>a</title><circle r="1"></svg>',
        "1 &lt; 2 &amp; 3 > 2",
        "",
    ],
)
def test_ordinary_markup_is_left_as_it_is(html: str) -> None:
    """To the letter, so that its fingerprint does not change."""
    assert flat(html) == (html, ())


def test_tables_in_tables_are_taken_apart() -> None:
    """The outer table stays; the words of the inner ones stand in its cell, each row on a line of its own."""
    made = flat(
        "<table><tr><td>a<table><tr><td>b</td><td>c</td></tr><tr><td>d</td></tr></table></td><td>e</td></tr></table>"
    )
    assert made.html == "<table><tr><td>a<br>b c<br>d<br></td><td>e</td></tr></table>"
    assert made.changes == ("tables in tables were taken apart",)


def test_what_is_too_deep_keeps_its_words() -> None:
    """Elements beyond the limit are left out, paragraphs among them become lines."""
    made = flat("<div>" * 100 + "<p>a</p><p>b</p>" + "</div>" * 100 + "<p>c</p>")
    assert made.html == "<div>" * MAX_DEPTH + "a<br>b<br>" + "</div>" * MAX_DEPTH + "<p>c</p>"
    assert "nested more than 32 deep" in made.changes[0]


def test_a_row_that_is_too_wide_keeps_its_words_in_its_last_cell() -> None:
    """And a table that is too long goes on as another."""
    row = "<tr>" + "".join(f"<td>{number}</td>" for number in range(MAX_COLUMNS + 3)) + "</tr>"
    made = flat(f"<table>{row}<tr><td>x</td></tr></table>")
    assert made.html.count("<td>") == MAX_COLUMNS + 1
    assert "<td>49 50 51 52</td></tr><tr><td>x</td>" in made.html
    long = flat("<table>" + "<tr><td>a</td></tr>" * (MAX_ROWS + 1) + "</table>").html
    assert long.count("<table>") == 2
    assert long.count("<td>a</td>") == MAX_ROWS + 1


def test_attributes_are_few_and_short() -> None:
    """The first ones are kept; spans beyond the widest row and values of thousands of characters are not."""
    made = flat("<p " + " ".join(f'a{number}="v"' for number in range(100)) + f' b="{"x" * 9000}">c</p>').html
    assert made.count("=") == MAX_ATTRIBUTES
    assert (
        flat('<table><tr><td colspan="1000" title="t">a</td></tr></table>').html
        == '<table><tr><td title="t">a</td></tr></table>'
    )


def test_formatting_that_was_left_open_is_closed_where_its_paragraph_ends() -> None:
    """A browser would open all of it again in each later paragraph: the square of their number."""
    body = "<p>" + "".join(f'<font color="{number}">' for number in range(30)) + "a</p>" + "<p>b</p>" * 100
    made = flat(body).html
    assert made.endswith("</font></p>" + "<p>b</p>" * 100)
    assert len(nh3.clean(made, tags={"p", "font"})) < 2 * len(made)


def test_what_is_hidden_from_one_parser_is_hidden_from_none() -> None:
    """Comments that end at once, quotes in names and scripts: what we take for text is written as text."""
    assert flat("<!--><div><b>a</div>").html == "<div><b>a</b></div>"
    assert flat("<p title='\">'>a</p>").html in ("<p title='\"&gt;'>a</p>", "<p title='\">'>a</p>")
    assert flat("<script><p></script><p>a<b></p>").html == "<p>a<b></b></p>"
    assert flat('<a href="x <b>y</b>').html.count("<b>") <= 1
