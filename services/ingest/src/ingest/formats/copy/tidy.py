"""A draft's fields as readers may see them: what stands around the text is taken out, kept for the desk, and told.

This is where the rules of this folder meet an update; the readers of formats know nothing of them.
"""

import re
from collections.abc import Callable

from ingest.formats.copy import blocks, body, captions, headlines, places, repeats, tags
from ingest.formats.copy.desks import notes, scripts
from ingest.formats.copy.endings import sign_offs
from ingest.formats.copy.markup import escapes, lines, typesetting
from ingest.formats.copy.names import authors, people
from ingest.formats.html import embeds
from ingest.formats.model import SourceProfile
from ingest.formats.text import plain as text
from shared.messages import Hold
from shared.messages.limits import LONGEST

Record = Callable[[str, str, str], None]
"""Records a repair: its code, its place below the item, its detail."""

MAX_HEADLINE = 200
"""Characters of a headline that is made of a text."""

LEAST_HEADLINE = 12
"""Fewer characters say too little to stand alone; half as many where a letter may be a word."""

_AS_WRITTEN = frozenset({"native"})
"""Formats that are written for us, whose fields mean what they say."""
_NOT_FOR_NOTES = frozenset({"native", "cap"})


def tidy(fields: dict[str, object], record: Record, profile: SourceProfile, format_name: str) -> None:
    """Put the fields of an update right in place."""
    html = _string(fields, "body_html")
    if format_name not in _AS_WRITTEN:
        html = _read_once_more(fields, html)
    is_plain = blocks.is_plain(html)
    if not is_plain:
        linked, count = embeds.as_links(html, _string(fields, "link"))
        if count:
            record("embed-linked", "/body_html", f"{count} players or posts became links")
        fields["body_html"] = html = linked
    if format_name in _AS_WRITTEN:
        return
    has_notes = format_name not in _NOT_FOR_NOTES
    headline = _string(fields, "headline")
    as_sent = _captions(fields) if "<figcaption" in html else set()
    captions.tidy(fields)
    first = ""
    if html:
        html = _without_script(fields, html, record)
        if not is_plain:
            html = _readable(html, as_sent | _captions(fields) if as_sent else as_sent)
        elif "&lt;" in html:
            html = typesetting.with_vendors_tags_read(html)
        first = _body(fields, html, headline, record, profile, has_notes=has_notes)
    if has_notes:
        _lines(fields, record)
        _embargoed_by_note(fields, record)
    is_text = bool(_string(fields, "body_html"))
    if said := authors.tidy(fields, trusted=profile.creators_are_authors, is_text=is_text):
        record("no-author", "/creators", "; ".join(said))
    if count := tags.tidy(fields, profile.reader_tags):
        record("machine-tags", "/subjects", f"{count} are kept, and shown to no reader")
    _summary(fields, record, first)
    if not _string(fields, "headline"):
        _make_headline(fields, record)


def _read_once_more(fields: dict[str, object], html: str) -> str:
    """Read character references that were escaped twice; the body."""
    for name in ("headline", "summary", "byline"):
        if "&" in (value := _string(fields, name)):
            fields[name] = escapes.read_once_more(value)
    if (left := escapes.body_read_once_more(html)) is not html:
        fields["body_html"] = left
    return left


def _string(fields: dict[str, object], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def _without_script(fields: dict[str, object], html: str, record: Record) -> str:
    story, script = scripts.without_script(html)
    if script:
        _add_private(fields, [script])
        record("note-taken-out", "/body_html", script[:200])
        fields["body_html"] = story
    return story


def _readable(html: str, told: set[str]) -> str:
    """A body of other tags than paragraphs', its breaks and the tags of typesetting systems read, and the captions left out that are `told` beside it."""
    html = lines.unwrapped(typesetting.with_vendors_tags_read(lines.in_paragraphs(html)))
    return body.without_captions(html, told)


def _body(
    fields: dict[str, object], html: str, headline: str, record: Record, profile: SourceProfile, *, has_notes: bool
) -> str:
    """Take out what is not for readers; the first paragraph, where nothing was taken out."""
    found = body.cleared(html, headline, _string(fields, "slugline"), may_have_notes=has_notes)
    fields["body_html"] = found.html
    if not headline and found.heading:
        fields["headline"] = found.heading
        record("headline-from-body", "/headline", "the first heading of the text")
    elif found.heading:
        record("headline-repeated", "/body_html", found.heading[:100])
    if found.furniture:
        record("furniture-taken-out", "/body_html", "; ".join(found.furniture)[:200])
        _keep(fields, "furniture", found.furniture[:50])
    if found.bylines and not _string(fields, "byline"):
        fields["byline"] = found.bylines[0]
    if found.notes:
        record("note-taken-out", "/body_html", found.notes[0][:200])
        _add_private(fields, found.notes)
    if found.sign_offs:
        record("sign-off-taken-out", "/body_html", "; ".join(reversed(found.sign_offs))[:200])
        _keep(fields, "sign_offs", list(reversed(found.sign_offs)))
        if not _string(fields, "credit"):
            fields["credit"] = next(
                (sign_offs.bare_mark(one) for one in found.sign_offs if sign_offs.is_agency_mark(one)), ""
            )
    if found.is_embargoed and not fields.get("embargo_until") and fields.get("status", "usable") == "usable":
        fields["status"] = "withheld"
        record("embargo-in-text", "/body_html", "withheld, since its text says that it may not be published yet")
    elif (
        found.notes
        and not found.html
        and fields.get("status", "usable") == "usable"
        and profile.hold_advisories
        and any(map(notes.says_private, found.notes))
    ):
        fields.setdefault(
            "hold", Hold(kind="advisory", because=f"all of its text is for desks: {found.notes[0][:100]}")
        )
    _take_dateline(fields, found.first)
    return found.first if found.html is html else ""


def _take_dateline(fields: dict[str, object], first: str) -> None:
    """Take agency and place from the dateline of the first paragraph, where nothing else names them."""
    if first and not _string(fields, "credit") and people.is_agency(agency := places.agency_of(first)):
        fields["credit"] = agency
    if first and not fields.get("located") and (place := places.of_text(first)):
        fields["located"] = place


def _captions(fields: dict[str, object]) -> set[str]:
    """Captions that pictures have, in small letters."""
    several = fields.get("media")
    return {
        repeats.folded(caption)
        for one in (several if isinstance(several, list) else ())
        if isinstance(one, dict) and isinstance(caption := one.get("caption"), str) and caption
    }


def _lines(fields: dict[str, object], record: Record) -> None:
    """Headline and summary without notes and initials."""
    for name in ("headline", "summary"):
        value = _string(fields, name)
        if not value:
            continue
        value, beside = headlines.bare(value)
        if name == "headline":
            value = headlines.without_source(value, _string(fields, "credit"))
        if value != fields[name]:
            fields[name] = value
        if beside:
            _add_private(fields, [beside])
            record("note-taken-out", f"/{name}", beside[:200])
        if name == "summary" and notes.kind_of_note(value):
            _add_private(fields, [value])
            fields[name] = ""
            record("note-taken-out", f"/{name}", value[:200])
        elif before := notes.note_before_text(value):
            _add_private(fields, [before.strip()])
            fields[name] = value[len(before) :].strip()
            record("note-taken-out", f"/{name}", before[:200])
        elif said := sign_offs.initials_at_end(value):
            fields[name] = value[: -len(said)].rstrip()
            record("sign-off-taken-out", f"/{name}", said.strip()[:200])


def _embargoed_by_note(fields: dict[str, object], record: Record) -> None:
    """Withhold what a note to desks says may not be published yet, where no field says until when."""
    if fields.get("embargo_until") or fields.get("status", "usable") != "usable":
        return
    for name in ("private_note", "editors_note"):
        if notes.tells_embargo(_string(fields, name)):
            fields["status"] = "withheld"
            record("embargo-in-text", f"/{name}", "withheld, since a note says that it may not be published yet")
            return


def _add_private(fields: dict[str, object], said: list[str]) -> None:
    known = _string(fields, "private_note")
    new = [one for one in said if one not in known]
    if new and len(known) <= LONGEST["private_note"]:
        fields["private_note"] = "\n".join(filter(None, (known, *new)))


def _keep(fields: dict[str, object], name: str, value: object) -> None:
    extra = fields.get("extra")
    fields["extra"] = {**(extra if isinstance(extra, dict) else {}), name: value}


def _summary(fields: dict[str, object], record: Record, first: str) -> None:
    """No summary that says what the headline or the first paragraph says; `first` is that where it is known."""
    summary, headline = _string(fields, "summary"), _string(fields, "headline")
    slugline = _string(fields, "slugline")
    if slugline and summary.startswith(f"{slugline}:"):
        fields["summary"] = summary = summary[len(slugline) + 1 :].strip()
    if not summary:
        return
    slug = _BEFORE_SLUG.sub("", summary)
    if (
        len(slug) > _COMPARED - 4
        and slug.isupper()
        and slug.replace(" ", "").isalpha()
        and slug.count(" ") < _FEW_WORDS
    ):
        fields["summary"] = ""
        _keep(fields, "summary", summary)
        record("machine-tags", "/summary", summary[:200])
        return
    if repeats.same(summary, headline) or repeats.begins_with(headline, summary, 20):
        fields["summary"] = ""
        record("summary-repeated", "/summary", "it is the headline")
        return
    first = first or body.first_words(_string(fields, "body_html"))
    if not first:
        return
    told = places.without_dateline(summary)
    if (
        told[:_COMPARED].casefold() not in first[:_BEFORE].casefold()
        and told[1 : _COMPARED + 1].casefold() not in first[:_BEFORE].casefold()
    ):
        return
    bare = places.without_dateline(first)
    if len(told) > len(bare) > _COMPARED and repeats.begins_with(told, bare, _COMPARED):
        # An excerpt goes on where the first paragraph ends.
        bare = places.without_dateline(text.of_html(_string(fields, "body_html")[: _BEFORE + _MARKUP * len(told)]))
    if repeats.same(told, bare) or repeats.begins_with(bare, told, _COMPARED):
        fields["summary"] = ""
        record("summary-repeated", "/summary", "the text begins with it")


_FEW_WORDS = 4
_MARKUP = 12
"""Characters of HTML for each of its words, at most: much of a text may be links."""
_BEFORE_SLUG = re.compile(r"\([^\W\d_][\w. ]{1,20}\)\s*")
_COMPARED = 12
_BEFORE = 200
"""Characters of a dateline and the beginning of a text that a summary could begin with."""


def _make_headline(fields: dict[str, object], record: Record) -> None:
    """A headline of the first sentence, for alerts and pictures that have none; the text then goes on behind it."""
    html, summary = _string(fields, "body_html"), _string(fields, "summary")
    made = ""
    if html:
        made, rest = body.parted_headline(html, MAX_HEADLINE)
        if len(made) < (LEAST_HEADLINE if made.isascii() else LEAST_HEADLINE // 2):
            return
        fields["body_html"] = rest
    elif summary:
        made = places.without_dateline(repeats.first_sentence(summary))
        if len(made) <= MAX_HEADLINE and repeats.same(made, summary):
            fields["summary"] = ""
    else:
        made = repeats.first_sentence(_caption(fields))
    if made and len(made) <= MAX_HEADLINE:
        fields["headline"] = made
        fields["headline_from_text"] = True
        record("headline-from-text", "/headline", "made of the first sentence")


def _caption(fields: dict[str, object]) -> str:
    media = fields.get("media")
    for one in media if isinstance(media, list) else ():
        if isinstance(one, dict):
            for name in ("headline", "caption", "alt_text"):
                if isinstance(value := one.get(name), str) and value.strip() and headlines.bare(value)[0]:
                    return value.strip()
    return ""
