"""The lines that agencies of the world close a text with, by the language and habit of each: end marks, desks, addresses, writers. Pure.

Each rule is of what a house writes and nobody else: a whole line, or what stands behind the last sentence.
"""

import re

from ingest.formats.copy.names import people

_NAME = r"[^\W\d_][\w.'’-]{0,30}(?:\s[^\W\d_][\w.'’-]{0,30}){0,4}"

_LINE = re.compile(
    r"[\W_]*(?:"
    # End marks and desks in Chinese, Japanese and Korean.
    r"完|终|終|끝|끝\)?|(?:责任编辑|責任編輯|责编|編輯|编辑|校对|监制|監製|参与记者|参与采写|參與記者)\s?[:：].{1,60}|<?저작권자.{0,80}|.{0,40}무단\s?전재.{0,40}금지.{0,20}|◎.{2,30}[\w.+-]{1,64}@[\w.-]{1,100}|"
    # Arabic, Turkish, languages of the Balkans.
    r"انتهى|\d\d:\d\d\s?ت\s?م|foto[ğg]rafl[ıi]|g[öo]r[üu]nt[üu]l[üu]|\(?kraj\)?|\((?:beta|tanjug|fena|srna|hina|mia|tasr|sta),?\s\d{1,2}\.\s?\d{1,2}\.\s?\d{4}\.?\)|\(hina\)(?:\s[a-z]{2,5}){1,4}|"
    # Lusa, EFE, ANSA, SPA: desks, numbers, hours.
    r"(?-i:[A-Z]{2,5})(?:\s?\((?-i:[A-Z]{2,5}(?:[/ ,]{1,2}[A-Z]{2,5}){0,4})\))?\s?//\s?(?-i:[A-Z]{2,5})\.?|\d{7}|0\d{3}|recursos (?:de archivo|gr[áa]ficos|audiovisuales).{0,120}|\d{2}-[a-z]{3}-\d{2}(?:\d\d)?\s\d{2}[:.]\d{2}(?:\sn{2,4})?|\([a-z]{3}(?:[-/][a-z]{3}){0,2}/(?:adnkronos|labitalia)\)|"
    # Houses of the Gulf, Iran, Latin America.
    r"-0-|//petra//(?:\s[a-z]{2,3})?|\d\d/\d\d/\d{4}\s\d\d:\d\d:\d\d|\d{3,5}\*{2}\d{3,5}|telesur(?:-[a-z]{2,5}){1,4}|\(fin\)(?:\s[a-z]{2,4}(?:/[a-z]{2,4}){0,3})?|publicado\s?:\s?\d{1,2}/\d{1,2}/\d{4}|(?:edi[çc][ãa]o|web editors?|editors?)\s?:\s.{2,60}|our standards\s?:.{0,80}|"
    # dpa-AFX, Reuters, BNS, NAN.
    r"(?:axc|ots|apa|dpa)\d{3,4}\s\d{4}-\d\d-\d\d/\d\d:\d\d|isins?\s+(?:[a-z]{2}[a-z0-9]{9}\d[\s,/]*){1,6}|source text.{0,40}(?:eikon|refinitiv|workspace|\[id:).{0,120}|further company coverage\s?:.{0,80}|\([\w .]{2,30}\s(?:newsroom|bureau|desk)\)|"
    r"(?:edited|vetted|compiled) by\s(?-i:[A-Z])[\w .,’'-]{2,60}|служба (?:\S{1,40} ){0,3}информации|(?-i:([A-Z]{2,4})\s\1)"
    r")[\W_]*",
    re.IGNORECASE,
)
_SYNDICATED = re.compile(
    r"[\W_]*(?:this|the above|the) (?:story|article|report|content|copy|news(?: item)?|press release)\b.{0,120}\b(?:not (?:been )?(?:edited|created|modified)|auto-?generated|syndicated (?:news )?feed|wire(?: agency)? feed|without (?:any )?modifications?)\b.{0,250}",
    re.IGNORECASE,
)
"""What papers that take over an agency's feed write below it."""
_ADDRESS = re.compile(r"[\W_]{0,4}(?:[^\s@]{1,20}\s){0,2}[\w.+-]{1,64}@[\w-]{1,60}(?:\.[\w-]{1,60}){1,3}[\W_]{0,4}")
_DESK_WITH_NUMBER = re.compile(
    r"[^.!?]{0,40}\b(?:newsroom|desk|redaktion|r[ée]daction|redacci[óo]n|redazione|toimitus)\b.{0,20}\+\d[\d ()/-]{5,20}(?:,?\s*\S{1,60}@\S{1,60})?\W*",
    re.IGNORECASE,
)
_LOW_INITIALS = re.compile(r"(?!.*\b(?:the|and|but|for|not|you|yes|yet|end|see|all|too|out|now|new|one|two|old|day|way|who|why|how|bye|us|we|me|be|do|go|is|it|he|by|my|no|so|to|up|der|die|das|und|les|des|que|los|las|ein|pas)\b)[a-z]{3}(?: [a-z]{3}){1,2}")  # fmt: skip
"""ČTK's and TASR's: `jnk mha`."""
LONGEST = 420

_BEHIND = re.compile(
    r"(?:(?<=[。！？”」])\s*[（(](?:完|终|終|(?:编辑|編輯|责任编辑|参与记者|参与采写|參與)[:：]?[^（）()]{1,60})[）)]\s*\d{0,10}"
    r"|(?<=[。」])\s?[（(]\d{4}/\d\d/\d\d-\d\d:\d\d[）)]"
    r"|(?<=[.!?\"”»])\s+(?:PTI|ANI|IANS|UNI)(?:\s[A-Z]{2,4}){1,6}(?:\s\d{4})?"
    r"|(?<=[.!?\"”»])\s+(?:\([Ee]nd\)\s[a-z]{2,4}(?:\.[a-z]{2,4}){0,3}|EFE(?:\s\d{4,8})?\s[a-z]{2,4}(?:[/-][a-z]{2,4}){1,4}|\((?:Folgt mehr|Mehr folgt|[Ss]egue|SEGUE)\))"
    r"|(?<=[.!?\"”»])\s+(?:\([Kk]raj\)|\(Hina\)(?:\s[a-z]{2,5}){0,4}|\([A-Z][a-z]{2}(?:[-/][A-Z][a-z]{2}){0,2}/(?:Adnkronos|AdnKronos|Labitalia)\)|[A-Z]{3}\s[A-Z]{2}\d\d\s[a-z]{3}(?:/[a-z]{3})?\s\d{6}\s[A-Z]{3}\s\d\d)"
    r"|(?<=[.!?\"”»])\s*(?:\(NAN\))?\s?\(?www\.nannews\.ng\)?"
    r"|(?<=[.!?\"”»])\s+AGERPRES\s?/?\s?\([^()]{0,10}(?:autor|editor)[^()]{3,160}\)"
    r"|(?<=[.!?\"”»)])/[a-z]{2,3}/[A-Z]{2}(?:/[a-z]{2,3}){1,2}"
    r"|(?<=[다요.])\s+[\w.+-]{1,64}@[\w.-]{1,100}(?:\s\(끝\))?"
    r"|(?<=\.)/\.)$"
)
_TAIL = 240
_SIGNS = frozenset("()（）/다요0123456789") | frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")

_SAYS_WRITER = re.compile(
    r"[—–-]{0,2}\s?(?:autor(?:ka|in|a|e)?|auteur|pewarta|penulis|oleh|szerző|forfatter)\s?:\s(?P<name>[^:,;@\d]{4,60}?)(?:\s?[(/](?P<agency>[\w .-]{2,20})\)?)?[.]?"
    rf"|[—–]{{1,2}}\s?By\s(?P<by>{_NAME})(?:,\s[\w .]{{2,40}})?\.?"
    rf"|Z[e]?\s[^\W\d_]{{3,20}}\s(?P<from>{_NAME})\s\((?P<wire>[\w .-]{{2,12}})\)",
    re.IGNORECASE,
)
_PARTED = re.compile(r"\s?[/,]\s?")


def is_closer(words: str, *, is_block: bool) -> bool:
    """Whether the last line of a text is a house's closing line."""
    if len(words) > LONGEST:
        return False
    if len(words) > _TAIL // 2:
        return _SYNDICATED.fullmatch(words) is not None
    if _LINE.fullmatch(words) or _SYNDICATED.fullmatch(words):
        return True
    if "@" in words or "+" in words:
        return _ADDRESS.fullmatch(words) is not None or _DESK_WITH_NUMBER.fullmatch(words) is not None
    return is_block and _LOW_INITIALS.fullmatch(words) is not None


def behind(words: str) -> str:
    """What a house writes behind the last sentence of a line; empty for nothing."""
    if (
        words[-1:] not in _SIGNS
        and words[-2:] != "/."
        and "@" not in words[-_TAIL:]
        and "/" not in words[-12:]
        and "nd) " not in words[-24:]
    ):
        return ""
    found = _BEHIND.search(words, max(0, len(words) - _TAIL))
    return found.group(0) if found is not None else ""


def writer(words: str) -> str:
    """The name of a line that says at the end of a text who wrote it: `Anna Andersson/TT`, `—By Ann Other, AP`; empty for none."""
    if len(words) > 80 or words.endswith(("!", "?", ":")):
        return ""
    if said := _SAYS_WRITER.fullmatch(words):
        name = (said.group("name") or said.group("by") or said.group("from") or "").strip()
        agency = said.group("agency") or said.group("wire")
        if agency and not people.is_agency(agency):
            return ""
        return name if people.kind_of_name(name) == "person" and " " in name else ""
    parts = _PARTED.split(words.strip(" ()[]—–-./"))
    if len(parts) != 2:
        return ""
    for name, agency in (parts, parts[::-1]):
        full = " " in name and not people.is_agency(name) and people.kind_of_name(name) == "person"
        if full and people.is_agency(agency):
            return name
    return ""
