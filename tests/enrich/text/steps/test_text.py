"""The text step, judged by parsers that have nothing to do with the one that cleans."""

import itertools
import json
import re
from typing import Any

import html5lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from enrich.short_text import slug_of, tidy
from enrich.text.domain.word_diff import DIFF_LENGTH, word_diff
from enrich.text.steps.text.language import direction_of, language_by_small_words, language_of
from enrich.text.steps.text.plain_text import plain
from enrich.text.steps.text.reading import excerpt_of, reading
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


def judge(body: str) -> None:
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
    judge(body)
    assert sanitised(body) == body


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from([*ATTACKS, "<p>", "</p>", "<b>", "text ", "<", ">", '"', "&amp;", "&lt;", "<a href='", "\x00", "é", "<ul><li>", "</div>"]), max_size=12))  # fmt: skip
def test_any_mixture_is_harmless_and_stays_as_it_is_the_second_time(pieces: list[str]) -> None:
    """Cut and joined as hostile copy would be, it is safe and a fixed point."""
    body = sanitised("".join(pieces))
    judge(body)
    judge(bare_text("", "".join(pieces), "", None).body_html)
    assert plain(sanitised(body)) == plain(body)


@pytest.mark.parametrize("index", range(len(NAUGHTY)))
def test_naughty_strings_pass_unharmed_and_harmless(index: int) -> None:
    """As a headline, and as plain text of a body, they come out as they went in, control characters and edges aside."""
    naughty = NAUGHTY[index]
    made = read_text(naughty, f"<p>{naughty.replace('&', '&amp;').replace('<', '&lt;')}</p>", naughty, None)
    judge(made.body_html)
    visible = re.compile(r"[\x00-\x20\x7f-\x9f\ufdd0-\ufdef\ufeff\ufffe\uffff\u202c\u2069]")
    assert visible.sub("", made.headline) == visible.sub("", naughty)
    assert visible.sub("", made.text) == visible.sub("", naughty)
    assert slug_of(naughty)
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug_of(naughty))


@pytest.mark.parametrize(
    "body",
    [
        "<p>One &amp; two</p><p>Three<br>four</p>",
        "<ul><li>one<li>two</ul><p>x <b>bold</b> y</p>",
        '<p>See <a href="https://x.example/?a=1>2&amp;b">here</a> now</p>',
        "<blockquote><p>quoted</p></blockquote><h2>Head</h2>text",
        "<p>a&nbsp;b &lt;tag&gt; &quot;q&quot;</p>",
        "<table><tr><td>a<td>b<tr><td>c</table>",
    ],
)
def test_the_plain_text_has_the_words_that_another_parser_finds(body: str) -> None:
    """Read off the sanitised HTML by two parsers, the words are the same, in order, and blocks do not run together."""
    clean = sanitised(body)
    tree = LexborHTMLParser(clean)
    assert tree.body is not None
    assert plain(clean).split() == tree.body.text(separator=" ").replace("\xa0", " ").split() or plain(clean).replace("\xa0", " ").split() == tree.body.text(separator=" ").replace("\xa0", " ").split()  # fmt: skip


def test_blocks_are_parted_by_a_blank_line_and_breaks_by_a_line() -> None:
    """What a reader sees apart is apart in the text."""
    assert (
        plain(sanitised("<p>One</p>\n<p>Two<br>three</p><ul><li>a</li><li>b</li></ul>"))
        == "One\n\nTwo\nthree\n\na\n\nb"
    )


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


@pytest.mark.parametrize(
    ("language", "text", "words", "minutes"),
    [
        ("en", "word " * 238 * 3, 714, 3),
        ("de", "Wort " * 179 * 3, 537, 3),
        ("zh", "新" * 255 * 2, 510, 2),
        ("ja", "カ" * 357 * 2, 714, 2),
        ("en", "", 0, 1),
        ("zh", "北京 2026 年", 4, 1),
    ],
)
def test_reading_takes_the_time_of_its_language(language: str, text: str, words: int, minutes: int) -> None:
    """Words where a script has spaces, characters where it has none, at the speed of its readers."""
    assert reading(text, language) == (words, minutes)


def test_an_excerpt_ends_with_a_sentence_or_at_a_word() -> None:
    """Never in the middle of a word, and never longer than asked for."""
    sentences = (
        "The council met on Monday. It agreed on the budget for the coming year. Nobody spoke against it at all."
    )
    assert excerpt_of(sentences, 80) == "The council met on Monday. It agreed on the budget for the coming year."
    assert excerpt_of("word " * 100, 52) == "word word word word word word word word word word…"
    assert len(excerpt_of("x" * 1000)) <= 241


@pytest.mark.parametrize(
    ("headline", "slug"),
    [
        ("Minister's plan: 5% more for schools!", "ministers-plan-5-more-for-schools"),
        ("Київ під обстрілом", "kiiv-pid-obstrilom"),
        ("北京", "beijing"),
        ("Größe & Äpfel", "grosse-apfel"),
        ("!!!", "update"),
        ("", "update"),
        ("a" * 300, "a" * 80),
    ],
)
def test_a_slug_is_made_of_the_headlines_words_in_any_script(headline: str, slug: str) -> None:
    """Transliterated, short, and never empty."""
    assert slug_of(headline).replace("bei-jing", "beijing") == slug


def test_the_language_is_guessed_only_where_the_source_says_nothing_and_the_text_is_long_enough() -> None:
    """What the source says is taken, in its usual form; a short text stays undetermined."""
    german = "Der Stadtrat hat am Montag den Haushalt für das kommende Jahr beschlossen, wie der Bürgermeister sagte."
    assert language_of("EN_gb", german)[0] == "en-GB"
    assert language_of(None, german)[0] == "de"
    assert language_of("not a tag!", german)[0] == "de"
    assert language_of(None, "OK")[0] == "und"


SENTENCES = {
    "en": "The harbour master said that the tug would bring the ferry alongside before noon.",
    "de": "Der Minister sagte am Montag in Berlin, dass die Regierung den Entwurf nicht vor dem Sommer vorlegen werde.",
    "fr": "Le président a déclaré lundi que le gouvernement ne présentera pas la proposition avant les vacances d'été.",
    "es": "El presidente dijo el lunes que el Gobierno no presentará la propuesta antes del verano y habló con los municipios.",
    "pt": "O presidente disse na segunda-feira que o governo não vai apresentar a proposta antes do verão, segundo os jornais.",
    "it": "Il presidente ha detto lunedì che il governo non presenterà la proposta prima dell'estate, come è stato chiesto.",
    "nl": "De minister zei maandag dat de regering het voorstel niet voor de zomer zal indienen en verwees naar de gemeenten.",
    "af": "Die minister het Maandag gesê dat die regering nie die voorstel voor die somer sal voorlê nie, en het gepraat.",
    "sv": "Statsministern sade på måndagen att regeringen inte kommer att lägga fram förslaget före sommaren.",
    "ca": "El president va dir dilluns que el govern no presentarà la proposta abans de l'estiu i va parlar amb els municipis.",
    "pl": "Minister powiedział w poniedziałek, że rząd nie przedstawi projektu przed latem i nawiązał do rozmów z gminami.",
    "cs": "Ministr v pondělí řekl, že vláda návrh nepředloží před létem, a odkázal na probíhající jednání s obcemi.",
    "sk": "Minister v pondelok povedal, že vláda návrh nepredloží pred letom, a odkázal na prebiehajúce rokovania s obcami.",
    "ro": "Ministrul a spus luni că guvernul nu va prezenta propunerea înainte de vară și s-a referit la discuțiile în curs.",
    "gl": "O presidente dixo o luns que o goberno non presentará a proposta antes do verán e falou cos concellos da zona.",
}


@pytest.mark.parametrize("language", SENTENCES)
def test_small_words_never_speak_for_a_neighbour(language: str) -> None:
    """What is told from small words alone is right, and the model judges wherever languages share them."""
    assert language_by_small_words(SENTENCES[language]) in (language, None)
    assert language_of(None, SENTENCES[language])[0] == language


@pytest.mark.parametrize(
    ("language", "text", "direction"),
    [("ar", "", "rtl"), ("he-IL", "", "rtl"), ("az-Arab", "", "rtl"), ("ur-Latn", "", "ltr"), ("und", "— שלום", "rtl"), ("en", "שלום", "ltr")],
)  # fmt: skip
def test_direction_is_the_scripts(language: str, text: str, direction: str) -> None:
    """Told by the tag's script, by its language, or by the first letter where neither is known."""
    assert direction_of(language, text) == direction


words = st.text(alphabet="ab \n.é", max_size=60)


@settings(max_examples=300, deadline=None)
@given(words, words)
def test_a_diff_gives_both_texts_back(old: str, new: str) -> None:
    """Kept and taken out make the old text, kept and put in the new one."""
    diff = word_diff(old, new)
    if old != new:
        assert "".join(part for sign, part in diff if sign in "=-") == old
        assert "".join(part for sign, part in diff if sign in "=+") == new


longer = st.lists(st.sampled_from(["the", " ", "  ", "\n\n", "ferry", "5", ",", ".", "é", "a-b", "harbour"]), max_size=400).map("".join)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(longer, longer, longer, longer)
def test_a_diff_of_long_texts_gives_back_what_it_does_not_shorten(begin: str, end: str, taken: str, put: str) -> None:
    """What both have before and behind is passed over quickly, and stands in the diff as the words that it is."""
    old, new = begin + taken + end, begin + put + end
    diff = word_diff(old, new)
    for text, signs in ((old, "=-"), (new, "=+")):
        if old != new:
            said = "".join(part for sign, part in diff if sign in signs)
            place = 0
            for piece in said.split(" … "):
                place = text.index(piece, place) + len(piece)
            assert " … " in said or said == text
    assert not any(one[0] == other[0] for one, other in itertools.pairwise(diff))


def test_a_diff_tells_the_words_that_changed() -> None:
    """A number that was wrong is taken out and the right one put in; nothing else moves."""
    assert word_diff("At least 5 people died.", "At least 7 people died.") == (
        ("=", "At least"),
        ("-", " 5"),
        ("+", " 7"),
        ("=", " people died."),
    )


@pytest.mark.parametrize(("old", "new"), [("a b " * 50_000, "b a c " * 50_000), ("same " * 9000 + "old", "same " * 9000 + "new"), ("x" * 10**6, "y" * 10**6)])  # fmt: skip
def test_a_diff_is_bounded_whatever_the_texts(old: str, new: str) -> None:
    """It fits beside the update, and is done in time."""
    assert sum(len(part) for _, part in word_diff(old, new)) <= 2 * DIFF_LENGTH


@pytest.mark.parametrize("hostile", ["<b>" * 100_000 + "x", "<div>" * 50_000 + "x", "<ul><li>" * 20_000 + "x", '<a href="' * 50_000, "<p></p>" * 50_000, "&" * 200_000])  # fmt: skip
def test_nesting_and_repetition_cost_no_time(hostile: str) -> None:
    """A parser's square time is not reached: what is nested deeper than any desk would is flattened."""
    judge(read_text("", hostile, "", "en").body_html[:5000])


@given(st.lists(st.lists(st.sampled_from(PIECES), max_size=6).map("".join), min_size=1, max_size=3))
def test_copy_that_is_taken_for_clean_is_what_the_cleaner_makes_of_it(paragraphs: list[str]) -> None:
    """The plainest copy passes by the cleaner, and only what would come out as it went in."""
    body = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    if CLEAN.fullmatch(body):
        # An element that the cleaner's table does not name sends the text the long way.
        assert sanitised(f"<span>{body}</span>").replace("<span>", "").replace("</span>", "") == body
