"""What is made of markup is a small multiple of it, however its elements stand within each other."""

import pytest
from hypothesis import example, given
from hypothesis import settings as with_settings
from hypothesis import strategies as st

from enrich.text.domain.corrections.merge import MergedText
from enrich.text.steps.text.plain_text import plain
from enrich.text.steps.text.sanitise import sanitised
from enrich.text.steps.text.step import bare_text
from publish.representation.fragment import fitting
from publish.representation.linked_data import news_article
from publish.representation.ninjs import ninjs
from publish.representation.reader_json import dump
from security.growth.pumps import PUMPS
from security.growth.test_text import MARKUP, WHOLE, entry, feed, webhook
from shared.markup import MAX_DEPTH, repair_nesting

TIMES, MORE = 8, 3000
"""A no-break space becomes `&nbsp;` and a link gets `rel=nofollow`: most text stays as long as it is."""

NAMES = "p div span b i em font a ul ol li table tbody tr td th caption h2 h5 blockquote pre br hr dl dd ruby rt svg select style o:p section".split()  # noqa: SIM905
PIECES = st.one_of(
    st.sampled_from([f"<{name}>" for name in NAMES] * 2 + [f"</{name}>" for name in NAMES]),
    st.sampled_from(
        [
            '<b id=1 title="</b>">',
            "<b id=2>",
            "<a href='https://a.example/'>",
            '<td colspan="1000">',
            "<p title='>'>",
            "<br/",
            "<!--",
            "-->",
        ]
    ),
    st.sampled_from(["x", " words ", "&amp;", "\xa0", "<", "&", "»"]),
)
MARKUPS = st.lists(
    st.tuples(st.lists(PIECES, min_size=1, max_size=8), st.integers(1, 60)).map(
        lambda said: "".join(said[0]) * said[1]
    ),
    min_size=1,
    max_size=6,
).map("".join)
"""A few pieces, some of them many times over: nested, torn, left open."""

STEPS = {
    "nested": repair_nesting,
    "sanitised": sanitised,
    "plain": lambda body: plain(sanitised(body)),
    "degraded": lambda body: bare_text("", body, "", None).body_html,
    "fragment": fitting,
    "fragment of what was sanitised": lambda body: fitting(sanitised(body)),
}


def judge(made: str | bytes, value: str, times: int = TIMES, more: int = MORE) -> None:
    """Fail where something is many times as long as what it was made of."""
    assert len(made) <= times * len(value) + more, f"{len(value)} characters became {len(made)}: {value[:200]!r}"


@pytest.mark.parametrize("name", STEPS)
@given(body=MARKUPS)
@with_settings(max_examples=150, deadline=None)
def test_a_step_makes_no_more_than_a_few_times_what_it_is_given(name: str, body: str) -> None:
    """Every step that makes markup of markup, on markup of any shape."""
    judge(STEPS[name](body), body)


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("pump", [*(each for each in PUMPS if "between words" not in each), *MARKUP])
def test_hostile_text_does_not_grow(name: str, pump: str) -> None:
    """So too of what is made to grow."""
    value = (PUMPS | MARKUP)[pump](8000)
    judge(STEPS[name](value), value)


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("pump", [*MARKUP, "unequal rows", "tables in tables", "no-break spaces"])
def test_whole_answers_do_not_grow(name: str, pump: str) -> None:
    """A page has a body, a headline in a dozen places and as many lines, escaped once or twice."""
    value = (PUMPS | MARKUP)[pump](8000)
    made = WHOLE[name](value)
    said = (
        made if isinstance(made, str | bytes) else made.text if isinstance(made, MergedText) else made.model_dump_json()
    )
    judge(said, value, times=150, more=40_000)


@given(body=MARKUPS)
@with_settings(max_examples=60, deadline=None)
def test_what_leaves_the_house_does_not_grow(body: str) -> None:
    """The content of feeds, of webhooks, of ninjs and of linked data: each word that an update says, some of them escaped twice."""
    standing = entry(body)
    for made in (
        feed(body).rss(),
        feed(body).atom(),
        feed(body).json(),
        webhook(body),
        dump(ninjs(feed(body).renderer.site, standing.update)),
        dump(news_article(feed(body).renderer.site, standing.update)),
    ):
        judge(made, body, times=100, more=20_000)


@example(body="<div><table>" * 26)
@example(body="<div>" * 98 + "<table>a")
@example(body="<div>" * 96 + "<table><tbody><tr><td>a")
@given(body=MARKUPS)
@with_settings(max_examples=150, deadline=None)
def test_nothing_is_left_to_nest_anew(body: str) -> None:
    """What was nested plainly is so already, and no deeper than it may be."""
    once = repair_nesting(body)
    assert repair_nesting(once) == once


@pytest.mark.parametrize(
    ("body", "nested"),
    [
        ("<p>a</p>" * 20, "<p>a</p>" * 20),
        ("<p><b>a</p><p>c" * 10, "<p><b>a</b></p><p>c</p>" * 10),
        ("<ul><li>a<li>b</ul>" * 10, "<ul><li>a<li>b</ul>" * 10),
        ("<b><i>a</b></i>" * 10, "<b><i>a</i></b>" * 10),
        ("<table><b>a</b><tr><td>c</table>" * 10, "<table><tr><td><b>a</b></td></tr><tr><td>c</td></tr></table>" * 10),
        ("<p>a<div>c</p>d</div>" * 10, "<p>a</p><div>cd</div>" * 10),
        ("<script>if (a<b) x</script><p>y</p>" * 10, "<p>y</p>" * 10),
        ("<h2>a</h3><p>c</p>" * 10, "<h2>a</h3><p>c</p>" * 10),
        ('<p title="</p><b>">a</p>' * 10, '<p title="</p><b>">a</p>' * 10),
        ("a < b and <p>c</p>" * 10, "a < b and <p>c</p>" * 10),
        ("<td>a<tr>c" * 10, " a c" * 10),
        ("<div>" * (MAX_DEPTH + 2) + "a", "<div>" * MAX_DEPTH + "  a" + "</div>" * MAX_DEPTH),
    ],
)
def test_elements_end_where_they_should(body: str, nested: str) -> None:
    """Words stay in their order; what was left open ends with what is around it; what a parser ends by itself is left to it."""
    assert repair_nesting(body) == nested


@pytest.mark.parametrize("levels", [8, 14, 17, 1000])
def test_tables_in_tables_have_each_row_once(levels: int) -> None:
    """As deep as a page shows them, and the words of what is deeper."""
    body = "<table><tr><td>" * levels + "x" + "</td></tr></table>" * levels
    judge(fitting(body), body, times=4, more=200)
    assert fitting(body).count("x") == 1


@pytest.mark.parametrize("cells", [100, 1000, 2000])
def test_rows_of_unequal_length_are_filled_up_within_bounds(cells: int) -> None:
    """One row of many cells and many rows of one are shown one after the other."""
    body = "<table>" + "<tr>" + "<td>a</td>" * cells + "</tr>" + "<tr><td>b</td></tr>" * cells + "</table>"
    judge(fitting(body), body, times=4, more=200)
    assert fitting(body).count("a</p>") == fitting(body).count("b</p>") == cells
