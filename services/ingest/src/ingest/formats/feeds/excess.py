"""Input that would keep feedparser busy for a time that grows with its square is refused or cut before it is parsed."""

import itertools
import re

from lxml import etree

from ingest.formats.model import MAX_ITEMS, Unreadable
from ingest.formats.xml import document as xml_document
from ingest.formats.xml.document import Element
from shared.messages import Repair

MAX_TAGS_BROKEN = 50_000
"""Of a feed that is not well formed, which takes several times as long."""

MAX_BROKEN_CHARACTERS = 2 * 1024 * 1024

MAX_NAME = 1000
"""Characters of an author: feedparser looks for an address in them in a time that grows with their square."""

MAX_TERMS = 100
"""Categories of an entry, and keywords in one list: feedparser compares each with all before it."""

MAX_PREFIXES = 100
"""Namespaces: feedparser goes through them for each element. Real feeds have up to twenty."""

MAX_ATTRIBUTES = 128
"""Of one element: feedparser goes through them for each of them."""

MAX_BASE = 2000
"""Characters of `xml:base`, against which feedparser resolves the base of each element anew."""

_PEOPLE = frozenset(["author", "creator", "managingeditor", "webmaster", "publisher", "contributor", "owner"])

_TERMS = frozenset(["category", "subject", "keywords"])

_TERM = re.compile(r"<(?:\w{1,20}:)?(?:category|subject)\b", re.IGNORECASE)

_LONG_WORD = re.compile(r"([\w.+\-]{300})[\w.+\-]+")

_PREFIX = re.compile(r"xmlns:([\w.\-]{1,200})")

_LONG_BASE = re.compile(rf"\bbase\s{{0,20}}=\s{{0,20}}[\"']?[^\"'<>]{{{MAX_BASE}}}")

_MANY_ATTRIBUTES = re.compile(rf"<[A-Za-z_](?:[^<>\"']*+(?:\"[^\"<]*+\"|'[^'<]*+')){{{MAX_ATTRIBUTES + 1}}}")


def tree_of(source: str) -> Element | None:
    """The root element, None where it is not well formed; refuses what would keep feedparser busy for long."""
    xml_document.refuse_excess(source)
    tags = source.count("<")
    if (count := max(source.count(f"<{name}") for name in ("item", "entry"))) > 2 * MAX_ITEMS:
        # feedparser takes about ten microseconds for each tag, so excess is refused before it begins.
        raise Unreadable("too-many-items", "", f"about {count} entries, {MAX_ITEMS} are permitted")
    try:
        root = xml_document.parse_text(source)
        _refuse_excess(source, broken=False)
        return root
    except etree.XMLSyntaxError as error:
        _refuse_excess(source, broken=True)
        if "depth" in str(error):
            raise Unreadable("too-deep", xml_document.place_of(error), "elements are nested too deep") from None
        if tags > MAX_TAGS_BROKEN or len(source) > MAX_BROKEN_CHARACTERS:
            raise Unreadable("malformed-xml", xml_document.place_of(error), str(error)[:300]) from None
        return None


def _refuse_excess(source: str, *, broken: bool) -> None:
    """Raises Unreadable for what feedparser would take long over, a time that grows with the square of it."""
    if "xmlns:" in source and (count := len(set(_PREFIX.findall(source)))) > MAX_PREFIXES:
        raise Unreadable("too-large", "", f"{count} namespaces, {MAX_PREFIXES} are permitted")
    if "base" in source and _LONG_BASE.search(source):
        raise Unreadable("too-large", "//@xml:base", f"more than {MAX_BASE} characters")
    if source.count("=") > MAX_ATTRIBUTES and _MANY_ATTRIBUTES.search(source):
        raise Unreadable("too-large", "", f"an element of more than {MAX_ATTRIBUTES} attributes")
    if broken and (count := len(_TERM.findall(source))) > 50 * MAX_TERMS:
        raise Unreadable("too-large", "", f"{count} categories in a feed that is not well formed")


def shortened(root: Element | None, source: str, repairs: list[Repair]) -> str:
    """The feed with names and lists of terms cut; where there is no tree to say what they are, with every word cut."""
    if root is None:
        short = _LONG_WORD.sub(r"\1", source)
        if len(short) != len(source):
            repairs.append(Repair(code="cut", detail="words of more than 300 characters"))
        return short
    changed = False
    spare: list[Element] = []
    for one in root.iter("*"):
        name = xml_document.local(one).lower()
        if name in _PEOPLE or name == "keywords":
            changed = _is_cut(one, name) or changed
        elif one.text is not None and len(one.text) > MAX_NAME and one.text.isspace():
            # feedparser removes blanks from the front of a list one by one, and each removal moves the rest.
            one.text = None
            changed = True
        if len(one) > MAX_TERMS:
            for term in _TERMS:
                found = [each for each in one if xml_document.local(each).lower() == term]
                spare += found[MAX_TERMS:]
    if spare:
        repairs.append(Repair(code="too-many", place="//category", detail=f"the first {MAX_TERMS} of each are kept"))
    for one in spare:
        if (parent := one.getparent()) is not None:
            parent.remove(one)
    return etree.tostring(root, encoding="unicode") if changed or spare else source


def _is_cut(one: Element, name: str) -> bool:
    value = "".join(map(str, itertools.islice(one.itertext(), MAX_NAME + 1)))
    if len(value) <= MAX_NAME and not (name == "keywords" and value.count(",") >= MAX_TERMS):
        return False
    del one[:]
    one.text = ",".join(value.split(",", MAX_TERMS)[:MAX_TERMS])[:MAX_NAME] if name == "keywords" else value[:MAX_NAME]
    return True
