"""XML 1.0 from strangers: no entities, no DTD, no network, no files, bounded depth; and what is only sloppy is mended.

A document type declaration that only names a DTD is common in copy and means nothing to us: it is left out before the
parser sees it. One that declares an entity is an attack, in whatever charset, and the document is refused unparsed.
"""

import html
import html.entities
import re
from collections.abc import Callable, Iterator

from lxml import etree
from lxml.etree import _Element as Element

from ingest.formats import charset
from ingest.formats.model import Document, Unreadable
from ingest.formats.text import plain
from shared.messages import Repair

__all__ = ["Element"]

XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"

MAX_DEPTH = 256
"""At which libxml2 itself stops; the deepest of the real documents have 30 levels."""

_DECLARATION = re.compile(r"\s*<\?xml\b([^>]{0,500})\?>")
_ENCODING = re.compile(r"encoding\s*=\s*[\"']([^\"']{1,40})[\"']")
_PROLOG = re.compile(r"\s+|<\?.*?\?>|<!--.*?-->", re.DOTALL)
_DOCTYPE_PART = re.compile(r"\"[^\"]*\"|'[^']*'|<!--.*?-->|<\?.*?\?>|[\[\]<>]", re.DOTALL)
_ENTITY = re.compile(r"<!\s*ENTITY", re.IGNORECASE)
_NEWSML_DOCTYPE = re.compile(r"<!DOCTYPE\s+(?:NewsML|nitf)\s")
_MODULE = re.compile(
    r"<!ENTITY\s+%\s+[\w.\-]{1,40}\s+(?:SYSTEM|PUBLIC\s+\"[^\"<>&%]{0,200}\")\s+([\"'])(?:\.\.?/){0,4}(?:[\w\-]{1,40}/){0,4}[\w.\-]{1,60}\.(?:dtd|mod)\1\s*>"
)
"""A part of the DTD that lies beside it, as NewsML 1's own DTD names NITF's: `<!ENTITY % nitf SYSTEM "nitf-3-0.dtd">`."""
_INVALID = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_CONTROLS = bytes({*range(32)} - {9, 10, 13})
_INVALID_REFERENCE = re.compile(
    r"&#(?:x0*(?:[0-8bcef]|1[0-9a-f]|d[89a-f][0-9a-f]{2}|fff[ef])|0*(?:[0-8]|1[124-9]|2[0-9]|3[01]));", re.IGNORECASE
)
_REFERENCE = re.compile(
    r"<!\[CDATA\[(?:.*?\]\]>|.*\Z)|&(?:#\d+;|#x[0-9a-fA-F]+;|([A-Za-z][A-Za-z0-9]{1,31});)?", re.DOTALL
)
_PREDEFINED = frozenset({"amp", "lt", "gt", "quot", "apos"})
_ROOT = re.compile(r"<([A-Za-z_][\w.\-]*:)?([A-Za-z_][\w.\-]*)([^>]*)")


MAX_TAGS = 400_000
"""More are refused unparsed: each costs about a microsecond and half a kilobyte; the largest of real documents have 100,000."""

MAX_REFERENCES = 800_000
"""Ten megabytes of escaped HTML have half of that."""

MAX_TAG_CHARACTERS = 256 * 1024
MAX_MENDED_CHARACTERS = 2 * 1024 * 1024
"""What is not well formed and larger is refused: mending looks at every character several times."""

MAX_PROLOG_PARTS = 1000

_LONG_TAG = re.compile(rf"<[A-Za-z_][^<>]{{{MAX_TAG_CHARACTERS}}}")


def _parser(*, recover: bool = False) -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        recover=recover,
        encoding="utf-8",
    )


def prepared(document: Document) -> str:
    """The document as text from its root element on: decoded, without declaration and document type.

    Raises Unreadable where the document type declares entities, and records a charset that was not what it said.
    """
    kept = document.kept.get("xml")
    if isinstance(kept, str):
        return kept
    body = document.body
    name, _ = charset.by_signature(body[:8])
    declared = _DECLARATION.match(body[:600].decode(name or "latin-1", "replace").lstrip("\ufeff"))
    encoding = _ENCODING.search(declared.group(1)) if declared else None
    claimed = encoding.group(1) if encoding else None
    if claimed and not name and claimed.lower().startswith(("utf-16", "utf16", "utf-32", "ucs", "utf_16")):
        claimed = None
    text, _, wrong = charset.decode(body, document.declared_charset, claimed, fallback=document.profile.charset)
    if wrong:
        document.repairs.append(Repair(code="bad-charset", detail=wrong[:200]))
    text = text.lstrip("\ufeff\x00 \t\r\n")
    whole, text = text, _without_prolog(text)
    if _ENTITY.search(whole, 0, len(whole) - len(text)):
        document.repairs.append(Repair(code="dtd-module", detail="a part of the DTD was left out, like the DTD itself"))
    document.kept["xml"] = text
    return text


def _without_prolog(text: str) -> str:
    at = 0
    typed = False
    for _ in range(MAX_PROLOG_PARTS):
        if found := _PROLOG.match(text, at):
            at = found.end()
        elif text[at : at + 9].upper() == "<!DOCTYPE" and not typed:
            at = _end_of_doctype(text, at)
            typed = True
        elif text.startswith("<!", at):
            raise Unreadable("malformed-xml", _place(text, at), "markup before the root element is broken")
        else:
            return text[at:]
    raise Unreadable("malformed-xml", _place(text, at), "there is no end of comments before the root element")


MAX_DOCTYPE_CHARACTERS = 8192
"""A longer document type declaration is refused; those that only name a DTD have 200."""


def _end_of_doctype(text: str, start: int) -> int:
    if _ENTITY.search(text, start, start + 1024 * 1024) and _declares(text, start):
        raise Unreadable(
            "entities-declared", _place(text, start), "the document type declares entities, which is refused"
        )
    depth = 1
    for found in _DOCTYPE_PART.finditer(text, start + 2, start + MAX_DOCTYPE_CHARACTERS):
        sign = found.group()
        if sign in "[<":
            depth += 1
        elif sign in "]>":
            depth -= 1
            if depth == 0:
                return found.end()
    raise Unreadable("malformed-xml", _place(text, start), "the document type declaration does not end")


def _declares(text: str, start: int) -> bool:
    """Whether an entity declaration stands inside the document type declaration, rather than in the text after it.

    What NewsML 1 prescribes to include NITF's DTD declares nothing that a text could use, and no DTD is ever loaded.
    """
    depth = 1
    news = _NEWSML_DOCTYPE.match(text, start) is not None
    for found in _DOCTYPE_PART.finditer(text, start + 2, start + MAX_DOCTYPE_CHARACTERS):
        sign = found.group()
        if sign == "<" and _ENTITY.match(text, found.start()) and not (news and _MODULE.match(text, found.start())):
            return True
        depth += (sign in "[<") - (sign in "]>")
        if depth == 0:
            return False
    return True


def _place(text: str, at: int) -> str:
    line = text.count("\n", 0, at) + 1
    return f"{line}:{at - text.rfind(chr(10), 0, at)}"


def root_name(document: Document) -> tuple[str, str]:
    """The root element's local name and the text of its tag, without parsing; empty for what is no XML."""
    if document.family != "xml":
        return "", ""
    kept = document.kept.get("root")
    if isinstance(kept, re.Match):
        return kept.group(2), kept.group(0)
    if "root" not in document.kept:
        document.kept["root"] = None
        head = prepared(document)[:4000]
        document.kept["root"] = found = _ROOT.match(head) or _ROOT.search(head)
        if found:
            return found.group(2), found.group(0)
    return "", ""


def parse(document: Document) -> Element:
    """The root element. What is mended on the way is recorded; what cannot be raises Unreadable."""
    kept = document.kept.get("tree")
    if isinstance(kept, Element):
        return kept
    text = prepared(document)
    refuse_excess(text)
    try:
        octets = text.encode("utf-8")
        if len(octets) > MAX_MENDED_CHARACTERS and len(octets.translate(None, _CONTROLS)) != len(octets):
            raise Unreadable("malformed-xml", "", "control characters, in a document too large to mend")
        root = etree.fromstring(octets, _parser())
        document.unclean = plain.may_be_unclean(octets)
    except (etree.XMLSyntaxError, UnicodeEncodeError, ValueError) as error:
        root = _mended(document, text, error)
    document.kept["tree"] = root
    return root


def refuse_excess(text: str) -> None:
    """Raises Unreadable for documents that would keep a parser busy for long, by counting characters only."""
    tags = text.count("<")
    if tags > MAX_TAGS:
        raise Unreadable("too-large", "", f"{tags} tags, {MAX_TAGS} are permitted")
    if (references := text.count("&")) > MAX_REFERENCES:
        raise Unreadable("too-large", "", f"{references} references, {MAX_REFERENCES} are permitted")
    if len(text) > MAX_TAG_CHARACTERS and (found := _LONG_TAG.search(text)):
        raise Unreadable(
            "too-large", _place(text, found.start()), f"a tag of more than {MAX_TAG_CHARACTERS} characters"
        )


def parse_text(text: str) -> Element:
    """The root element of what `prepared` gave, as it is; raises lxml's own error where it is not well formed."""
    return etree.fromstring(text.encode("utf-8", "replace"), _parser())


def _mended(document: Document, text: str, error: Exception) -> Element:
    """The root element after the usual faults are put right one by one."""
    first = error
    mends = () if len(text) > MAX_MENDED_CHARACTERS or _is_too_deep(error) else _MENDS
    for code, mend in mends:
        changed = mend(text)
        if changed == text:
            continue
        text = changed
        document.repairs.append(Repair(code=code, place=place_of(first), detail=str(error)[:200]))
        try:
            return etree.fromstring(text.encode("utf-8", "replace"), _parser())
        except (etree.XMLSyntaxError, ValueError) as again:
            error = again
    if "Namespace prefix" in str(error) and len(text) <= MAX_MENDED_CHARACTERS:
        recovering = _parser(recover=True)
        root = etree.fromstring(text.encode("utf-8", "replace"), recovering)
        if root is not None and all("amespace" in entry.message for entry in recovering.error_log):
            document.repairs.append(Repair(code="undeclared-namespace", place=place_of(error), detail=str(error)[:200]))
            return root
    reason = str(error)
    code = "too-deep" if _is_too_deep(error) else "malformed-xml"
    if "ntity" in reason and "loop" in reason:
        code = "entities-declared"
    raise Unreadable(code, place_of(error), reason[:300]) from None


def _is_too_deep(error: Exception) -> bool:
    reason = str(error)
    return "depth" in reason.lower() and "xcessive" in reason


def place_of(error: Exception) -> str:
    """Line and column of a parser's error."""
    position = getattr(error, "position", None)
    return f"{position[0]}:{position[1]}" if position else ""


def _without_undeclared(text: str) -> str:
    """HTML's named characters as characters, other ampersands as themselves."""

    def put_right(found: re.Match[str]) -> str:
        whole, name = found.group(0), found.group(1)
        if whole.startswith("<![CDATA["):
            return whole
        if name is None:
            return whole if len(whole) > 1 else "&amp;"
        if name in _PREDEFINED:
            return whole
        character = html.entities.html5.get(name + ";")
        return html.escape(character, quote=True) if character else f"&amp;{name};"

    return _REFERENCE.sub(put_right, text)


def _without_trailing(text: str) -> str:
    end = text.rfind(">")
    return text[: end + 1] if end >= 0 else text


def local(element: Element) -> str:
    """The name of an element without its namespace; empty for what is not an element."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def children(element: Element | None, name: str) -> Iterator[Element]:
    """The child elements of a local name; none of None."""
    for one in element if element is not None else ():
        if local(one) == name:
            yield one


def child(element: Element | None, *path: str) -> Element | None:
    """The first element at a path of local names; None where there is none."""
    if element is None:
        return None
    for name in path:
        for one in element:
            if local(one) == name:
                element = one
                break
        else:
            return None
    return element


def formal_name(element: Element | None) -> str:
    """`FormalName` of an element, as NewsML 1 writes most values; empty for None."""
    return (element.get("FormalName") or "").strip() if element is not None else ""


_APART = frozenset([
    "p", "br", "li", "ul", "ol", "div", "section", "header", "footer", "table", "tr", "td", "th", "h1", "h2", "h3",
    "h4", "h5", "h6", "hl1", "hl2", "byttl", "block", "bq", "dt", "dd", "city", "region", "state", "country",
    "story.date", "blockquote", "rights.owner", "location",
])  # fmt: skip
"""Elements whose words stand apart from their neighbours'."""


def words(element: Element | None) -> str:
    """All text in an element, blanks made single, words of neighbouring paragraphs kept apart; empty for None."""
    if element is None:
        return ""
    if not len(element):
        return " ".join((element.text or "").split())
    if any(local(one).lower() in _APART for one in element.iterdescendants()):
        parts: list[str] = []
        for event, one in etree.iterwalk(element, events=("start", "end")):
            if not isinstance(one.tag, str):
                continue
            gap = " " if local(one).lower() in _APART else ""
            parts += (gap, one.text or "") if event == "start" else (gap, one.tail or "" if one is not element else "")
        return " ".join("".join(parts).split())
    return " ".join("".join(map(str, element.itertext(with_tail=False))).split())


def outermost(root: Element, *names: str) -> Iterator[Element]:
    """The elements of some local names that stand in no other of them: they contain the inner ones."""
    node: Element | None = root
    while node is not None:
        found = local(node) in names
        if found:
            yield node
        below: Element | None = None if found or not len(node) else node[0]
        while below is None and node is not None and node is not root:
            below = node.getnext()
            if below is None:
                node = node.getparent()
        node = below


def language_of(element: Element | None) -> str | None:
    """`xml:lang` of an element or of the nearest one around it."""
    while element is not None:
        if found := element.get(XML_LANG):
            return str(found)
        element = element.getparent()
    return None


_MENDS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("control-characters", lambda text: _INVALID_REFERENCE.sub("", _INVALID.sub("", text))),
    ("undeclared-entity", _without_undeclared),
    ("trailing-text", _without_trailing),
)
