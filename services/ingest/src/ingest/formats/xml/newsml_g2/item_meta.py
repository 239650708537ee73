"""`itemMeta` of NewsML-G2: status, times, embargo, signals, notes to editors and links of an item."""

from typing import Literal

from ingest.formats import media, vocabularies
from ingest.formats.copy.desks import notes
from ingest.formats.fields import append
from ingest.formats.html import from_xml
from ingest.formats.limits import add_text
from ingest.formats.text import plain as text
from ingest.formats.xml.document import Element, words
from ingest.formats.xml.newsml_g2.item import Handlers, NewsItem, bare, code_of, title_of
from shared.messages.limits import LONGEST

_PRIVATE_ROLES = (
    "private",
    "nonpub",
    "internal",
    "confidential",
    "npa",
    "contact",
    "notepad",
    "closingline",
    "picture",
)
"""Parts of a role that keep a note to desks even where the source's profile says that its notes are public."""
_PAGES = ("webpage", "canonical", "isalternateof", "alternate", "hasalternaterepresentation", "self")


def _embargoed(item: NewsItem, element: Element) -> None:
    """An embargo without a time lasts until a version without it."""
    moment = item.time_of(element, latest=True)
    if moment is not None:
        item.fields["embargo_until"] = moment
    elif words(element) or not item.profile.empty_embargo_is_none:
        item.extra["embargoed"] = words(element) or True
        if item.fields.get("status", "usable") == "usable":
            item.fields["status"] = "withheld"
            item.draft.repaired(
                "embargo-without-time", "/itemMeta/embargoed", "withheld until a version without an embargo"
            )


def _status(item: NewsItem, element: Element) -> None:
    """pubStatus; one that nobody knows keeps the item from readers."""
    value = code_of(element)
    status = item.profile.statuses.get(value) or vocabularies.STATUSES.get(bare(value))
    if status is None:
        item.draft.repaired("unknown-status", "/itemMeta/pubStatus", value)
        status = "withheld"
    if item.fields.get("status") != "withheld" or status == "canceled":
        item.fields["status"] = status


def _signal(item: NewsItem, element: Element) -> None:
    """The first signal that we have a name for; all are kept."""
    value = code_of(element)
    signal = item.profile.signals.get(value) or vocabularies.SIGNALS.get(bare(value))
    if signal and "signal" not in item.fields:
        item.fields["signal"] = signal
    else:
        append(item.extra, "signals", value)


def _class(item: NewsItem, element: Element) -> None:
    """itemClass: what the content is by nature."""
    item.nature = bare(code_of(element))


def _note(item: NewsItem, element: Element) -> None:
    """edNote: "addressed to the editorial people receiving the item", so it is private unless the source's profile says otherwise."""
    role = bare(element.get("role") or "")
    private = [words(one) for one in element.iterdescendants() if from_xml.is_private(one)]
    for one in [one for one in element.iterdescendants() if from_xml.is_private(one)]:
        if (parent := one.getparent()) is not None:
            parent.remove(one)
    public = words(element)
    constrained = element.get("pubconstraint") or element.get("pubconstrainturi")
    is_private = bool(constrained) or any(word in role for word in _PRIVATE_ROLES) or text.says_private(public)
    if public and "correct" in role and not is_private and not notes.kind_of_note(public):
        item.fields["correction_reason"] = public
    if is_private or not item.profile.public_notes:
        private.append(public)
        public = ""
    _add_note(item, "editors_note", public)
    _add_note(item, "private_note", "\n".join(filter(None, private)))


def _add_note(item: NewsItem, name: Literal["editors_note", "private_note"], note: str) -> None:
    known = item.fields.get(name, "")
    if note and len(known) <= LONGEST[name] and note not in known:
        add_text(item.fields, name, note, "\n")


def _link(item: NewsItem, element: Element) -> None:
    """A link to what this item came from or takes the place of, to its page, or to something beside it."""
    relation = bare(element.get("rel") or element.get("reluri") or "")
    target = element.get("residref") or element.get("guidref") or element.get("href") or ""
    if relation in ("evolvedfrom", "derivedfrom", "previousversion"):
        item.fields["evolved_from"] = target
    elif relation in ("translatedfrom", "translationof", "istranslationof") and target:
        item.fields["translation_of"] = target
    elif relation in ("supersedes", "replaces"):
        item.fields.setdefault("replaces", []).append(target)
    elif (
        relation in _PAGES
        and (url := media.absolute(element.get("href")))
        and "html" in (element.get("contenttype") or "html")
    ):
        item.fields.setdefault("link", url)
    elif target:
        if not element.get("href"):
            item.refers.append(target)
        append(item.extra, "links", {"rel": relation, "target": target[:2000], "title": title_of(element)})


def _provider(item: NewsItem, element: Element) -> None:
    """The provider, credited where nobody else is."""
    item.hints["provider"] = item.concept_name(element) or code_of(element)
    if name := item.concept_name(element):
        item.fields.setdefault("credit", name)


def _service(item: NewsItem, element: Element) -> None:
    """A service or product that the item belongs to."""
    item.add_subject(element, "product")


def _title(item: NewsItem, element: Element) -> None:
    """An internal title, for items without a headline."""
    item.hints.setdefault("title", words(element))


ITEM_META: Handlers = {
    "itemClass": _class, "provider": _provider, "versionCreated": NewsItem.set_time, "firstCreated": NewsItem.set_time,
    "expires": NewsItem.set_time, "embargoed": _embargoed, "pubStatus": _status, "signal": _signal, "edNote": _note,
    "link": _link, "service": _service, "title": _title,
}  # fmt: skip
