"""Plain text: what may be in it, and paragraphs out of it."""

import hashlib
import html
import itertools
import re

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_SPACE_LIKE = str.maketrans({"\x0b": " ", "\x0c": " ", "\x85": " "})
_BLANKS = re.compile(r"[ \t\r\n]+")
MAX_LINES = 50_000
"""A text of more lines is parted at blank lines only."""

_BULLETS = ("* ", "\u2022 ", "\u25cf ", "\u00b7 ")
_BULLET = re.compile(r"\n[ \t]*[*\u2022\u25cf\u00b7] ")
_BLANK_LINE = re.compile(r"\n[ \t]*\n\s*")


# One each, since an expression that begins with a letter is searched for ten times as fast as an alternation.
_RAW_CONTROL = re.compile(rb"\xc2[\x80-\x9f]")
_RAW_NONCHARACTER = re.compile(rb"\xef(?:\xb7[\x90-\xaf]|\xbf[\xbe\xbf])")


_ESCAPED_FORBIDDEN = re.compile(
    rb"\\(?:[bf]|u(?:00[01]|007[fF]|00[89]|[dD][89a-fA-F]|[fF][dD][dDeE]|[fF][fF][fF][eEfF]))|&#"
)


def may_be_unclean(body: bytes) -> bool:
    """Whether JSON or XML in UTF-8 can yield forbidden characters, as they are or by an escape. A cheap test that errs on the side of yes."""
    if b"\x7f" in body:
        return True
    if (b"\\" in body or (b"#" in body and b"&#" in body)) and _ESCAPED_FORBIDDEN.search(body) is not None:
        return True
    if body.isascii():
        return False
    return (b"\xc2" in body and _RAW_CONTROL.search(body) is not None) or (
        b"\xef" in body and _RAW_NONCHARACTER.search(body) is not None
    )


def has_forbidden(value: object) -> bool:
    """Whether a string somewhere in plain data has a character that no page, feed or database can hold."""
    stack: list[object] = [value]
    search = _FORBIDDEN.search
    while stack:
        one = stack.pop()
        if isinstance(one, str):
            if search(one):
                return True
        elif isinstance(one, dict):
            stack += one.values()
            stack += one
        elif isinstance(one, (list, tuple)):
            stack += one
    return False


def cleaned(value: str) -> str:
    """The text without control characters, lone surrogates and noncharacters; breaks among them become blanks."""
    return _FORBIDDEN.sub("", value.translate(_SPACE_LIKE)) if _FORBIDDEN.search(value) else value


def without_forbidden(value: object) -> object:
    """Plain data of limited depth with every string cleaned."""
    if isinstance(value, str):
        return cleaned(value)
    if isinstance(value, dict):
        return {cleaned(key) if isinstance(key, str) else key: without_forbidden(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_forbidden(one) for one in value]
    return value


def one_line(value: str) -> str:
    """The text with every run of blanks and breaks as one blank, and none at the ends: XML's whitespace means nothing."""
    return _BLANKS.sub(" ", value).strip()


def paragraphs(value: str) -> str:
    """HTML of plain text: a blank line or an indented one begins a paragraph, other breaks are blanks."""
    parts: list[str] = []
    for part in _blocks(value):
        if is_table(part):
            parts.append(f"<pre>{html.escape(rows(part), quote=False)}</pre>")
        elif content := _BLANKS.sub(" ", part).strip():
            parts.append(f"<p>{html.escape(content, quote=False)}</p>")
    return "".join(parts)


_COLUMNS = re.compile(r"\S[ ]{2,40}\S|\t\S")


def is_table(block: str) -> bool:
    """Whether most lines of a paragraph are set in columns, which mean nothing once the lines are joined."""
    if "  " not in block or block.count("\n") < 2:
        return False
    lines = [line for line in block.split("\n") if line.strip()]
    columns = sum(_COLUMNS.search(line.strip()) is not None for line in lines)
    return columns > 2 and 2 * columns > len(lines)


def rows(block: str) -> str:
    """A table's lines, as wide as they are."""
    lines = [line.rstrip().expandtabs(8) for line in block.strip("\n").split("\n")]
    margin = min((len(line) - len(line.lstrip()) for line in lines[1:] if line.strip()), default=0)
    return "\n".join((lines[0].strip(), *(line[margin:] for line in lines[1:])))


def paragraphs_of_inline(value: str) -> str:
    """HTML of words that may have inline tags but no blocks."""
    parts = (_BLANKS.sub(" ", part).strip() for part in _blocks(value))
    return "".join(f"<p>{part}</p>" for part in parts if part)


def _blocks(value: str) -> list[str]:
    """The paragraphs of a text with their line breaks; one is indented where its neighbours are less so, or has a bullet."""
    unified = value.replace("\r\n", "\n").replace("\r", "\n").strip("\n")
    if ("\n " not in unified and "\n\t" not in unified and not _BULLET.search(unified)) or unified.count(
        "\n"
    ) > MAX_LINES:
        return _BLANK_LINE.split(unified)
    lines = unified.lstrip("\n \t").split("\n")
    indents = [_indent(line) for line in lines]
    least = min((indent for indent in indents[1:] if indent is not None), default=0)
    if all(indent in (None, least) for indent in indents[1:]) and not _is_wrapped(lines):
        least = 0
    found: list[list[str]] = []
    fresh = True
    for line, indent in zip(lines, indents, strict=True):
        if indent is None:
            fresh = True
            continue
        if fresh or indent >= least + 2 or line.lstrip().startswith(_BULLETS):
            found.append([line])
        else:
            found[-1].append(line)
        fresh = False
    return ["\n".join(block) for block in found]


_ENDS_SENTENCE = re.compile(r"[.!?:;…。”\"»)\]]\s*$")


def _is_wrapped(lines: list[str]) -> bool:
    """Whether lines that are indented alike are one paragraph laid out in XML: one goes on in small letters behind another's open end."""
    full = [line.strip() for line in lines[:200] if line.strip()]
    return any(
        behind[:1].islower() and not _ENDS_SENTENCE.search(before) for before, behind in itertools.pairwise(full)
    )


def _indent(line: str) -> int | None:
    """Columns before a line's first character; None for a blank line."""
    bare = line.lstrip(" \t")
    return len(line[: len(line) - len(bare)].expandtabs(8)) if bare and not bare.isspace() else None


def typeset(value: str) -> list[str]:
    """The paragraphs of a text that was set in lines, as teleprinters do, inside one paragraph of markup; else the text.

    It was if lines begin at the margin and others are indented or empty: what is only laid out to be read as markup
    has its lines at one depth.
    """
    if "\n" not in value or value.count("\n") > MAX_LINES:
        return [value]
    indents = [_indent(line) for line in value.strip().replace("\r", "").split("\n")[1:]]
    if 0 not in indents or all(indent == 0 for indent in indents):
        return [value]
    return _blocks(value)


_PLAIN_PARAGRAPH = re.compile(r"<p>([^<>]*)</p>")


def reset(value: str) -> str:
    """HTML whose paragraphs were set in lines, with a paragraph for each."""
    return _PLAIN_PARAGRAPH.sub(
        lambda found: "".join(f"<p>{one.strip()}</p>" for one in typeset(found.group(1))), value
    )


_OPENS = re.compile(r"<(?:(script|style|head|title|template)\b[^<>]*>|!--)", re.IGNORECASE)
_COMMENT_ENDS = re.compile("-->")
_ENDS = {name: re.compile(f"</{name}", re.IGNORECASE) for name in ("script", "style", "head", "title", "template")}
_BLOCK = re.compile(
    r"</?(?:p|div|br|li|ul|ol|h[1-6]|tr|table|blockquote|section|article|hr|dd|dt)\b[^<>]*>", re.IGNORECASE
)
_TAG = re.compile(r"<[/!?a-zA-Z][^<>]*>")
_MARKUP = re.compile(r"<[a-zA-Z/!][^<>]*>|&(?:#\d{1,8}|#x[0-9a-fA-F]{1,6}|[a-zA-Z]\w{1,31});")
_BODY = re.compile(r"<body\b[^<>]*>", re.IGNORECASE)
_BODY_ENDS = re.compile("</body", re.IGNORECASE)


def _without_invisible(value: str) -> str:
    """HTML without comments, scripts and styles, in one pass: what nothing closes is left to the end of the text."""
    out: list[str] = []
    never_end: set[str] = set()
    at = 0
    while found := _OPENS.search(value, at):
        name = found.group(1)
        low = name.lower() if name else ""
        end = None if low in never_end else (_ENDS[low] if low else _COMMENT_ENDS).search(value, found.end())
        out += (value[at : found.start()], " ")
        if end is None:
            if low in ("", "script", "style"):
                return "".join(out)
            # A title that nothing closes is only a word too many: what follows it is text.
            never_end.add(low)
            at = found.end()
            continue
        at = end.end()
        if name is not None:
            at = value.find(">", at) + 1 or len(value)
    out.append(value[at:])
    return "".join(out)


_NO_CHARACTER = re.compile(r"&#(?:[0-9]{8,}|[xX][0-9a-fA-F]{7,});?")


def unescaped(value: str) -> str:
    """The text with its character references as characters; numbers without a character become U+FFFD.

    Python refuses to read a number of thousands of digits at all.
    """
    if "&" not in value:
        return value
    return html.unescape(_NO_CHARACTER.sub(_as_short_as_can_be, value) if "&#" in value else value)


def _as_short_as_can_be(found: re.Match[str]) -> str:
    """A reference without leading zeros: `&#x000000041;` is an A."""
    value = found.group().rstrip(";")
    hexadecimal = value[2] in "xX"
    digits = value[3 if hexadecimal else 2 :].lstrip("0")
    return f"&#{'x' if hexadecimal else ''}{digits};" if 0 < len(digits) < 8 else "\ufffd"


def is_markup(value: str) -> bool:
    """Whether a text has a tag or a character reference in it."""
    return _MARKUP.search(value) is not None


def of_html(value: str) -> str:
    """The words of a piece of HTML in one line."""
    if "<" not in value and "&" not in value:
        return one_line(value)
    seen = _TAG.sub("", _BLOCK.sub(" ", _without_invisible(value)))
    return one_line(unescaped(seen))


def body_of_page(value: str) -> str:
    """What is inside `<body>` where the HTML is a whole page; else the HTML as it is."""
    if "<body" not in value and "<BODY" not in value:
        return value
    found = _BODY.search(value)
    if found is None:
        return value
    end = _BODY_ENDS.search(value, found.end())
    return value[found.end() : end.start() if end else len(value)].strip()


def paragraphs_of_escaped(value: str) -> str:
    """HTML of words that may have character references but no tags."""
    return paragraphs(unescaped(value))


def identity(*words: str) -> str:
    """A stable id made of an item's own words, for sources that give none."""
    return f"urn:sha256:{hashlib.sha256(chr(0).join(words).encode('utf-8', 'replace')).hexdigest()[:32]}"


def escaped(value: str) -> str:
    """Text as HTML."""
    return html.escape(value, quote=False)


_MONTH = r"(?:jan|feb|m[aä]r|apr|ma[iy]|jun|jul|aug|sep|o[ck]t|nov|de[cz]|janv|f[eé]v|avr|juin|juil|ao[uû]t|d[eé]c|ene|abr|ago|dic)"
_DATE = re.compile(
    rf"(?:[,.]?\s+|^)(?:\d{{1,2}}\.?\s+(?:de\s+)?{_MONTH}|{_MONTH}[a-zé]*\.?\s+\d{{1,2}}|\d{{1,4}}[./-]\s?\d{{1,2}}[./-]\s?\d{{0,4}}|\d{{1,2}}:\d\d)\b.*$",
    re.IGNORECASE | re.DOTALL,
)


_SAID_TO_BE = re.compile(r"^\s*(?:said to be)\s+(?=[A-Z])", re.IGNORECASE)
"""Of a video whose place nobody could check."""


def place_of_dateline(dateline: str) -> str:
    """The place that a dateline begins with: `KYIV, March 3 (Reuters) -` is `KYIV`; empty where it has a time only."""
    before = _DATE.sub("", _SAID_TO_BE.sub("", dateline[:300]).partition("(")[0].strip()).strip(" ,:;-\u2013\u2014_/")
    if before.endswith(".") and len(before.rpartition(" ")[2]) > 5:
        before = before[:-1]
    return before if before and before[0].isalpha() and len(before) <= 100 else ""


_NOT_PUBLIC = re.compile(
    r"^\W*eds?\.?\s?:|^\W*editors:|notes? to editors|attention,? editors|not for public release|hinweise? an die redaktion|not (?:intended )?for publication|not for use by|nicht zur Ver\u00f6ffentlichung|nicht zur Verwendung|ne pas publier|no publicar",
    re.IGNORECASE,
)


def says_private(note: str) -> bool:
    """Whether a note says of itself that it is not for publication."""
    return _NOT_PUBLIC.search(note) is not None
