"""News agencies: how bylines and credits name them, and which publisher family each is of."""

import re
from collections.abc import Collection, Mapping

from shared.remembered import remembered

AGENCIES = {
    "reuters", "thomson reuters", "thomson reuters foundation", "ap", "the associated press", "associated press", "afp", "agence france presse", "dpa", "deutsche presse agentur", "dpa afx",
    "epd", "kna", "sid", "apa", "sda", "keystone sda", "ansa", "efe", "agencia efe", "lusa", "pa", "pa media", "press association", "pa news agency", "upi", "united press international",
    "tass", "itar tass", "ria novosti", "interfax", "interfax ukraine", "ukrinform", "xinhua", "xinhuanet", "kyodo", "kyodo news", "jiji", "jiji press", "yonhap", "yonhap news agency", "ani", "pti", "press trust of india",
    "ians", "antara", "bernama", "anadolu", "anadolu agency", "aa", "wafa", "petra", "spa", "saudi press agency", "tt", "tt news agency", "ntb", "ritzau", "stt", "belga", "anp", "pap", "ctk", "mti", "agerpres", "bta",
    "bloomberg", "bloomberg news", "dow jones", "dow jones newswires", "canadian press", "the canadian press", "aap", "australian associated press", "europa press", "adnkronos", "agi", "laPresse".casefold(), "notimex", "telam", "agencia brasil",
    "getty", "getty images", "apn", "cna", "nhk", "bbc", "bbc news", "cnn", "rfi", "rferl", "rfe rl", "voa", "dw", "deutsche welle", "al jazeera", "интерфакс", "тасс", "риа новости", "укринформ", "укрінформ", "уніан", "新华社", "中新社", "共同社", "时事社", "zuma", "nurphoto", "imago", "alamy", "tassr", "unian", "dpa infocom", "ard", "zdf", "orf", "srf", "čtk", "agencia lusa", "agência lusa", "рейтер", "рейтерз", "рбк",
    "رويترز", "أ ف ب", "أف ب", "فرانس برس", "د ب أ", "الأناضول", "سانا", "واس", "وكالات", "רויטרס", "新华网", "法新社", "路透社", "美联社",
}  # fmt: skip
OWN_BY_NAME = ("newsroom", "desk")
FAMILIES: Mapping[str, str] = {
    "thomson reuters": "reuters", "thomson reuters foundation": "reuters", "associated press": "ap", "the associated press": "ap", "agence france presse": "afp",
    "pa media": "pa", "press association": "pa", "pa news agency": "pa", "deutsche presse agentur": "dpa", "dpa afx": "dpa", "agencia efe": "efe",
    "united press international": "upi", "itar tass": "tass", "the canadian press": "canadian press", "australian associated press": "aap", "xinhuanet": "xinhua",
    "kyodo news": "kyodo", "jiji press": "jiji", "yonhap news agency": "yonhap", "press trust of india": "pti", "anadolu agency": "anadolu", "tt news agency": "tt",
    "bloomberg news": "bloomberg", "bbc news": "bbc", "deutsche welle": "dw",
}  # fmt: skip


@remembered(4096, 200)
def _credited(credit: str) -> str:
    return re.sub(r"[^\w]+", " ", credit.casefold()).strip()


@remembered(4096, 200)
def is_agency(source: str) -> bool:
    """Whether a source's name is that of a known agency, or begins with it: `ap`, `dpa-sport`."""
    words = re.findall(r"[^\W_]+", source.casefold())
    return any(" ".join(words[:count]) in AGENCIES for count in range(1, min(len(words), 4) + 1))


def is_own_source(source: str, credit: str, own: Collection[str], families: Mapping[str, str]) -> bool:
    """Whether a source's writers are the newsroom's: one of `own`; where none is named, any that is no known agency.

    What a source prints of an agency, by its credit, is the agency's.
    """
    if family_of(source, credit, families) != families.get(source, source):
        return False
    return source in own if own else not is_agency(families.get(source, source))


def is_own_copy(source: str, own: Collection[str]) -> bool:
    """Whether an update is the newsroom's own copy; where none of its sources is named, of one that is called so."""
    return source in (own or OWN_BY_NAME)


def family_of(source: str, credit: str, families: Mapping[str, str]) -> str:
    """The publisher family that an update's words come from: the agency that it credits, else the source's own.

    A paper that prints an agency's text confirms nothing that the agency did not say.
    """
    own = families.get(source, source)
    credited = _credited(credit[:60]) if credit else ""
    if credited in AGENCIES:
        family = FAMILIES.get(credited, credited)
        return families.get(family, family)
    return own
