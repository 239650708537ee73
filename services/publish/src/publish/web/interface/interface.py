"""The interface in one language: its words from a catalogue, plural forms, the direction of its script."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

from babel import Locale, UnknownLocaleError
from babel.messages.pofile import read_po
from markupsafe import Markup

from publish.representation.reader_json import dump

SOURCE_LANGUAGE = "en"
"""The language that the words in templates and scripts are written in."""
LANGUAGES = ("en", "uk", "de", "fr", "es", "ar")
FORMS: Mapping[str, Sequence[str]] = {
    "uk": ("one", "few", "many"),
    "ar": ("zero", "one", "two", "few", "many", "other"),
}
"""The plural forms of a catalogue in their order, by the names of CLDR; where none are named, `one` and `other`."""
TWO_FORMS = ("one", "other")
IN_SCRIPTS = re.compile(r'\btn?\(\s*"((?:[^"\\]|\\.)+)"')
"""A word of a script: the first argument of `t` or `tn`."""

Word = str | Sequence[str]


class Interface:
    """The words of one language. What its catalogue lacks is said in the language of the source."""

    def __init__(self, language: str, script_names: Sequence[str]) -> None:
        """`language` is a BCP 47 tag; of an unknown one the interface is English. `script_names`: the scripts' files."""
        self.tag = language
        base = language.partition("-")[0].lower()
        self.language = base if base in LANGUAGES else SOURCE_LANGUAGE
        if self.language == SOURCE_LANGUAGE and base != SOURCE_LANGUAGE:
            self.tag = SOURCE_LANGUAGE
        self.locale = _locale(self.tag)
        self.direction = "rtl" if self.locale.text_direction == "rtl" else "ltr"
        self.forms = FORMS.get(self.language, TWO_FORMS)
        self._words = catalogue(self.language)
        self.script_words = self.words_of(script_names)

    def words_of(self, script_names: Sequence[str]) -> Markup:
        """The words of scripts in this language, with the names of its plural forms: JSON for within a script element."""
        used = script_words(tuple(script_names))
        return _embedded(
            {"": list(self.forms), **{word: self._words[word] for word in sorted(used) if word in self._words}}
        )

    def gettext(self, word: str) -> str:
        """A word or sentence."""
        found = self._words.get(word, word)
        return found if isinstance(found, str) else word

    def ngettext(self, one: str, other: str, count: int) -> str:
        """What fits a count; `one` names it in the catalogue."""
        found = self._words.get(one)
        if found is None or isinstance(found, str):
            return one if count == 1 else other
        form = self.locale.plural_form(count)
        return found[self.forms.index(form)] if form in self.forms else found[-1]


@cache
def catalogue(language: str) -> Mapping[str, Word]:
    """The words of a language by those of the source; of the source's own there are none."""
    if language == SOURCE_LANGUAGE:
        return {}
    with (files("publish.web.interface") / "languages" / f"{language}.po").open("rb") as file:
        messages = read_po(file, locale=language, abort_invalid=True)
    words: dict[str, Word] = {}
    for message in messages:
        if not message.id or message.fuzzy:
            continue
        if isinstance(message.id, str) and message.string:
            words[message.id] = str(message.string)
        elif not isinstance(message.id, str) and isinstance(message.string, tuple) and all(message.string):
            words[message.id[0]] = list(message.string)
    return words


@cache
def script_words(names: tuple[str, ...]) -> frozenset[str]:
    """The words that scripts say."""
    found: set[str] = set()
    for package in ("publish.web", "publish.push"):
        folder = files(package) / "static"
        for each in folder.iterdir():
            if each.name in names:
                found |= {word.replace('\\"', '"') for word in IN_SCRIPTS.findall(each.read_text("utf-8"))}
    return frozenset(found)


def name_of_language(tag: str) -> str:
    """A language as those call it who speak it."""
    locale = _locale(tag)
    return locale.language_name or tag


def _locale(tag: str) -> Locale:
    # English dates have the day first, as the newsroom writes them.
    name = "en_GB" if tag.lower() == SOURCE_LANGUAGE else tag.replace("-", "_")
    try:
        return Locale.parse(name)
    except (UnknownLocaleError, ValueError):
        base = tag.partition("-")[0].lower()
        return Locale.parse(base if base in LANGUAGES else SOURCE_LANGUAGE)


def _embedded(words: Mapping[str, Word]) -> Markup:
    text = dump(words).decode()
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 -- nothing is left that HTML would read
