"""What the words around a name of one word say for or against it: Apple and the apple harvest, Chad and Chad Smith, May and the month."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Literal

from enrich.reference.names.cues import is_of_sport, is_scored, speaks_of
from enrich.reference.names.given_names import is_given
from enrich.reference.names.ordinary import is_ordinary
from enrich.reference.names.senses import OF_PLACES, SENSES, is_in_another_sense
from enrich.reference.names.surroundings import AROUND, Surroundings
from enrich.reference.names.words import (
    A_PRODUCT,
    ACTS,
    AGAINST,
    ARTICLES,
    ARTICLES_OF,
    AT_PLACE,
    AUXILIARIES,
    BEFORE_MONTH,
    CALLED_LIKE,
    CLUBS_BEFORE,
    CLUBS_BEHIND,
    DEFINITE,
    FROM_TO,
    FUNCTION,
    GERMAN_ARTICLES,
    GERMAN_THE,
    GOODS,
    HAPPENED,
    INSTITUTIONS,
    LAND,
    LANDFORMS,
    MAY_ACT,
    MONTHS,
    NAMED_AFTER,
    NAMED_SO,
    NAMESAKES,
    NO_PERSON_AFTER,
    OF,
    OF_PAPER,
    OF_PLACE,
    OF_ROMANCE,
    OF_THE_PLACE,
    PAST,
    PLACE_NOUNS,
    PLURAL,
    POST_ENDINGS,
    RIVERS,
    ROLES,
    ROMANCE,
    SEASONS,
    SPORTS_VERBS,
    STARTERS,
    STATES,
    THE_PAPERS,
    THE_PLACES,
    TITLES,
    TITLES_OF,
    WATCHED,
)
from enrich.reference.places import COUNTRIES

Kind = Literal["person", "place", "organisation", "topic"]

A_PERSON, A_CLUB, CALLED = "a person by the name", "a club by the name", "something called so"
NAMESAKE = (A_PERSON, A_CLUB, CALLED)
"""Why a name is somebody's or something else's: what else the text says by that name alone is of them as well."""
STRONG, SLIGHT, FOR = -0.6, -0.1, 0.1
"""By how much surroundings move the confidence in a name: against it, slightly against it, for it."""
OF_NO_PLACE = SPORTS_VERBS | AUXILIARIES | GOODS
"""Behind a name that a place may not be meant by."""
GERMAN_ADJECTIVE = re.compile(r"[a-zäöü]{2}(?:e|en|er|es|em)$")
NEAR = 250
"""Characters within which a word stands near."""


def is_titled(line: str) -> bool:
    """Whether a headline is written in capitals for every word, which then say nothing."""
    words = [word for word in line.split() if word[:1].isalpha()]
    return len(words) > 3 and sum(word[0].isupper() for word in words) >= 0.75 * len(words)


Finding = tuple[float, str]
"""By how much the confidence moves, and why."""
NOTHING: Finding = (0.0, "")


@dataclass(slots=True)
class _Case:
    """One place of a name of one word, as the rules look at it."""

    around: Surroundings
    kind: Kind
    own_words: Callable[[], Collection[str]]
    titled: bool
    language: str
    word: str
    """The name in small letters."""
    before: str
    """The word before it, in small letters."""


def weigh(
    around: Surroundings, kind: Kind, own_words: Callable[[], Collection[str]], *, titled: bool, language: str
) -> Finding:
    """How the surroundings move the confidence in a name of one word, and why. `own_words()` are those of the entry's spellings.

    `titled`: the line writes every word with a capital. The first rule that says something is what counts.
    """
    if kind == "topic":
        return NOTHING
    small = around.word.casefold()
    if found := _by_sentence(around, kind, small, titled=titled, language=language):
        return found
    if _says_nothing(around, kind, titled=titled, language=language):
        return NOTHING
    case = _Case(around, kind, own_words, titled, language, small, around.before.casefold().rstrip("."))
    for rule in (
        _by_number_or_name,
        _by_phrase,
        _by_the,
        _by_place,
        _by_capital_before,
        _by_capital_behind,
        _by_article,
        _by_position,
    ):
        if found := rule(case):
            return found
    return NOTHING


def _by_sentence(around: Surroundings, kind: Kind, small: str, *, titled: bool, language: str) -> Finding | None:
    """Namesakes, and other senses of the word that its sentence speaks of."""
    if small in NAMESAKES and kind == "place" and around.state_behind in STATES:
        return STRONG, f"its namesake in {around.state_behind.title()}"
    if small in SENSES and not titled and (kind == "organisation" or (kind == "place" and small in OF_PLACES)):
        said = around.sentence
        if is_in_another_sense(small, said) and not speaks_of(kind, said) and not _acts(around, kind, language):
            return STRONG, "the words of another sense around it"
    return None


def _says_nothing(around: Surroundings, kind: Kind, *, titled: bool, language: str) -> bool:
    """Whether nothing around a name says anything, as it is with most."""
    return (
        not (around.first or titled or language == "de")
        and not (around.before[:1].isupper() or around.after[:1].isupper() or around.hyphened)
        and around.before not in WATCHED
        and not (kind == "place" and (around.after in OF_NO_PLACE or around.before in AGAINST))
        and not (around.before.isdigit() or around.after[:1].isdigit() or around.after == "of")
    )


def _by_number_or_name(case: _Case) -> Finding | None:
    """Numbers and initials beside it, months, and what is called so."""
    around, kind, word, before = case.around, case.kind, case.word, case.before
    if around.before.isdigit() or (around.is_behind and around.after[:1].isdigit() and word in MONTHS):
        return STRONG, "a number beside it"
    if not around.first and word in MONTHS and before in BEFORE_MONTH:
        return STRONG, "a month"
    if kind == "place" and around.is_adjacent and (before in NAMED_SO or (before in ROLES and word not in COUNTRIES)):
        return STRONG, CALLED
    if before == "as" and around.before_last.casefold() == "known":
        return STRONG, CALLED
    if len(around.before) == 2 and around.before[1] == ".":
        is_own = around.before_last.casefold() in case.own_words()
        return NOTHING if is_own else (STRONG, f"{A_PERSON} and initial")
    return None


def _by_phrase(case: _Case) -> Finding | None:
    """The words right beside it that make another thing of both."""
    around, kind, word, before, language = case.around, case.kind, case.word, case.before, case.language
    beside = around.beside_before
    if kind == "person" and before in OF and around.before_last.casefold() in PLACE_NOUNS:
        return STRONG, f"a place: {around.before_last} {around.before} {around.word}"
    if around.first and language in ROMANCE and around.after in OF_ROMANCE and around.after_next[:1].islower():
        return STRONG, f"an ordinary word: {around.word} {around.after} {around.after_next}"
    if kind == "organisation" and around.after == "of" and around.after_next[:1].isupper() and not case.titled:
        return STRONG, f"{CALLED}: {around.word} of {around.after_next}"
    if kind == "organisation" and beside and is_ordinary(word, language) and is_proper(beside, before, language):
        return STRONG, f"{CALLED}: {beside} {around.word}"
    if kind == "person" and before in FROM_TO[0] and around.after.casefold() in FROM_TO[1]:
        return STRONG, "a place by the words around it"
    return None


def _by_the(case: _Case) -> Finding | None:
    """Rivers, and things that no name of this kind is: `the Gap`."""
    around = case.around
    if case.before != "the" or not around.is_adjacent:
        return None
    if case.word in RIVERS:
        return STRONG, "a river"
    is_thing = not around.hyphened and _is_with_article(around, case.kind, case.word)
    return (STRONG, "an article before it") if is_thing else None


def _by_place(case: _Case) -> Finding | None:
    """What bears the name of a place, or is of it."""
    around, before = case.around, case.before
    if case.kind != "place":
        return None
    if around.after in GOODS and case.language in ("en", "und"):
        return STRONG, f"part of another name: {around.word} {around.after}"
    if before in OF and around.before_last.casefold() in TITLES_OF:
        return STRONG, f"part of another name: {around.before_last} {around.before} {around.word}"
    if around.is_adjacent and before in CALLED_LIKE and around.before[0].isupper():
        return STRONG, f"{CALLED}: {around.before} {around.word}"
    return (STRONG, A_CLUB) if is_club(around, before) else None


def _by_capital_before(case: _Case) -> Finding | None:
    """A title, or a capitalised word before it, of which it may be a part."""
    around, kind, before = case.around, case.kind, case.before
    beside = around.beside_before
    if not around.first and before in TITLES:
        return (FOR, "a title before it") if kind == "person" else (STRONG, "a person by the title before it")
    if beside and before not in FUNCTION and before not in case.own_words():
        if kind == "person" and case.language in ("en", "und") and is_no_title(before):
            return STRONG, f"part of another name: {beside} {around.word}"
        if kind == "place" and before in OF_PLACE:
            return STRONG, "part of another name"
        if is_given(beside):
            return STRONG, f"{A_PERSON} before it: {beside}"
    return (STRONG, A_CLUB) if kind == "place" and beside and before in CLUBS_BEFORE else None


def _by_capital_behind(case: _Case) -> Finding | None:
    """A compound, or a capitalised word behind it, of which it may be a part."""
    around, kind, behind = case.around, case.kind, case.around.beside_after
    if around.hyphened and kind != "place":
        return STRONG, f"part of {around.hyphened}"
    against = behind and _behind(around, kind, case.own_words, behind, titled=case.titled, language=case.language)
    return (STRONG, against) if against else None


def _by_article(case: _Case) -> Finding | None:
    """Articles, and German adjectives, before it: names take none, things do."""
    around, kind, word, before, language = case.around, case.kind, case.word, case.before, case.language
    if not around.is_adjacent:
        return None
    if kind == "person" and before in DEFINITE.get(language, ()) and is_ordinary(word, language):
        return STRONG, "an article before it"
    if before in ARTICLES_OF.get(language, ()):
        return STRONG, "an article before it"
    is_aside = (
        kind == "person"
        or (language == "de" and is_ordinary(word, language))
        or (language in ("en", "und") and (kind, before) in A_PRODUCT)
        or (language == "de" and before.startswith("ein") and kind != "place")
    )
    if is_aside and before in (GERMAN_ARTICLES if language == "de" else ARTICLES):
        # Die Linke sagte: parties and papers have an article in German.
        is_party = (
            kind == "organisation" and language == "de" and before in GERMAN_THE and _acts(around, kind, language)
        )
        return NOTHING if is_party else (STRONG, "an article before it")
    is_adjective = language == "de" and around.before.islower() and GERMAN_ADJECTIVE.search(around.before) is not None
    if is_adjective and before not in AT_PLACE and is_ordinary(word, language):
        return STRONG, "an adjective before it"
    return None


def _by_position(case: _Case) -> Finding | None:
    """Prepositions before it, and the beginning of a sentence, where every word has a capital."""
    around, kind, word, before, language = case.around, case.kind, case.word, case.before, case.language
    if kind == "person" and before in NO_PERSON_AFTER and around.is_adjacent:
        return STRONG, "a place by the word before it"
    is_acronym = len(word) > 1 and around.word.isupper() and not case.titled
    if (around.first or case.titled) and not is_acronym and is_ordinary(word, language):
        is_meant = _acts(around, kind, language) or (not case.titled and speaks_of(kind, around.sentence))
        if is_meant and (language == "de" or not around.is_written_small()):
            return NOTHING
        return STRONG, "an ordinary word at the beginning of a sentence"
    if kind == "place" and before in AT_PLACE and around.is_adjacent:
        return FOR, "a preposition before it"
    return (SLIGHT, "the first word of a sentence") if around.first and not around.after else None


def _behind(  # noqa: PLR0911 -- a table of cases
    around: Surroundings,
    kind: Kind,
    own_words: Callable[[], Collection[str]],
    behind: str,
    *,
    titled: bool,
    language: str,
) -> str:
    """What speaks against a name by the capitalised word behind it; empty where nothing does."""
    small = behind.casefold()
    if small in own_words() or (titled and not is_given(behind)):
        return ""
    if kind == "organisation" and small in LAND:
        return f"something else of that name: {around.word} {behind}"
    if kind == "place":
        if small in OF_PAPER or small in CLUBS_BEHIND:
            return "part of the name of a paper or a club"
        if small in LANDFORMS:
            return f"part of another name: {around.word} {behind}"
        if small in INSTITUTIONS or small in OF_THE_PLACE or small in TITLES:
            return ""
        if is_given(around.word):
            return f"{A_PERSON} behind it: {behind}"
        # German writes every noun with a capital, and somebody's name may follow a place.
        is_other = (
            language != "de"
            and not is_given(behind)
            and not behind.isupper()
            and not small.endswith(("ian", "ish", "ese"))
        )
        return f"part of another name: {around.word} {behind}" if is_other else ""
    if kind == "person":
        return f"part of another name: {around.word} {behind}"
    return f"{A_PERSON} behind it: {behind}" if is_given(behind) and not _acts(around, kind, language) else ""


def _acts(around: Surroundings, kind: Kind, language: str) -> bool:
    """Whether the words behind a name say that somebody acts, which an ordinary word does not."""
    after, following = around.after.casefold(), around.after_next
    if not after:
        return around.is_possessive or around.is_listed or around.is_explained or (kind == "person" and around.is_aged)
    if after in ACTS:
        return True
    if after in ("and", "or", "und", "et", "y", "e"):
        return language != "de" and following[:1].isupper()
    # Banks will be shut, but Apple will close: an ordinary word of the plural, and a passive, prove nothing.
    is_plain = not around.word.endswith("s") and following.casefold() not in ("be", "been", "not", "to")
    return (
        kind != "person"
        and is_plain
        and (after in MAY_ACT or (PAST.fullmatch(after) is not None and after not in HAPPENED))
    )


def _is_with_article(around: Surroundings, kind: Kind, word: str) -> bool:
    """Whether `the` stands before what takes none as a name: `the Savannah`, `mind the Gap`; parties and papers take one."""
    after = around.after.casefold()
    if kind == "place":
        is_whole = not after or after in FUNCTION or after in AT_PLACE
        return is_whole and word not in COUNTRIES and word not in THE_PLACES and not word.endswith("s")
    if kind != "organisation" or word.endswith("s") or word in THE_PAPERS:
        return False
    return is_ordinary(word, "en") and not _acts(around, kind, "en")


def is_proper(word: str, small: str, language: str) -> bool:
    """Whether a word before an ordinary one is a name, so that both are one: `Trafalgar Square`, but `Airline Delta`."""
    if (
        language == "de"
        or len(word) <= 3
        or "'" in word
        or "’" in word
        or word.endswith(("'s", "’s"))
        or small.endswith(POST_ENDINGS)
    ):
        return False
    return small not in STARTERS and not is_ordinary(small, language)


def is_no_title(word: str) -> bool:
    """Whether an ordinary word with a capital before a name is no post of somebody: `Labor Day`, but `Singer Day`."""
    return (
        (word in SEASONS or not word.endswith(POST_ENDINGS))
        and word not in STARTERS
        and not is_given(word)
        and is_ordinary(word, "en")
    )


def is_club(around: Surroundings, before: str) -> bool:
    """Whether a town stands for its club: `Brest beat Nantes 2-0`, `Milan are seventh`. Countries stand for themselves."""
    after = around.after.casefold()
    if after in AUXILIARIES:
        after = around.after_next.casefold()
    if around.word.casefold() in COUNTRIES:
        return False
    if after in SPORTS_VERBS and around.first:
        return after in PLURAL or is_of_sport(around.sentence)
    return (after in SPORTS_VERBS or before in AGAINST) and is_scored(around.sentence)


def is_part_of_another(whole: str, end: int, kind: Kind) -> bool:
    """Whether a name of several words is another one's: New York Times, Charles de Gaulle Airport."""
    stop = whole.find(" ", end + 1, end + AROUND)
    behind = (
        whole[end + 1 : stop if stop > 0 else end + AROUND].split("\n", maxsplit=1)[0].rstrip(".,;:!?'’\"”)").casefold()
    )
    if kind == "place":
        return behind in OF_PAPER or behind in CLUBS_BEHIND
    return kind == "person" and behind in NAMED_AFTER


def stands_near(whole: str, start: int, end: int, words: tuple[str, ...]) -> bool:
    """Whether one of an entry's words stands near a place in the text, as a word or its beginning."""
    stretch = whole[max(0, start - NEAR) : end + NEAR].casefold()
    return any(re.search(rf"(?<!\w){re.escape(word.casefold())}", stretch) for word in words)
