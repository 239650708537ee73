"""News agencies: how bylines and credits name them, and which publisher family each is of."""

import functools
import re
from collections.abc import Mapping

AGENCIES = {
    "reuters", "thomson reuters", "thomson reuters foundation", "ap", "the associated press", "associated press", "afp", "agence france presse", "dpa", "deutsche presse agentur", "dpa afx",
    "epd", "kna", "sid", "apa", "sda", "keystone sda", "ansa", "efe", "agencia efe", "lusa", "pa", "pa media", "press association", "pa news agency", "upi", "united press international",
    "tass", "itar tass", "ria novosti", "interfax", "interfax ukraine", "ukrinform", "xinhua", "xinhuanet", "kyodo", "kyodo news", "jiji", "jiji press", "yonhap", "yonhap news agency", "ani", "pti", "press trust of india",
    "ians", "antara", "bernama", "anadolu", "anadolu agency", "aa", "wafa", "petra", "spa", "saudi press agency", "tt", "tt news agency", "ntb", "ritzau", "stt", "belga", "anp", "pap", "ctk", "mti", "agerpres", "bta",
    "bloomberg", "bloomberg news", "dow jones", "dow jones newswires", "canadian press", "the canadian press", "aap", "australian associated press", "europa press", "adnkronos", "agi", "laPresse".casefold(), "notimex", "telam", "agencia brasil",
    "getty", "getty images", "apn", "cna", "nhk", "bbc", "bbc news", "cnn", "rfi", "rferl", "rfe rl", "voa", "dw", "deutsche welle", "al jazeera", "интерфакс", "тасс", "риа новости", "укринформ", "укрінформ", "уніан", "新华社", "中新社", "共同社", "时事社", "zuma", "nurphoto", "imago", "alamy", "tassr", "unian", "dpa infocom", "ard", "zdf", "orf", "srf", "čtk", "agencia lusa", "agência lusa", "рейтер", "рейтерз", "рбк",
    "رويترز", "أ ف ب", "أف ب", "فرانس برس", "د ب أ", "الأناضول", "سانا", "واس", "وكالات", "רויטרס", "新华网", "法新社", "路透社", "美联社",
}  # fmt: skip
FAMILIES: Mapping[str, str] = {
    "thomson reuters": "reuters", "thomson reuters foundation": "reuters", "associated press": "ap", "the associated press": "ap", "agence france presse": "afp",
    "pa media": "pa", "press association": "pa", "pa news agency": "pa", "deutsche presse agentur": "dpa", "dpa afx": "dpa", "agencia efe": "efe",
    "united press international": "upi", "itar tass": "tass", "the canadian press": "canadian press", "australian associated press": "aap", "xinhuanet": "xinhua",
    "kyodo news": "kyodo", "jiji press": "jiji", "yonhap news agency": "yonhap", "press trust of india": "pti", "anadolu agency": "anadolu", "tt news agency": "tt",
    "bloomberg news": "bloomberg", "bbc news": "bbc", "deutsche welle": "dw",
}  # fmt: skip


@functools.lru_cache(maxsize=4096)
def _credited(credit: str) -> str:
    return re.sub(r"[^\w]+", " ", credit.casefold()).strip()


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
