"""The text step: safe HTML, plain text, and what is read off it."""

import functools
import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

import nh3
from anyascii import anyascii
from rapidfuzz.distance import Indel

from enrich.text.steps.budget import Budget
from enrich.text.steps.limits import LONGEST, cut
from shared.markup import plainly_nested

Diff = tuple[tuple[Literal["=", "-", "+"], str], ...]

TAGS = {
    "p", "br", "hr", "h2", "h3", "h4", "h5", "h6", "blockquote", "q", "cite", "pre", "code", "ul", "ol", "li", "dl", "dt", "dd",
    "table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td", "a", "abbr", "b", "strong", "i", "em", "u", "s", "del", "ins",
    "mark", "small", "sub", "sup", "span", "div", "time", "bdi", "bdo", "ruby", "rb", "rt", "rp", "wbr", "figure", "figcaption",
}  # fmt: skip
"""What copy needs. Pictures go through the media lane; scripts, styles, forms, frames, SVG and MathML never."""

ATTRIBUTES = {
    "*": {"lang", "dir"},
    "a": {"href", "title"},
    "abbr": {"title"},
    "blockquote": {"cite"},
    "q": {"cite"},
    "time": {"datetime"},
    "ol": {"start", "reversed", "type"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
}
VALUES = {
    "dir": {"ltr", "rtl", "auto"},
    "scope": {"col", "row", "colgroup", "rowgroup"},
    "type": {"1", "a", "A", "i", "I"},
}
NUMBERS = {"start", "colspan", "rowspan"}
MOST_SPANNED = 1000
LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,5}")
MOMENT = re.compile(r"[0-9TZ:.+ \-PYMDHSW]{1,40}")
SILENT = {
    "script",
    "style",
    "template",
    "title",
    "noscript",
    "iframe",
    "object",
    "svg",
    "math",
    "textarea",
    "select",
    "head",
}
"""What is taken out with all that is in it."""

CONTROLS = re.compile(
    "[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f\ufdd0-\ufdef\ufeff\ufffe\uffff"
    + "".join(f"{chr(p * 0x10000 + 0xFFFE)}-{chr(p * 0x10000 + 0xFFFF)}" for p in range(1, 17))
    + "]"
)
"""Control characters and noncharacters: no text, and errors in HTML and XML. Joiners, soft hyphens and marks of direction stay."""
ASCII_CONTROLS = {code: None for code in range(128) if CONTROLS.match(chr(code))}
SPACES = re.compile(r" ?[\t\n\r\f\x0b\x85][ \t\n\r\f\x0b\x85]*|  +[\t\n\r\f\x0b\x85]*[ \t\n\r\f\x0b\x85]*")
BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")

BLOCKS = frozenset(
    [
        "p",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "blockquote",
        "pre",
        "li",
        "dt",
        "dd",
        "tr",
        "div",
        "caption",
        "figcaption",
        "figure",
        "ul",
        "ol",
        "dl",
        "table",
        "hr",
    ]
)
ATTRIBUTE_LIST = r"(?:\s[^<>\"]*+(?:\"[^\"]*+\"[^<>\"]*+)*+)?"
BLOCK_TAG = re.compile(rf"</?(?:{'|'.join(sorted(BLOCKS))}){ATTRIBUTE_LIST}>")
LINE_TAG = re.compile(rf"<br{ATTRIBUTE_LIST}>")
CELL_END = re.compile(r"</t[dh]>")
TAG = re.compile(r"</?[a-z0-9]*+[^<>\"]*+(?:\"[^\"]*+\"[^<>\"]*+)*+>")
"""Of HTML that was sanitised: attributes are in double quotes."""
_WORDS = r"[^<>&\xa0\r\ud800-\udfff]*(?:&amp;[^<>&\xa0\r\ud800-\udfff]*)*"
CLEAN = re.compile(rf"(?:<p>(?!\s|</p>){_WORDS}(?:<(b|i|em|strong)>(?![\s<]){_WORDS}</\1>{_WORDS})*</p>)+")
"""Paragraphs with the plainest emphasis, as most copy is: the cleaner would give back what it was given."""
ANY_TAG = re.compile(r"<[^<>]*>")
"""Of HTML as it came: attributes are not looked into, so that no quote can make the search long."""
EMPTY_BLOCK = re.compile(
    r"<(p|div|span|li|h[2-6]|b|i|em|strong|blockquote)(?: [^<>\"]*+(?:\"[^\"]*+\"[^<>\"]*+)*+)?>\s*+</\1>"
)
DEEPEST_EMPTY = 4
"""Empty elements within each other that are taken out; each level is a pass, and a hostile text has as many as it likes."""
LONG_REFERENCE = re.compile(r"&#[0-9]{30,}+;?")
"""A number that no character has; Python reads no more than 4,300 digits."""
INLINE_SPACES = re.compile(r"[ \t\r\f\v]*[\n\t\r\f\v][ \t\n\r\f\v]*|  +")
"""Runs that collapse to one space; the lone spaces between words, which are most, are not looked at one by one."""
UNSPACED = re.compile(
    r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\U00020000-\U0003fffd]"
)
"""Scripts that are written without spaces: Han, kana, Thai, Lao, Burmese, Khmer. Each character counts."""

WORDS_A_MINUTE = {"en": 238, "de": 179, "fr": 195, "es": 218, "it": 188, "pt": 181, "nl": 202, "pl": 166, "ru": 184, "sv": 199, "fi": 161, "tr": 166, "ar": 138, "he": 187}  # fmt: skip
"""Silent reading of non-fiction, adults (Brysbaert 2019, table 5; Trauzettel-Klosinski and Dietz 2012)."""
OTHER_WORDS_A_MINUTE = 184
CHARACTERS_A_MINUTE = {"zh": 255, "ja": 357, "th": 900, "lo": 900, "km": 900, "my": 900}
OTHER_CHARACTERS_A_MINUTE = 300

RTL = {"ar", "he", "iw", "fa", "ur", "yi", "ps", "sd", "ug", "dv", "ckb", "arc", "azb", "syr", "nqo"}
RTL_SCRIPTS = {"arab", "hebr", "thaa", "syrc", "nkoo", "adlm"}
RTL_LETTER = re.compile("[\u0590-\u08ff\ufb1d-\ufdfd\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]")
LETTER = re.compile(r"[^\W\d_]")

EXCERPT_LENGTH = 240
SLUG_LENGTH = 80
LEAST_LETTERS = 60
"""Below this many letters a guess of the language is a coin toss."""
LEAST_CERTAINTY = 0.9
JUDGED = 300
"""Characters by which a language is guessed; the time it takes grows with them."""
SENTENCE_END = re.compile(r"[.!?…][\"'”’»)\]]*(?=\s)|[。！？][」』”’）]*")
DIFF_WORDS = 3000
"""Beyond this many changed words a diff tells no reader anything, and takes time that grows with their square."""
DIFF_LENGTH = 16_384
KEPT_WORDS = 40
LOOKED_THROUGH = 640
"""Characters that most often hold twice as many words."""
LONGEST_WORD = 1000
"""Characters in which the end of a word is looked for."""
WORD = re.compile(r"\s*\w+|\s*[^\w\s]|\s+")
"""With the space before it: half as many as words and spaces, and a diff takes time that grows with the square."""


@dataclass(frozen=True, slots=True)
class Text:
    """What the text step makes of a version."""

    headline: str
    body_html: str
    text: str
    summary: str
    excerpt: str
    language: str
    direction: Literal["ltr", "rtl"]
    word_count: int
    read_time_minutes: int
    why_language: str = ""
    missed: bool = False


def read_text(headline: str, body_html: str, summary: str, language: str | None, budget: Budget | None = None) -> Text:
    """Clean the words of a version and read off them what pages need. The same words always give the same."""
    budget = budget or Budget()
    headline, summary = line_of(headline, LONGEST["headline"]), line_of(summary, LONGEST["summary"])
    body = sanitised(body_html)
    text = plain(body)
    missed = budget.spent
    code, why = language_of(language, "") if missed else language_of(language, f"{headline}\n{text or summary}")
    words, minutes = reading(text or summary, code)
    return Text(
        headline=headline,
        body_html=body,
        text=text,
        summary=summary,
        excerpt=excerpt_of(summary or text),
        language=code,
        direction=direction_of(code, headline or text),
        word_count=words,
        read_time_minutes=minutes,
        why_language=why,
        missed=missed,
    )


def bare_text(headline: str, body_html: str, summary: str, language: str | None) -> Text:
    """What the step degrades to: every tag taken out by the plainest means, so that nothing unsafe can be left."""
    text = tidy(unescaped(ANY_TAG.sub(" ", body_html)))
    headline, summary = line_of(headline, LONGEST["headline"]), line_of(summary, LONGEST["summary"])
    code = normalised_language(language) or "und"
    words, minutes = reading(text or summary, code)
    body = f"<p>{html.escape(text)}</p>" if text else ""
    excerpt = excerpt_of(summary or text)
    return Text(headline, body, text, summary, excerpt, code, direction_of(code, headline), words, minutes, "", True)


def tidy(value: str) -> str:
    """One line of plain text: control characters out, runs of spaces to one. Quotes, dashes and non-breaking spaces stay as sent."""
    if value.isascii() and value.isprintable() and "  " not in value:
        return value.strip(" ")
    return closed_bidi(SPACES.sub(" ", without_controls(value)).strip(" "))


def line_of(value: str, most: int) -> str:
    """One line of plain text, as `tidy` makes it, of at most `most` characters."""
    line = tidy(value)
    if len(line) <= most:
        return line
    line = closed_bidi(cut(line, most))
    return line if len(line) <= most else BIDI.sub("", line)


def without_controls(value: str) -> str:
    """Without control characters and noncharacters."""
    return value.translate(ASCII_CONTROLS) if value.isascii() else CONTROLS.sub("", value)


def closed_bidi(value: str) -> str:
    """Close what marks of direction were left open, so that they turn no text but their own."""
    marks = [] if value.isascii() else BIDI.findall(value)
    if not marks:
        return value
    open_marks: list[str] = []
    for mark in marks:
        if mark in "\u202a\u202b\u202d\u202e":
            open_marks.append("\u202c")
        elif mark in "\u2066\u2067\u2068":
            open_marks.append("\u2069")
        elif open_marks and open_marks[-1] == mark:
            open_marks.pop()
    return value + "".join(reversed(open_marks))


@functools.cache
def _cleaner() -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=TAGS,
        clean_content_tags=SILENT,
        attributes=ATTRIBUTES,
        attribute_filter=_attribute,
        url_schemes={"http", "https", "mailto", "tel"},
        url_relative="deny",
        link_rel="noopener noreferrer nofollow",
        strip_comments=True,
    )


def _attribute(_: str, name: str, value: str) -> str | None:  # noqa: PLR0911 -- a table of cases
    if name in ("href", "cite"):
        return value if _is_link(value) else None
    if name == "lang":
        return value if LANGUAGE.fullmatch(value) else None
    if name in NUMBERS:
        number = value.strip()
        return (
            number
            if number.isascii() and number.isdigit() and len(number) < 5 and 0 < int(number) <= MOST_SPANNED
            else None
        )
    if name == "datetime":
        return value if MOMENT.fullmatch(value) else None
    if name == "reversed":
        return ""
    if name in VALUES:
        return value if value in VALUES[name] else None
    return CONTROLS.sub("", value)


def _is_link(value: str) -> bool:
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return bool(parts.hostname) if parts.scheme in ("http", "https") else parts.scheme in ("mailto", "tel")


def sanitised(body_html: str) -> str:
    """HTML that is safe inside an element of a page; plain text is put into paragraphs."""
    body = without_controls(body_html).strip()
    if not body:
        return ""
    if "<" not in body:
        return "".join(f"<p>{html.escape(paragraph, quote=False)}</p>" for paragraph in paragraphs_of(unescaped(body)))
    if CLEAN.fullmatch(body):
        return body
    clean = str(_cleaner().clean(plainly_nested(body))).strip()
    for _ in range(DEEPEST_EMPTY):
        if "></" not in clean and not EMPTY_BLOCK.search(clean):
            break
        clean = EMPTY_BLOCK.sub("", clean)
    return clean if "<" in clean or not clean else f"<p>{clean}</p>"


def paragraphs_of(text: str) -> list[str]:
    """The paragraphs of plain text, which blank lines part; each without the space around it."""
    paragraphs: list[str] = []
    lines: list[str] = []
    # Line by line: an expression for a blank line looks again and again at the blanks before it.
    for line in text.split("\n"):
        if line and not line.isspace():
            lines.append(line)
        elif lines:
            paragraphs.append("\n".join(lines).strip())
            lines = []
    return [*paragraphs, "\n".join(lines).strip()] if lines else paragraphs


def unescaped(text: str) -> str:
    """The text with its character references read; a number that is no character's is one that cannot be shown."""
    if "&" not in text:
        return text
    return html.unescape(LONG_REFERENCE.sub("\ufffd", text) if "&#" in text else text)


def plain(clean_html: str) -> str:
    """The plain text of sanitised HTML, blocks parted by a blank line."""
    if not clean_html:
        return ""
    if "\n" in clean_html or "\t" in clean_html or "  " in clean_html or "\r" in clean_html or "\f" in clean_html:
        clean_html = INLINE_SPACES.sub(" ", clean_html)
    text = BLOCK_TAG.sub("\n\n", clean_html)
    if "<" in text:
        text = TAG.sub("", CELL_END.sub("\t", LINE_TAG.sub("\n", text)))
    text = unescaped(text)
    text = "\n".join([line.strip(" \t") for line in text.split("\n")])
    while "\n\n\n" in text:
        text = text.replace("\n\n\n", "\n\n")
    return closed_bidi(text.strip("\n"))


def normalised_language(said: str | None) -> str | None:
    """BCP 47 with its usual capitals; None where the source says none, or says nothing that is a tag."""
    if not said or not LANGUAGE.fullmatch(said := said.strip().replace("_", "-")):
        return None
    first, *rest = said.split("-")
    if first.lower() in ("und", "mul", "zxx"):
        return None
    return "-".join(
        [
            first.lower(),
            *[part.title() if len(part) == 4 else part.upper() if len(part) == 2 else part.lower() for part in rest],
        ]
    )


SMALL_WORDS: tuple[tuple[str, frozenset[str]], ...] = tuple(
    (code, frozenset(words.split()))
    for code, words in {
        "en": "the of and to that was were with for his her they from has have been said would which this it is are after by as at",
        "de": "der die das und den dem nicht mit ist ein eine einen für auf sich auch wurde werden nach bei aus wie hat sie zum zur",
        "fr": "le la les des du et est une dans pour que qui sur pas au aux avec par ont été sont cette ses il elle mais plus",
        "es": "el los las y del una por con para que se su al lo como más pero sus fue este esta ha han sobre entre desde",
        "it": "il lo gli di che per del della dei delle con non una sono nel nella alla è ha anche dal più come ma si",
        "pt": "o os as do da dos das em um uma para que com não por mais foi no na ao pelo pela são seu sua também",
        "nl": "het een van en dat niet zijn voor met op aan werd wordt door naar ook bij om uit heeft de te die hij zij",
        "af": "die het van en dat nie is vir met op wat sy ook hulle word deur te om sal by na",
        "ca": "el la els les del i que es va amb per una un no als són més pel dels seu ha han",
        "gl": "o a os as do da dos das que e un unha con por para non máis foi no na ao polo segundo",
        "sv": "och att det som en på är av för med den till inte har de ett om men var vid under efter från hon sig",
        "da": "og at det som en på er af for med den til ikke har de et om men var ved under efter fra hun sig blev",
        "pl": "i w na z do się nie że jest to o po jak od za przez dla był była są oraz tym jego które który",
    }.items()
)
"""The commonest words of languages that wires are written in; a language beside it that shares them keeps the other from being plain."""
PLAIN_WORDS = 4
PLAINER = 3


def language_of(said: str | None, text: str) -> tuple[str, str]:
    """The language, and where it is known from. Only where the source says nothing, and the text is long enough, is it guessed."""
    if known := normalised_language(said):
        return known, "as the source says"
    if len(LETTER.findall(text[:JUDGED])) < LEAST_LETTERS:
        return "und", "the source says nothing and the text is too short for a guess"
    if code := language_by_small_words(text[:JUDGED]):
        return code, "the source says nothing; its small words are plain"
    code, certainty = _identifier().classify(text[:JUDGED])
    if certainty < LEAST_CERTAINTY:
        return "und", f"the source says nothing; {code} is a guess with {certainty:.2f}"
    return str(code), f"the source says nothing; guessed with {certainty:.2f}"


def language_by_small_words(text: str) -> str | None:
    """The language whose commonest words the text is full of; None where that is not plain, and a model must judge.

    Ten times quicker than the model, and most copy is plain.
    """
    said = set(text.lower().split())
    found = sorted(((len(words & said), code) for code, words in SMALL_WORDS), reverse=True)
    (most, code), (next_most, _) = found[:2]
    return code if most >= PLAIN_WORDS and most >= PLAINER * next_most else None


@functools.cache
def _identifier() -> Any:
    from py3langid.langid import (  # type: ignore[import-untyped]  # noqa: PLC0415 -- its model takes 30 MB
        MODEL_FILE,
        LanguageIdentifier,
    )

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def prepare() -> None:
    """Load the model of languages now, and not with the first update that names none: it takes a second."""
    _identifier().classify("ready")


def direction_of(language: str, text: str) -> Literal["ltr", "rtl"]:
    """By the script where the tag names one, by the language, or by the first letter where neither is known."""
    first, *rest = language.lower().split("-")
    for part in rest:
        if len(part) == 4 and part.isalpha():
            return "rtl" if part in RTL_SCRIPTS else "ltr"
    if first != "und":
        return "rtl" if first in RTL else "ltr"
    letter = LETTER.search(text)
    return "rtl" if letter and RTL_LETTER.match(letter[0]) else "ltr"


def reading(text: str, language: str) -> tuple[int, int]:
    """Words, and minutes that reading them takes, at least one. In scripts without spaces each character is a word."""
    primary = language.split("-", 1)[0]
    characters = 0 if text.isascii() else len(UNSPACED.findall(text))
    words = len((UNSPACED.sub(" ", text) if characters else text).split())
    minutes = words / WORDS_A_MINUTE.get(primary, OTHER_WORDS_A_MINUTE)
    minutes += characters / CHARACTERS_A_MINUTE.get(primary, OTHER_CHARACTERS_A_MINUTE)
    return words + characters, max(1, round(minutes))


def excerpt_of(text: str, length: int = EXCERPT_LENGTH) -> str:
    """The beginning of a text, cut after a sentence where one ends in the second half, else between words."""
    line = text[: length * 3]
    line = (" ".join(line.split()) if line.isascii() else SPACES.sub(" ", line)).strip()
    if len(line) <= length:
        return line
    ends = [found.end() for found in SENTENCE_END.finditer(line, length // 2 - 1, length + 1) if found.end() <= length]
    if ends:
        return line[: ends[-1]]
    cut = line.rfind(" ", length // 2, length)
    return line[: cut if cut > 0 else length - 1].rstrip(" ,;:–—-") + "…"


def slug_of(headline: str) -> str:
    """The headline's words for a URL, transliterated; `update` where nothing is left."""
    head = headline[: SLUG_LENGTH * 4]
    words = re.sub(r"[^a-z0-9]+", "-", (head if head.isascii() else anyascii(head)).lower().replace("'", "")).strip("-")
    if len(words) > SLUG_LENGTH:
        cut = words.rfind("-", SLUG_LENGTH // 2, SLUG_LENGTH + 1)
        words = words[: cut if cut > 0 else SLUG_LENGTH].strip("-")
    return words or "update"


def word_diff(old: str, new: str) -> Diff:
    """The words kept, taken out and put in. Bounded: long stretches that were kept are shortened, and beyond
    `DIFF_WORDS` changed words the whole changed stretch is one."""
    if old == new:
        return ()
    begin = _word_start(old, _common(old, new))
    end = _common(old[begin:][::-1], new[begin:][::-1])
    end = _word_start_from(old, len(old) - end)
    end_new = len(new) - (len(old) - end)
    before, after = WORD.findall(old, begin, end), WORD.findall(new, begin, end_new)
    least = min(len(before), len(after))
    head = 0
    while head < least and before[head] == after[head]:
        head += 1
    tail = 0
    while tail < least - head and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    kept = old[:begin] + "".join(before[:head])
    parts: list[tuple[Literal["=", "-", "+"], str]] = [("=", _ending(kept))]
    parts.extend(_changed(before[head : len(before) - tail], after[head : len(after) - tail]))
    parts.append(("=", _beginning("".join(before[len(before) - tail :]) + old[end:])))
    return _bounded([(sign, words) for sign, words in parts if words])


def _common(one: str, other: str) -> int:
    """How many characters two texts begin with alike."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _word_start(text: str, end: int) -> int:
    """The last place before `end` where the space before a word begins; 0 where there is none near."""
    for place in range(end - 1, max(end - LONGEST_WORD, 0), -1):
        if text[place].isspace() and not text[place - 1].isspace():
            return place
    return 0


def _word_start_from(text: str, begin: int) -> int:
    """The first place behind `begin` where the space before a word begins; the end where there is none near."""
    for place in range(begin + 1, min(begin + LONGEST_WORD, len(text))):
        if text[place].isspace() and not text[place - 1].isspace():
            return place
    return len(text)


def _ending(text: str) -> str:
    """The last words of a stretch that was kept."""
    words = WORD.findall(text, _word_start(text, len(text) - LOOKED_THROUGH)) if len(text) > LOOKED_THROUGH else []
    if len(words) <= 2 * KEPT_WORDS:
        words = WORD.findall(text)
    return _shortened(words, keep_end=True)


def _beginning(text: str) -> str:
    """The first words of a stretch that was kept."""
    words = WORD.findall(text, 0, _word_start_from(text, LOOKED_THROUGH)) if len(text) > LOOKED_THROUGH else []
    if len(words) <= 2 * KEPT_WORDS:
        words = WORD.findall(text)
    return _shortened(words, keep_start=True)


def _changed(before: Sequence[str], after: Sequence[str]) -> list[tuple[Literal["=", "-", "+"], str]]:
    if len(before) > DIFF_WORDS or len(after) > DIFF_WORDS:
        return [("-", "".join(before)), ("+", "".join(after))]
    parts: list[tuple[Literal["=", "-", "+"], str]] = []
    taken, put = "", ""
    for operation in Indel.opcodes(before, after):
        kept = before[operation.src_start : operation.src_end]
        if operation.tag == "equal":
            parts += (("-", taken), ("+", put), ("=", _shortened(kept, keep_start=True, keep_end=True)))
            taken, put = "", ""
        else:
            taken += "".join(kept)
            put += "".join(after[operation.dest_start : operation.dest_end])
    return [*parts, ("-", taken), ("+", put)]


def _shortened(words: Sequence[str], *, keep_start: bool = False, keep_end: bool = False) -> str:
    most = KEPT_WORDS * (keep_start + keep_end)
    if len(words) <= most + KEPT_WORDS:
        return "".join(words)
    return (
        ("".join(words[:KEPT_WORDS]) if keep_start else "") + " … " + ("".join(words[-KEPT_WORDS:]) if keep_end else "")
    )


def _bounded(parts: Sequence[tuple[Literal["=", "-", "+"], str]]) -> Diff:
    kept: list[tuple[Literal["=", "-", "+"], str]] = []
    left = DIFF_LENGTH
    for sign, words in parts:
        if left <= 0:
            break
        kept.append((sign, words if len(words) <= left else words[:left] + " …"))
        left -= len(words)
    return tuple(kept)
