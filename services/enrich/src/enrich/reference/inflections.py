"""How languages inflect names: tables of endings by which the names in a text become base forms.

A word becomes a base form only if the dictionary has that form and not the word itself. The tables may be generous: they
say what can follow a name, and never make one.
"""

import re
from bisect import bisect_right
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from shared.remembered import remembered

ADDED: Mapping[str, tuple[str, ...]] = {
    "en": ("s", "es"),
    **dict.fromkeys(("de", "nl", "sv", "da", "nb", "nn", "no", "und"), ("s",)),
}
"""Languages that only add to the last word of a name: plural and genitive. Behind an apostrophe nothing has to be undone."""
LEAST_ADDED: Mapping[str, int] = {"en": 5, "und": 5}
LEAST = 4
"""Letters of a name that takes an ending; a shorter one would be found in other words, as `Mali` in `Malis`."""
LEAST_SYLLABLES = 2
"""Of a Korean name, which has a character for each."""

CASES: Mapping[str, Mapping[str, str]] = {
    "ru": {
        "": "а у ом е ем ы ым ов ам ами ах", "а": "ы и е у ой ою ей", "я": "и е ю ей ею", "й": "я ю ем е и", "ь": "я ю ем ём е и ью", "ия": "ии ию ией", "ие": "ия ию ием ии",
        "ий": "ого ому им ом его ему ем", "ый": "ого ому ым ом", "ой": "ого ому ым ом", "ая": "ой ую", "яя": "ей юю", "ец": "ца цу цом цем це", "ел": "ла лу лом ле", "ёл": "ла лу лом ле", "ок": "ка ку ком ке", "ев": "ьва ьву ьвом ьве",
    },
    "uk": {
        "": "а у ові ом ем еві і и ів ам ами ах им", "а": "и і у ою ої", "я": "і ї ю ею єю", "й": "я ю єм єві ї", "ь": "я ю ем еві і", "о": "а у ом ові і", "ий": "ого ому им ім", "е": "а у ем ому",
        "їв": "єва єву євом єві", "ів": "ова ову овом ові", "ка": "ці", "га": "зі", "ха": "сі", "ець": "ця цю цем цеві ці", "ок": "ка ку ком кові", "ія": "ії ію ією",
    },
    "pl": {
        "": "a owi em u ie iem y i e ów om ami ach", "a": "y i ę ą o ie e ii ię ią", "ka": "ce", "ga": "dze", "cha": "sze", "ta": "cie", "da": "dzie", "ra": "rze", "ła": "le", "sta": "ście",
        "ek": "ka kowi kiem ku", "iec": "ca cowi cem cu", "ki": "kiego kiemu kim", "ska": "skiej ską", "cka": "ckiej cką", "y": "ego emu ym", "e": "a u em", "ń": "nia niu niem niowi ni", "ów": "owa owie owem owi owu",
        "t": "cie", "szt": "szcie", "st": "ście", "d": "dzie", "r": "rze", "ł": "le łem", "o": "a u em ie", "ź": "zi zią", "ść": "ści", "ja": "ji ję ją",
    },
    "cs": {
        "": "a ovi em u e ě y ů ům ech i", "a": "y u ou o ě e i", "ha": "ze", "ga": "ze", "cha": "še", "ka": "ce", "ra": "ře", "ek": "ka kovi kem ku", "ec": "ce ci cem", "el": "la lovi lem le",
        "ý": "ého ému ým ém", "ová": "ové ovou", "á": "é ou", "í": "ího ímu ím", "o": "a u em ě ovi", "eň": "ně ni ní", "e": "i í",
    },
    "hr": {"": "a u om em e i", "a": "e i u om o", "ka": "ci", "ga": "zi", "ac": "ca cu cem", "ak": "ka ku kom", "o": "a u om", "ski": "skog skom skim", "ija": "ije iji iju ijom"},
    "fi": {
        "": "n in a ä ta tä lla llä ssa ssä sta stä lle lta ltä ksi na nä an en on un yn än ön iin ia iä illa illä issa issä ista istä ille ilta iltä iksi ina inä",
        "nki": "ngin ngissä ngissa ngistä ngista ngille ngiltä ngilta ngiksi", "nta": "nnan nnassa nnasta nnalla nnalle nnalta", "kki": "kin kissa kissä kista kistä kille", "tti": "tin tissa tissä tista tistä tille",
        "ere": "ereen ereella ereelle ereelta ereessa ereesta", "nen": "sen sta stä selle sella sellä selta seltä seen sessa sesta seksi",
    },
    "hu": {
        "": "t ot et at öt nak nek val vel on en ön ban ben ba be ból ből ra re ról ről hoz hez höz tól től ig ért nál nél ként i é",
        "a": "át ában ába ából án ára áról ához ától ának ával áig áért ánál ai", "e": "ét ében ébe éből én ére éről éhez étől ének ével éig éért énél ei",
        **{letter: f"{letter}{letter}al {letter}{letter}el" for letter in "bdfgjklmnprstvz"},
    },
    "el": {"ος": "ου ο ε ον", "ης": "η", "ας": "α", "α": "ας", "η": "ης"},
    "ko": {"": "은 는 이 가 을 를 에 에서 에서는 에는 의 로 으로 와 과 도 만 께서 에게 에게서 부터 까지 이다 였다 이며 라고 측은 측이 보다 처럼 씨 씨는 씨가"},
}  # fmt: skip
"""By language: what a base form ends in, and what that becomes in other cases."""
ALIKE: Mapping[str, str] = {"sr": "hr", "bs": "hr", "sk": "cs", "be": "ru"}

JOINED: Mapping[str, Mapping[str, str]] = {
    "ar": {**dict.fromkeys(("و", "ف", "ب", "ل", "ك", "وب", "ول", "فب", "فل"), ""), "لل": "ال", "ولل": "ال"},
    "he": dict.fromkeys(("ב", "ל", "מ", "ו", "ה", "ש", "כ", "וב", "ול", "ומ", "שב"), ""),
}
"""By language: what is written together with the name behind it, and the beginning of the name that it replaces."""

BY_SCRIPT = re.compile(
    "(?P<el>[\u0370-\u03ff])|(?P<ru>[\u0400-\u04ff])|(?P<he>[\u0590-\u05ff])|(?P<ar>[\u0600-\u06ff])|(?P<ko>[\uac00-\ud7af])"
)
LONGEST_WORD = 100
"""Letters: what is longer is no name."""
LOOKED_AT = 1000
"""Characters of a text whose language is not known for the script that its names may be inflected in."""
NAME = re.compile(r"[^\W\d_a-zß-öø-ÿа-џά-ώ][^\W\d_]{2,}")
"""A word that may be a name: no small letter begins it, where the script has small ones."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How one language inflects names."""

    endings: Mapping[str, tuple[str, ...]]
    """By what a word ends in, what the name may end in instead."""
    beginnings: Mapping[str, str]
    longest: int
    least: int = LEAST

    def name_of(self, word: str, known: Collection[str]) -> str | None:
        """The name that a word is a case of, the longest ending first; None where the dictionary knows none."""
        for length in range(min(self.longest, len(word) - 1), 0, -1):
            for ending in self.endings.get(word[-length:], ()):
                name = word[:-length] + ending
                if len(name) >= self.least and name in known:
                    return name
        for beginning, swallowed in self.beginnings.items():
            if word.startswith(beginning):
                name = swallowed + word[len(beginning) :]
                if len(name) >= self.least and name in known:
                    return name
        return None


@dataclass(frozen=True, slots=True)
class BaseForms:
    """A text with its names as base forms, and where its words were."""

    text: str
    ends: tuple[int, ...] = ()
    """Where words that were replaced end in `text`."""
    shifts: tuple[int, ...] = ()
    """By how much the text as it was is longer there."""

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Where a stretch of `text` that begins and ends with whole words stood."""
        if not self.ends:
            return start, end
        before, behind = bisect_right(self.ends, start), bisect_right(self.ends, end)
        return (
            start + (self.shifts[before - 1] if before else 0),
            end + (self.shifts[behind - 1] if behind else 0),
        )

    def is_inflected(self, start: int, end: int) -> bool:
        """Whether a stretch of `text` has a word that was replaced."""
        return bool(self.ends) and bisect_right(self.ends, start) != bisect_right(self.ends, end)


@remembered(1000, 20)
def rules_of(language: str) -> Rules | None:
    """The rules of a language, by its primary tag; None where names are not inflected beyond what `ADDED` says."""
    language = ALIKE.get(language, language)
    joined = JOINED.get(language, {})
    # Wires of one country write of people of the other, and a Cyrillic text of unknown language may be either's.
    tables = [CASES[each] for each in (("ru", "uk") if language in ("ru", "uk") else (language,)) if each in CASES]
    if not tables and not joined:
        return None
    endings: dict[str, dict[str, None]] = {}
    for table in tables:
        for called, cases in table.items():
            for case in cases.split():
                endings.setdefault(case, {})[called] = None
    return Rules(
        {case: tuple(called) for case, called in endings.items()},
        joined,
        max(map(len, endings), default=0),
        LEAST_SYLLABLES if language == "ko" else LEAST,
    )


def to_base_forms(whole: str, small: str, language: str, known: Collection[str]) -> BaseForms:
    """`small` with its names as base forms. `small` is `whole` in small letters, character by character;
    `language` a primary tag; `known` the words of all names."""
    rules = rules_of(language)
    if rules is None and not whole.isascii() and (script := BY_SCRIPT.search(whole, 0, LOOKED_AT)):
        rules = rules_of(script.lastgroup or "")
    if rules is None:
        return BaseForms(small)
    pieces: list[str] = []
    ends: list[int] = []
    shifts: list[int] = []
    done = length = shift = 0
    for found in NAME.finditer(whole):
        start, end = found.span()
        word = small[start:end]
        if end - start > LONGEST_WORD or word in known or (name := rules.name_of(word, known)) is None:
            continue
        pieces += (small[done:start], name)
        length += start - done + len(name)
        shift += (end - start) - len(name)
        ends.append(length)
        shifts.append(shift)
        done = end
    if not ends:
        return BaseForms(small)
    return BaseForms("".join([*pieces, small[done:]]), tuple(ends), tuple(shifts))
