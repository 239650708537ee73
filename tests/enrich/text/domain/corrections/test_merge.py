"""What a desk made of a text, what its source says later, and the two together: over random edits of both."""

import re
import time
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from enrich.text.domain.corrections.merge import merged
from enrich.text.domain.corrections.tokens import blocks_of, is_balanced

WORD = re.compile(r"[a-z]+\d+")


def html(paragraphs: list[list[str]]) -> str:
    """Paragraphs of sentences."""
    return "".join(f"<p>{' '.join(f'{sentence}.' for sentence in each)}</p>" for each in paragraphs)


def sentence(number: int, words: int = 5) -> str:
    """A sentence all of whose words occur once in a text."""
    return " ".join(f"w{10 * number + at}" for at in range(words))


@st.composite
def articles(draw: st.DrawFn) -> list[list[str]]:
    """Paragraphs of sentences of words that are all different."""
    numbers = iter(range(1000))
    return [
        [sentence(next(numbers), draw(st.integers(4, 7))) for _ in range(draw(st.integers(1, 3)))]
        for _ in range(draw(st.integers(1, 5)))
    ]


@dataclass
class Edited:
    """What an article became by edits, and the words that are new in it."""

    paragraphs: list[list[str]]
    put: set[str]


@st.composite
def edited(draw: st.DrawFn, article: list[list[str]], fresh: str, spare: str = "") -> Edited:
    """An article with one to three edits: words replaced, sentences put in or taken out, paragraphs moved, put in, or taken out.

    Sentences that contain the word `spare` are moved at most.
    """
    paragraphs = [list(each) for each in article]
    for number in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(paragraphs) - 1))
        line = draw(st.integers(0, len(paragraphs[at]) - 1))
        kind = draw(st.sampled_from(["word", "sentence in", "sentence out", "move", "paragraph in"]))
        new = sentence(900 + number).replace("w", fresh)
        if kind == "word":
            words = paragraphs[at][line].split()
            place = draw(st.integers(0, len(words) - 1))
            if words[place] == spare:
                continue
            words[place] = f"{fresh}{number}"
            paragraphs[at][line] = " ".join(words)
        elif kind == "sentence in":
            paragraphs[at].insert(draw(st.integers(0, len(paragraphs[at]))), new)
        elif kind == "sentence out" and len(paragraphs[at]) > 1 and not (spare and spare in paragraphs[at][line]):
            paragraphs[at].pop(line)
        elif kind == "move":
            paragraphs.insert(draw(st.integers(0, len(paragraphs) - 1)), paragraphs.pop(at))
        elif kind == "paragraph in":
            paragraphs.insert(draw(st.integers(0, len(paragraphs))), [new])
    return Edited(paragraphs, set(WORD.findall(html(paragraphs))) - set(WORD.findall(html(article))))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_words_that_a_desk_replaced_never_come_back(data: st.DataObject) -> None:
    """Whatever the source edits around them, and wherever it moves them, unless it takes their sentence away."""
    article = data.draw(articles())
    at = data.draw(st.integers(0, len(article) - 1))
    line = data.draw(st.integers(0, len(article[at]) - 1))
    wrong = data.draw(st.sampled_from(article[at][line].split()))
    base = html(article)
    desk = base.replace(f"{wrong} ", "right1 ").replace(f"{wrong}.", "right1.")
    source = data.draw(edited(article, "n", wrong))
    made = merged(base, desk, html(source.paragraphs), is_html=True)
    words = WORD.findall(made.text)
    assert wrong not in words
    assert words.count("right1") == 1
    assert made.conflicts == ()
    assert source.put <= set(words)
    assert is_balanced([token for block in blocks_of(made.text) for token in block.tokens])


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_edits_of_different_sentences_both_survive(data: st.DataObject) -> None:
    """The desk edits every second paragraph, the source the others: nothing is in conflict, and nothing is lost."""
    article = data.draw(articles())
    assume(len(article) > 1)
    mine, theirs = [list(each) for each in article], [list(each) for each in article]
    put = []
    for at, each in enumerate(article):
        side, fresh = (mine, f"m{at}") if at % 2 else (theirs, f"t{at}")
        line = data.draw(st.integers(0, len(each) - 1))
        words = each[line].split()
        place = data.draw(st.integers(0, len(words) - 1))
        words[place] = fresh
        side[at][line] = " ".join(words)
        put.append(fresh)
    made = merged(html(article), html(mine), html(theirs), is_html=True)
    assert made.conflicts == ()
    assert made.is_clean
    assert set(put) <= set(WORD.findall(made.text))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_the_same_edit_is_no_conflict(data: st.DataObject) -> None:
    """The source takes the correction over, with whatever else it changes in other paragraphs."""
    article = data.draw(articles())
    both = data.draw(edited(article, "b")).paragraphs
    made = merged(html(article), html(both), html([*both, ["News1 of today"]]), is_html=True)
    assert made.text == html([*both, ["News1 of today"]])
    assert made.conflicts == ()


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_the_desks_words_stand_where_both_changed_the_same(data: st.DataObject) -> None:
    """And that is told, with what either says."""
    article = data.draw(articles())
    at = data.draw(st.integers(0, len(article) - 1))
    line = data.draw(st.integers(0, len(article[at]) - 1))
    wrong = data.draw(st.sampled_from(article[at][line].split()))
    base = html(article)
    desk, source = (re.sub(rf"\b{wrong}\b", new, base) for new in ("mine1", "theirs1"))
    made = merged(base, desk, source, is_html=True)
    assert made.text == desk
    assert [(each.base, each.desk, each.source) for each in made.conflicts] == [(wrong, "mine1", "theirs1")]
    accepted = merged(base, desk, source, is_html=True, prefer="source")
    assert accepted.text == source


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_edits_of_both_sides_make_well_formed_html_and_lose_no_word_of_the_desk(data: st.DataObject) -> None:
    """Whatever either does: what the desk put in is there, or the source took its sentence away, or it is told."""
    article = data.draw(articles())
    desk, source = data.draw(edited(article, "m")), data.draw(edited(article, "t"))
    made = merged(html(article), html(desk.paragraphs), html(source.paragraphs), is_html=True)
    assert is_balanced([token for block in blocks_of(made.text) for token in block.tokens])
    words = set(WORD.findall(made.text))
    lost = desk.put - words
    assert not lost or not made.is_clean
    if made.is_clean:
        assert source.put <= words


MARKUP = st.sampled_from(
    ["<p>", "</p>", "<b>", "</b>", "<ul>", "<li>", "</li>", "</ul>", "<a href='x'>", "</a>", "<div>", "</div>", "<br>",
     "<table>", "<tr>", "<td>", "</td>", "</tr>", "</table>", "one ", "two ", "three ", "20 ", "percent. ", "&amp; ", "<!--", "&lt;"]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(MARKUP, max_size=30), st.lists(MARKUP, max_size=30), st.lists(MARKUP, max_size=30))
def test_any_markup_is_merged_into_what_was_well_formed(base: list[str], desk: list[str], source: list[str]) -> None:
    """Nesting that neither side had is not made: what cannot be merged is one side's text as it was."""
    texts = "".join(base), "".join(desk), "".join(source)
    made = merged(*texts, is_html=True).text
    assert made in texts or is_balanced([token for block in blocks_of(made) for token in block.tokens])


def paragraphs(*texts: str) -> str:
    """HTML of paragraphs."""
    return "".join(f"<p>{text}</p>" for text in texts)


WRONG = "Prices rose 20 percent in May, the office said."
RIGHT = "Prices rose 12 percent in May, the office said."
SECOND = "Bread was dearest."


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param((WRONG, SECOND, "More at noon."), (RIGHT, SECOND, "More at noon."), id="a paragraph is added"),
        pytest.param((f"{WRONG} More at noon.", SECOND), (f"{RIGHT} More at noon.", SECOND), id="a sentence is added"),
        pytest.param((SECOND, WRONG), (SECOND, RIGHT), id="the paragraph moves"),
        pytest.param((SECOND, f"Officially: {WRONG}"), (SECOND, f"Officially: {RIGHT}"), id="it moves and changes"),
        pytest.param((SECOND,), (SECOND,), id="it is taken out"),
        pytest.param((f"{SECOND} {WRONG}",), (f"{SECOND} {RIGHT}",), id="two become one"),
        pytest.param(("Prices rose 20 percent", "in May. " + SECOND), ("Prices rose 12 percent", "in May. " + SECOND), id="one becomes two"),
        pytest.param((RIGHT, SECOND, "More."), (RIGHT, SECOND, "More."), id="the source says the same"),
    ],
)  # fmt: skip
def test_a_correction_goes_along(source: tuple[str, ...], expected: tuple[str, ...]) -> None:
    """Where the source edits around it, moves it, or takes it over."""
    made = merged(paragraphs(WRONG, SECOND), paragraphs(RIGHT, SECOND), paragraphs(*source), is_html=True)
    assert made.text == paragraphs(*expected)


@pytest.mark.parametrize(
    ("base", "desk", "source", "expected"),
    [
        (
            "Die Preise stiegen um 20 Prozent, sagte Müller-Lüdenscheidt.",
            "Die Preise stiegen um 12 Prozent, sagte Müller-Lüdenscheidt.",
            "Die Preise stiegen im Mai um 20 Prozent, sagte Minister Müller-Lüdenscheidt.",
            "Die Preise stiegen im Mai um 12 Prozent, sagte Minister Müller-Lüdenscheidt.",
        ),
        (
            "ارتفعت الأسعار بنسبة ٢٠٪ في مايو، قال المكتب.",
            "ارتفعت الأسعار بنسبة ١٢٪ في مايو، قال المكتب.",
            "ارتفعت الأسعار بنسبة ٢٠٪ في مايو، قال المكتب. وكان الخبز الأغلى.",
            "ارتفعت الأسعار بنسبة ١٢٪ في مايو، قال المكتب. وكان الخبز الأغلى.",
        ),
        ("物价上涨20%。", "物价上涨12%。", "五月物价上涨20%。", "五月物价上涨12%。"),
        ("It cost $1,200.50 &amp; more.", "It cost $1,300.50 &amp; more.", "It cost $1,200.50 & more, he said.", "It cost $1,300.50 &amp; more, he said."),
    ],
)  # fmt: skip
def test_in_other_languages_and_with_numbers(base: str, desk: str, source: str, expected: str) -> None:
    """Words are parted as each script parts them; a number with its points is one."""
    made = merged(paragraphs(base), paragraphs(desk), paragraphs(source), is_html=True)
    assert (made.text, made.conflicts) == (paragraphs(expected), ())


def test_a_number_is_never_made_of_two() -> None:
    """The desk changes the decimals, the source the whole: that is a conflict."""
    made = merged("Up 3.5 percent", "Up 3.7 percent", "Up 4.5 percent", is_html=False)
    assert made.text == "Up 3.7 percent"
    assert len(made.conflicts) == 1


def test_the_mistake_in_a_new_sentence_is_corrected_and_told() -> None:
    """Known by the word behind it: the same number of something else is left alone."""
    source = paragraphs(WRONG, SECOND, "The 20 percent rise hurts.", "20 people protested.")
    made = merged(paragraphs(WRONG, SECOND), paragraphs(RIGHT, SECOND), source, is_html=True)
    assert made.text == paragraphs(RIGHT, SECOND, "The 12 percent rise hurts.", "20 people protested.")
    assert [(each.base, each.desk) for each in made.conflicts] == [("20", "12")]


def test_a_name_that_was_corrected_everywhere_is_corrected_in_new_sentences() -> None:
    """Where a desk replaced all of several places alike, the word alone is known."""
    base, desk = (paragraphs(f"{name} came.", f"He saw {name} there.") for name in ("Merckel", "Merkel"))
    made = merged(base, desk, base + paragraphs("Then Merckel left."), is_html=True)
    assert made.text == desk + paragraphs("Then Merkel left.")


def test_plain_text_of_a_source_meets_html_of_a_desk() -> None:
    """A source that sends no markup is read as paragraphs, as the page shows it."""
    made = merged(f"{WRONG}\n\n{SECOND}", paragraphs(RIGHT, SECOND), f"{WRONG}\n\n{SECOND}\n\nMore.", is_html=True)
    assert (made.text, made.conflicts) == (paragraphs(RIGHT, SECOND, "More."), ())


def test_what_cannot_be_merged_is_left_as_the_desk_has_it() -> None:
    """More tags than are compared: the desk's text stands, and that is told."""
    desk = "<p>12 percent</p>" + "<br>" * 25_000
    made = merged("<p>20 percent</p>", desk, "<p>20 percent more</p>", is_html=True)
    assert (made.text, made.is_clean, len(made.conflicts)) == (desk, False, 1)


@pytest.mark.parametrize(
    "unit",
    ["<p>word and word</p>", "word, ", "<b>x</b> ", "a. ", "<p>", "</p>", "&#65;", "<ul><li>x</li></ul>", "1,2,"],
)
def test_large_texts_take_bounded_time(unit: str) -> None:
    """Half a million characters on every side, edited in the middle: no more than a few seconds of a processor."""
    half = unit * (250_000 // len(unit))
    texts = (f"{half}{middle}{half}" for middle in ("<p>20 percent</p>", "<p>12 percent</p>", "<p>20 percent more</p>"))
    began = time.process_time()
    made = merged(*texts, is_html=True)
    assert time.process_time() - began < 10
    assert "20 percent<" not in made.text


ANYTHING = st.text(st.one_of(st.sampled_from("<>&;/pb\"'= 12%.\n\t\u00a0\u200f"), st.characters()), max_size=60)


@settings(max_examples=500, deadline=None)
@given(ANYTHING, ANYTHING, ANYTHING, st.booleans(), st.sampled_from(["desk", "source"]))
def test_any_text_can_be_merged(base: str, desk: str, source: str, is_html: bool, prefer: Any) -> None:
    """And what neither side changed is as it was."""
    made = merged(base, desk, source, is_html=is_html, prefer=prefer)
    assert isinstance(made.text, str)
    assert merged(base, desk, base, is_html=is_html, prefer=prefer).text == desk
    assert merged(base, base, source, is_html=is_html, prefer=prefer).text == (base if source == base else source)


@pytest.mark.parametrize(
    ("base", "desk", "source", "expected"),
    [
        ("Fire kills 2", "Fire kills 3", "Fire kills 2 in Lyon", "Fire kills 3 in Lyon"),
        ("2 killed in fire", "3 killed in fire", "At least 2 killed in fire", "At least 3 killed in fire"),
        ("Two die", "Three die", "Two die, police say", "Three die, police say"),
    ],
)
def test_what_the_source_puts_beside_corrected_words_is_kept(base: str, desk: str, source: str, expected: str) -> None:
    """It is not about the same words, so it is no conflict; blanks are as the source has them."""
    made = merged(base, desk, source, is_html=False)
    assert (made.text, made.conflicts) == (expected, ())
    html = merged(f"<p>{base}</p>", f"<p>{desk}</p>", f"<p>{source}</p>", is_html=True)
    assert (html.text, html.conflicts) == (f"<p>{expected}</p>", ())
