"""The interface in each of its languages: nothing is said outside the catalogue, and each catalogue is whole."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po
from jinja2.ext import babel_extract
from lxml import html

import publish.push
import publish.web
from publish.web.interface.interface import FORMS, LANGUAGES, SOURCE_LANGUAGE, TWO_FORMS, Interface, catalogue
from publish.web.partner.embed import COMPONENT
from publish.web.routes.assets import SCRIPTS
from support.samples import full
from support.web_replica import Make

WEB = Path(publish.web.__file__).parent
PUSH = Path(publish.push.__file__).parent
TRANSLATED = [language for language in LANGUAGES if language != SOURCE_LANGUAGE]
NAMES = {"RSS", "Atom", "JSON", "Feed", "API", "ninjs", "u"}
"""What is called the same in every language, and what is no word."""
FOR_DEVELOPERS = "docs.html"
"""In English, as the API itself."""
ONE = re.compile(r'\bt\(\s*"((?:[^"\\]|\\.)+)"')
SEVERAL = re.compile(r'\btn\(\s*"((?:[^"\\]|\\.)+)",\s*"((?:[^"\\]|\\.)+)"')


def scripts() -> Iterator[str]:
    """The scripts of pages, and of pages of others."""
    for folder in (WEB, PUSH):
        yield from (path.read_text() for path in (folder / "static").glob("*.js") if path.name in (*SCRIPTS, COMPONENT))


def said() -> set[tuple[str, ...]]:
    """Every word and sentence of templates, scripts and routes: singular, and plural where there is one."""
    found: set[tuple[str, ...]] = set()
    for path in (WEB / "templates").glob("*.html"):
        with path.open("rb") as file:
            for _, _, words, _ in babel_extract(file, ("_", "ngettext"), [], {}):
                found.add(tuple(each for each in words if each) if isinstance(words, tuple) else (words,))
    for script in scripts():
        found |= {(word,) for word in ONE.findall(script)} | set(SEVERAL.findall(script))
    for path in WEB.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
                if called in ("_", "gettext"):
                    found.add((str(node.args[0].value),))
    return found


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_language_has_every_word_and_form_and_no_other(language: str) -> None:
    """What is said has a translation with the same values in it and every plural form; nothing is left over or fuzzy."""
    words = catalogue(language)
    wanted = {each[0]: each for each in said()}
    assert sorted(wanted.keys() - words.keys()) == []
    assert sorted(words.keys() - wanted.keys()) == []
    for word, translated in words.items():
        forms = [translated] if isinstance(translated, str) else list(translated)
        assert len(forms) == (1 if len(wanted[word]) == 1 else len(FORMS.get(language, TWO_FORMS))), word
        for form in forms:
            values = set(re.findall(r"%\((\w+)\)s", form))
            assert values <= set(re.findall(r"%\((\w+)\)s", word)), form
            # A small number may be said in a word.
            assert values >= set(re.findall(r"%\((\w+)\)s", word)) - {"num"}, form
    with (WEB / "interface" / "languages" / f"{language}.po").open("rb") as file:
        assert not [message.id for message in read_po(file) if message.fuzzy]


def test_templates_say_nothing_outside_the_catalogue() -> None:
    """Between the elements and in the attributes that are read out there are values and marked words alone."""
    for path in (WEB / "templates").glob("*.html"):
        if path.name == FOR_DEVELOPERS:
            continue
        bare = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", " ", path.read_text(), flags=re.DOTALL)
        texts = re.sub(r"<!doctype[^>]*>|<[a-z/][^>]*>|[a-z-]+=\"[^\"]*\"", " ", bare, flags=re.DOTALL)
        texts += " ".join(re.findall(r'(?:aria-label|title|alt|placeholder)="([^"]*)"', bare))
        loose = set(re.findall(r"[A-Za-z][A-Za-z']*", texts)) - NAMES
        assert loose == set(), (path.name, loose)


def test_scripts_say_nothing_outside_the_catalogue() -> None:
    """What a script puts before readers goes through `t` or `tn`."""
    for script in scripts():
        bare = re.sub(r"\$\{[^}]*\}", "", script)
        assert not re.findall(r'(?:textContent|innerText|title|ariaLabel)\s*[:=]\s*["`][^"`]*[A-Za-z]{2}', bare)
        assert not re.findall(r'"aria-label",\s*"', script)


@pytest.mark.parametrize(
    ("language", "count", "words"),
    [
        ("en", 1, "1 update"), ("en", 0, "0 updates"), ("uk", 1, "1 оновлення"), ("uk", 3, "3 оновлення"), ("uk", 12, "12 оновлень"),
        ("uk", 21, "21 оновлення"), ("fr", 0, "0 mise à jour"), ("fr", 2, "2 mises à jour"), ("de", 0, "0 Meldungen"),
        ("es", 1, "1 actualización"), ("ar", 1, "تحديث واحد"), ("ar", 2, "تحديثان"), ("ar", 5, "5 تحديثات"), ("ar", 11, "11 تحديثًا"),
        ("ar", 100, "100 تحديث"),
    ],
)  # fmt: skip
def test_counts_have_their_forms(language: str, count: int, words: str) -> None:
    """Each language's own plural forms, by CLDR."""
    interface = Interface(language, SCRIPTS)
    assert interface.ngettext("%(num)s update", "%(num)s updates", count) % {"num": count} == words


@pytest.mark.parametrize(("language", "tag", "direction"), [("uk", "uk", "ltr"), ("ar", "ar", "rtl"), ("de-AT", "de-AT", "ltr"), ("xx", "en", "ltr")])  # fmt: skip
async def test_a_site_speaks_its_language(make_replica: Make, language: str, tag: str, direction: str) -> None:
    """The page's language and direction are the site's, and those of an update its own; an unknown language is English."""
    replica = make_replica(publish_language=language)
    replica.take(full())
    page: Any = html.document_fromstring((await replica.get("/stories/harbour-flood")).content)
    assert (page.get("lang"), page.get("dir")) == (tag, direction)
    item = page.xpath('//div[@id="lead"]//div[@lang]')[0]
    assert (item.get("lang"), item.get("dir")) == ("en", "ltr")
    expected = catalogue(tag.partition("-")[0]).get("Live story", "Live story")
    assert page.xpath('//*[@id="kicker"]')[0].text_content() == expected


async def test_a_reader_can_go_to_the_same_page_in_another_language(make_replica: Make) -> None:
    """By links that say which language, in its own name; search engines are told of each."""
    replica = make_replica(publish_language_sites="de=https://de.news.example,uk=https://uk.news.example/")
    replica.take(full())
    page: Any = html.document_fromstring((await replica.get("/stories/harbour-flood")).content)
    links = {each.get("hreflang"): each.get("href") for each in page.xpath('//link[@rel="alternate"][@hreflang]')}
    assert links == {
        "de": "https://de.news.example/stories/harbour-flood",
        "uk": "https://uk.news.example/stories/harbour-flood",
        "en": "https://news.example/stories/harbour-flood",
    }
    assert page.xpath("//footer//a[@hreflang]/text()") == ["Deutsch", "українська"]


@pytest.mark.parametrize("form", ["rss", "atom", "json"])
async def test_feeds_speak_the_language_of_the_site(make_replica: Make, form: str) -> None:
    """What is made with AI, what is withdrawn and what a poll asks for is said as on pages."""
    replica = make_replica(publish_language="de", publish_feed_retraction_days=3650)
    replica.take(
        full("a", digital_source_type="trainedAlgorithmicMedia", responsible="ada"), full("gone"),
        full("gone", 2, kind="kill", removal="killed"),
    )  # fmt: skip
    said = (await replica.client.get(f"/feeds/news.{form}")).text
    for words in (
        "Mit KI erstellt · Von der Redaktion geprüft",
        "Diese Meldung wurde zurückgezogen.",
        "Abstimmen und Ergebnisse sehen",
    ):
        assert words in said
    story = (await replica.client.get(f"/feeds/story/harbour-flood.{form}")).text
    assert "Live coverage" not in story
