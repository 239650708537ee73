"""Who can be the author of an update: the one rule for what is a person's name at all. Pure.

Houses fill `creator`, `contributor` and `by` with logins, codes, initials of desk staff and their own name. Those are
kept for the desk, and no reader sees them as an author.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Literal

Kind = Literal["person", "organisation", "code"]
"""`code` is a login, initials, an address: nothing that a reader should see."""

MAX_NAME = 120
MAX_WORDS = 7
"""Of a person's name, titles and particles included."""

AGENCIES = frozenset(["aa", "aap", "adn", "adnkronos", "afp", "agerpres", "agi", "aip", "ana", "angola", "ani", "anp", "ansa", "antara", "ap", "apa", "apn", "apnews", "apnewswire", "aps", "apnsa", "ats", "ats-ans", "bangkok", "belga", "bernama", "bta", "ca", "cna", "cns", "cp", "ctk", "čtk", "dapd", "ddp", "dpa", "dpa-afx", "dpa-infocom", "efe", "epd", "elta", "eno", "europapress", "fena", "folhapress", "globenewswire", "hina", "ians", "interfax", "irna", "itar-tass", "jiji", "kna", "keystone-ats", "keystone-sda", "kuna", "kyodo", "kurier", "lapresse", "leta", "lusa", "lusaagency", "mena", "mti", "mtva", "map", "nan", "notimex", "ntb", "pa", "pap", "petra", "pti", "reuters", "rtr", "ria", "ritzau", "rb", "saba", "sana", "sapa", "sda", "sid", "sipa", "spa", "srna", "sta", "stt", "stt-lehtikuva", "swissinfo", "tanjug", "tasr", "tass", "telam", "télam", "tt", "ttn", "uni", "unian", "upi", "ukrinform", "verkkouutiset", "vna", "wam", "wafa", "xinhua", "yonhap", "newsaktuell", "ots", "prnewswire", "qna", "businesswire", "cision", "getty",
    "ا ف ب", "أ ف ب", "اف ب", "أف ب", "ا.ف.ب", "أ.ف.ب", "فرانس برس", "رويترز", "ا ب", "أ ب", "د ب ا", "د ب أ", "شينخوا", "سانا", "وام", "واس", "كونا", "بترا", "وفا", "قنا",
    "тасс", "итар-тасс", "риа", "риа новости", "интерфакс", "рейтер", "рбк", "укринформ", "укрінформ", "уніан", "унн", "белта", "бта", "цтк",
    "新华社", "新華社", "中新社", "中央社", "共同", "共同社", "共同通信", "時事", "時事通信", "ロイター", "연합뉴스", "뉴시스", "뉴스1"])  # fmt: skip
"""Agencies by what they call themselves in copy, in small letters."""

_AGENCY_NAMES = re.compile(
    r"\b(?:associated press|agence france[ -]presse|thomson reuters|reuters|deutsche presse[ -]agentur|press association|canadian press|"
    r"australian associated press|tidningarnas telegrambyr[åa]|norsk telegrambyr[åa]|ritzaus? bureau|suomen tietotoimisto|"
    r"agencia efe|europa press|prensa latina|presse canadienne|xinhua|kyodo|yonhap|bloomberg|globe ?newswire|pr ?newswire|business ?wire|news aktuell|"
    r"nachrichtenagentur|newsagentur|presseagentur|presse-agentur|news ?agency|newswire|telegraph agency|press agency|"
    r"agence de presse|agencia de noticias|agenzia|nyhetsbyr[åa]|telegrambyr[åa]|nyhedsbureau|persbureau)\b",
    re.IGNORECASE,
)
_DESK = re.compile(
    r"\b(?:staff|desk|newsroom|news ?room|editors?|editorial|redaktion|redaktionen|redaktionens?|red\.|online[- ]redaktion|r[ée]daction|redacci[óo]n|"
    r"redazione|reda[çc][ãa]o|redactie|redaksjonen|toimitus|redakcja|news ?team|team|agencies|agenturen|agences|agencias|"
    r"correspondents|bureau|service|media|press|presse|news|nachrichten|verlag|gmbh|inc|ltd|llc|a\.?s\.?a|ab|ag|corp|company|"
    r"television|fernsehen|rundfunk|radio|broadcasting|tv|productions?|presents|studios?|magazine|podcast|blog|s\.a\.|e\.v\.|"
    r"university|universit[äye]\w*|institut\w*|ministry|ministerium|office|group|network|foundation|association|agency|agentur)\b\.?",
    re.IGNORECASE,
)
_ACCOUNTS = frozenset(["admin", "administrator", "author", "autor", "root", "user", "guest", "test", "editor", "webmaster", "web", "redaktion", "redaktionen", "redactie", "redaccion", "redazione", "redaction", "newsroom", "news", "desk", "system", "import", "importer", "api", "bot", "cms", "wire", "wires", "feed", "feeds", "rss", "staff", "team", "online", "info", "press", "presse", "support", "default", "anonymous", "anonym", "unknown", "none", "null", "nan", "nobody", "n/a", "na", "tba", "tbd", "-", "–", "—"])  # fmt: skip
"""Accounts that content systems write for an author."""

_ADDRESS = re.compile(
    r"://|^www\.|@|\b[\w-]+\.(?:com|net|org|info|news|de|at|ch|fr|es|it|se|no|dk|fi|co|uk|nl|be|eu|tv|io)\b",
    re.IGNORECASE,
)
_UNCASED = r"[\u0590-\u08ff\u0900-\u0fff\ufb1d-\ufdff\ufe70-\ufeff]"
_INITIALS = re.compile(
    r"[^\W\d_]{1,5}(?:\s?[/+&\-.·|]{1,2}\s?[^\W\d_]{1,5}){1,7}[.]?"
    rf"|(?=[^/]{{0,20}}/)(?:{_UNCASED}{{1,5}}|(?:{_UNCASED} ){{1,3}}{_UNCASED})(?:[/\-](?:{_UNCASED}{{1,5}}|(?:{_UNCASED} ){{1,3}}{_UNCASED})){{1,7}}"
)
"""Where letters have no capitals, a name's initials stand apart from one another: `كام/ص ك`."""
_DOTTED_INITIALS = re.compile(r"(?:[^\W\d_]\.\s?){1,4}")
_NAME_SIGNS = re.compile(r"[^\W\d_]|[\s.,'’`´ʼ\-–‐()·・&\"“”„/]")
_PARTICLE = re.compile(
    r"(?:de|la|las|los|el|al|del|della|dello|di|da|das|do|dos|du|des|der|den|dem|zu|zur|zum|von|van|ten|ter|te|vom|und|e|y|i|"
    r"af|av|bin|ibn|ben|bint|abu|ould|le|les|lo|degli|dei|d|l|o|n|st|san|ap|na|ua|ut|in|op|het|'t|auf|im|am|and|et|og|och|with|mit)$"
)  # fmt: skip
_BLANKS = re.compile(r"\s+")


def kind_of_name(name: str) -> Kind:
    """What a name can be: a person's, an organisation's, or a login, initials, a code or an address."""
    return _kind_of(name) if len(name) <= 2 * MAX_NAME else "code"


@lru_cache(8192)
def _kind_of(name: str) -> Kind:  # noqa: PLR0911 -- a table of cases
    bare = _BLANKS.sub(" ", name).strip(" ,;:|/–—-")
    low = bare.casefold()
    if not bare or len(bare) > MAX_NAME or low in _ACCOUNTS or _ADDRESS.search(bare):
        return "code"
    if is_agency(bare):
        return "organisation"
    words = bare.split(" ")
    if len(words) > MAX_WORDS + 3:
        return "code"
    if any(letter.isdigit() for letter in bare) or "_" in bare or _DOTTED_INITIALS.fullmatch(bare):
        return "code"
    if _is_uncased(bare):
        return "person"
    if len(words) == 1:
        return _kind_of_word(bare)
    if _DESK.search(bare):
        return "organisation"
    if all(_INITIALS.fullmatch(word) or len(word) < 3 for word in words) and not bare.istitle():
        return "code"
    if words[0].casefold() in ("the", "der") or not all(_NAME_SIGNS.match(letter) for letter in bare):
        return "organisation"
    if len(words) > MAX_WORDS:
        return "organisation"
    strong = [word for word in words if not _PARTICLE.match(word.strip(",.()").casefold())]
    capital = [word for word in strong if word.strip("(\"“„'’")[:1].isupper()]
    # In "rademacher daniel" nobody has a capital: content systems make logins so.
    return "person" if capital and 2 * len(capital) >= len(strong) else "code"


def _kind_of_word(word: str) -> Kind:
    """Of one word: a name only where it begins with a capital and goes on in small letters."""
    if _INITIALS.fullmatch(word) and not re.fullmatch(r"[A-ZÀ-Þ][\w’']{2,}-[A-ZÀ-Þ][\w’']{2,}", word):
        return "code"
    if "." in word or "/" in word or word.islower():
        return "code"
    if word.isupper():
        # A surname in capitals has more letters than a house's initials.
        return "person" if len(word) > 5 and word.isalpha() else "code"
    if _DESK.fullmatch(word):
        return "organisation"
    if len(word) < 3:
        return "code"
    inner = sum(letter.isupper() for letter in word[1:])
    return (
        "person"
        if inner == 0
        or (word[0].isupper() and inner < 3 and "-" in word)
        or word[:2] in ("Mc", "O'", "O’", "De", "Di", "Le")
        else "organisation"
    )


def _is_uncased(name: str) -> bool:
    """Whether it is written in a script without capitals, where nothing can be told from them."""
    letters = [letter for letter in name if letter.isalpha()]
    if not letters or name.isascii():
        return False
    return sum(unicodedata.category(letter) == "Lo" for letter in letters) * 2 > len(letters)


def is_agency(name: str) -> bool:
    """Whether it is the name of a news agency, or of several: `AFP`, `dpa/AFP`, `The Associated Press`."""
    low = name.casefold().strip(" .()[]©/–-")
    low = low.removeprefix("the ").removeprefix("by ").removeprefix("von ")
    if low in AGENCIES:
        return True
    if _AGENCY_NAMES.search(low):
        rest = _AGENCY_NAMES.sub(" ", low)
        return len(re.findall(r"[^\W\d_]{2,}", rest)) <= 2 and "," not in rest
    parts = [
        part.strip(" .()")
        for part in re.split(r"\s*(?:[/,;&+|]|\b(?:and|und|et|y|och|og|with|mit)\b|(?<=\w)-(?=\w))\s*", low)
        if part.strip(" .()")
    ]
    return len(parts) > 1 and all(part in AGENCIES or part in ("agencies", "agenturen") for part in parts)


def is_initials(value: str) -> bool:
    """Whether it is nothing but initials of desk staff: `ab/cd/ef`, `MWE`, `a.b.`."""
    bare = value.strip(" ()[]./–-")
    if _DOTTED_INITIALS.fullmatch(value.strip(" ()")):
        return True
    if _INITIALS.fullmatch(bare):
        return True
    return bare.isalpha() and len(bare) <= 4 and (bare.islower() or bare.isupper())


_WRITES = frozenset(["author", "autor", "writer", "reporter", "correspondent", "journalist", "columnist", "by", "byline", "text", "texte", "texto", "verfasser", "auteur", "autora", "creator", "korrespondent", "redakteur", "reportage", "mainauthor", "contributingauthor", "storyby", "analyst", "critic", "commentator", "translator", "reporting", "additionalreporting"])  # fmt: skip
_TAKES_PICTURES = re.compile(
    r"photo|foto|picture|bild|camera|kamera|video|cameraman|illustrat|graphic|grafik", re.IGNORECASE
)


def writes(role: str) -> bool:
    """Whether a role, of a source's own words or IPTC's, is that of somebody who wrote the text; no role is."""
    bare = re.sub(r"[^a-z]", "", role.casefold().rpartition(":")[2].rpartition("/")[2])
    return (
        not bare
        or bare in _WRITES
        or bare.endswith(("writer", "reporter", "author", "correspondent", "columnist", "journalist", "translator"))
    )


def takes_pictures(role: str) -> bool:
    """Whether a role is that of a photographer, filmmaker or illustrator."""
    return _TAKES_PICTURES.search(role) is not None
