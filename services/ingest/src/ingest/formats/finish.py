"""Drafts of readers become updates: the source's profile applied, within the limits, cleaned, identified, validated."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from pydantic import ValidationError

from ingest.formats import limits
from ingest.formats.blocks import keep_blocks_within
from ingest.formats.copy.desks.holds import hold_of
from ingest.formats.copy.tidy import tidy
from ingest.formats.html.flatten import flat
from ingest.formats.languages import tag_of
from ingest.formats.model import (
    DEFAULT_PROFILE,
    MAX_REPAIRS,
    Document,
    Draft,
    Parsed,
    ReadResult,
    RefusedItem,
    SourceProfile,
)
from ingest.formats.text import plain as text
from shared.messages import Hold, RawUpdate, Repair, update_id_for
from shared.messages.blocks import BLOCK_KINDS
from shared.messages.digital_source import source_type_of
from shared.messages.limits import LONGEST, MOST_EXTRA_BYTES
from shared.messages.powers import NOT_PERMITTED, permitted, says_only_what_is_not_permitted
from shared.messages.unknown_values import KNOWN_ONLY


def finish(parsed: Parsed, document: Document, parser_version: str) -> ReadResult:
    """The updates of what was parsed: validated, identified, with control characters taken out."""
    updates: list[RawUpdate] = []
    refused: list[RefusedItem] = []
    repairs = [_cleaned(repair) for repair in (*document.repairs, *parsed.repairs)]
    aliases: list[tuple[str, str]] = []
    general = tuple(repairs)
    for index, item in enumerate(parsed.items):
        if isinstance(item, RefusedItem):
            refused.append(_numbered(item, index))
            continue
        original: dict[str, str | int] = {
            "id": document.request.original_id,
            "sha256": document.request.sha256,
            "format": parsed.format,
            "parser_version": parser_version,
            "index": index,
        }
        made = _finish_one(item, document, original, general, parsed.format)
        if isinstance(made, RefusedItem):
            refused.append(_numbered(made, index))
            continue
        updates.append(made)
        repairs += item.repairs
        aliases += [(alias, made.guid) for alias in item.aliases if alias != made.guid]
    return ReadResult(
        format=parsed.format,
        parser_version=parser_version,
        updates=tuple(updates),
        refused=tuple(refused),
        repairs=tuple(repairs),
        aliases=tuple(aliases),
    )


def _numbered(item: RefusedItem, index: int) -> RefusedItem:
    return RefusedItem(index=index, code=item.code, place=text.cleaned(item.place), reason=text.cleaned(item.reason))


def _cleaned(repair: Repair) -> Repair:
    """The repair without forbidden characters: its place or detail may quote what was wrong."""
    place, detail = text.cleaned(repair.place), text.cleaned(repair.detail)
    if place is repair.place and detail is repair.detail:
        return repair
    return Repair(code=repair.code, place=place, detail=detail)


def _finish_one(
    draft: Draft, document: Document, original: dict[str, str | int], general: tuple[Repair, ...], format_name: str
) -> RawUpdate | RefusedItem:
    fields: dict[str, object] = {**draft.fields}
    _apply_profile(fields, draft.hints, document.profile)
    if document.unclean and text.has_forbidden(fields):
        fields = {name: text.without_forbidden(value) for name, value in fields.items()}
        draft.repaired("control-characters", detail="control characters and lone surrogates were taken out")
    guid = fields.get("guid")
    if not isinstance(guid, str) or not guid:
        reason = "the item has nothing to identify it by"
        return RefusedItem(code="no-identity", place=draft.place or "/", reason=reason)
    _disbelieve_future(fields, draft, document.request.received_at)
    _name_source_types(fields, draft)
    if isinstance(language := fields.get("language"), str) and len(language) > 2 and format_name != "native":
        fields["language"] = tag_of(language) or None
        if not fields["language"]:
            draft.repaired("unknown-language", "/language", language)
    fields["hold"] = hold_of(fields, document.profile, format_name)
    tidy(fields, draft.repaired, document.profile, format_name)
    _hold(fields, draft)
    if _is_empty(fields):
        reason = "it has neither words nor a picture: nothing to show"
        return RefusedItem(code="empty", place=draft.place or "/", reason=reason)
    if refusal := _keep_within_limits(fields, draft, len(document.body)):
        return refusal
    draft.repairs = [_cleaned(repair) for repair in draft.repairs]
    fields.update(
        update_id=update_id_for(document.request.source, guid),
        source=document.request.source,
        received_at=document.request.received_at,
        original=original,
        may=document.request.may,
        repairs=(*general, *draft.repairs)[:MAX_REPAIRS],
    )
    try:
        raw = permitted(RawUpdate.model_validate(fields, context=KNOWN_ONLY), document.request.may)
        if says_only_what_is_not_permitted(raw):
            return RefusedItem(code=NOT_PERMITTED, place=f"{draft.place}/signal", reason="its source may not: pin")
        return raw
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        # Of a block, validation names the kind as well.
        place = "".join(f"/{step}" for step in first["loc"] if step not in BLOCK_KINDS)
        return RefusedItem(code="invalid-field", place=draft.place + place, reason=first["msg"])


FUTURE_MARGIN = timedelta(minutes=10)
"""How far a sender's clock may be ahead of ours; servers without a time service are rarely off by more."""


BEFORE_ANYTHING = datetime.fromtimestamp(0, UTC)
"""From when a version counts whose time is not believed, where its source has said nothing before."""


def _disbelieve_future(fields: dict[str, object], draft: Draft, received_at: datetime) -> None:
    """Leave out times of making that are after the receipt, by mistake: else that version would beat all that its source says next.

    They are left out instead of replaced, so that the same version read again is the same. From when it counts instead follows
    from what was emitted before it (`intake.deduplicate`), and not from its receipt: what its source says next was often made
    before that.
    """
    latest = received_at + FUTURE_MARGIN
    for name in ("version_created", "first_created"):
        moment = fields.get(name)
        if isinstance(moment, datetime) and moment.tzinfo is not None and moment > latest:
            fields[name] = None
            if name == "version_created":
                fields["counts_from"] = BEFORE_ANYTHING
            draft.repaired("time-in-future", f"/{name}", moment.isoformat())


def _hold(fields: dict[str, object], draft: Draft) -> None:
    """Let a usable version that is held wait for a desk; one that withdraws or kills waits for nobody."""
    hold = fields.get("hold")
    if (
        not isinstance(hold, Hold)
        or fields.get("status", "usable") not in ("usable", "held")
        or fields.get("signal") in _PASSING
    ):
        fields["hold"] = None
        return
    fields["status"] = "held"
    if hold.kind == "advisory":
        draft.repaired("advisory-held", "/status", hold.because)


_PASSING = ("kill", "takedown", "expire")
"""Signals that nothing holds up."""

_SIGNALS_ALONE = ("kill", "takedown", "expire", "pin", "unpin")
"""Signals that need nothing to show."""


def _name_source_types(fields: dict[str, object], draft: Draft) -> None:
    """Digital source types by their names, of the text and of its pictures; what is none is left out."""
    holders: list[tuple[str, dict[str, object]]] = [("", fields)]
    several = fields.get("media")
    if isinstance(several, list | tuple):
        holders += [(f"/media/{index}", one) for index, one in enumerate(several) if isinstance(one, dict)]
    for place, holder in holders:
        written = holder.get("digital_source_type")
        if isinstance(written, str) and written:
            holder["digital_source_type"] = name = source_type_of(written)
            if not name:
                draft.repaired("unknown-digital-source", f"{place}/digital_source_type", written)


def _is_empty(fields: Mapping[str, object]) -> bool:
    """Whether a usable version has nothing that a page could show."""
    if fields.get("status", "usable") not in ("usable", "held") or fields.get("signal") in _SIGNALS_ALONE:
        return False
    if any(fields.get(name) for name in ("headline", "summary", "media", "blocks")):
        return False
    body = fields.get("body_html")
    return not (isinstance(body, str) and body and (text.of_html(body) or "<img" in body))


def _keep_within_limits(fields: dict[str, object], draft: Draft, size: int) -> RefusedItem | None:
    """Cut and flatten what is beyond the limits, and record it; refuse what cannot be cut. `size` is the document's."""
    try:
        limits.keep_within(fields, draft.repaired)
    except limits.TooLong as error:
        return RefusedItem(code="too-long", place=f"{draft.place}/{error.field}", reason=str(error))
    if "blocks" in fields and (refusal := keep_blocks_within(fields, draft.place, draft.repaired)):
        return refusal
    body = fields.get("body_html")
    if body and isinstance(body, str):
        if len(body) > LONGEST["body_html"]:
            reason = f"the body has {len(body)} characters, {LONGEST['body_html']} are permitted"
            return RefusedItem(code="too-large", place=f"{draft.place}/body_html", reason=reason)
        fields["body_html"], changes = flat(body)
        if changes:
            draft.repaired("markup-flattened", "/body_html", "; ".join(changes))
    extra = fields.get("extra")
    if extra and size > MOST_EXTRA_BYTES and isinstance(extra, dict):
        # A small document has little to say.
        fields["extra"] = limits.extra_within(extra, draft.repaired)
    return None


_HOST = re.compile(r"(?:[a-z0-9-]{1,40}\.){1,3}[a-z]{2,6}")
"""The host of a provider, which NewsML 1 names it by."""


def _apply_profile(fields: dict[str, object], hints: Mapping[str, object], profile: SourceProfile) -> None:
    if profile is DEFAULT_PROFILE:
        return
    for name, candidates in (
        ("guid", profile.identity),
        ("headline", profile.headline_from),
        ("summary", profile.summary_from),
        ("byline", profile.byline_from),
        ("slugline", profile.slugline_from),
    ):
        if chosen := _first(hints, candidates):
            fields[name] = text.one_line(chosen)
    if chosen := _first(hints, profile.body_from):
        fields["body_html"] = chosen if "<" in chosen else text.paragraphs(chosen)
    for name, value in (
        ("language", profile.language),
        ("credit", profile.credit),
        ("copyright", profile.copyright),
        ("usage_terms", profile.usage_terms),
    ):
        if value and not fields.get(name):
            fields[name] = value
    if profile.credit and (credit := fields.get("credit")) and isinstance(credit, str) and _HOST.fullmatch(credit):
        fields["credit"] = profile.credit
    subjects = fields.get("subjects")
    if profile.codes and isinstance(subjects, list):
        fields["subjects"] = [
            {**one, "code": profile.codes.get(str(one.get("code")), one.get("code"))} if isinstance(one, dict) else one
            for one in subjects
        ]
    note = fields.get("editors_note")
    if profile.private_notes and not profile.public_notes and isinstance(note, str) and note:
        private = fields.get("private_note")
        fields["private_note"] = f"{private}\n{note}" if private else note
        fields["editors_note"] = ""
    fields["profile"] = profile.name


def _first(hints: Mapping[str, object], names: Iterable[str]) -> str | None:
    for name in names:
        value = hints.get(name)
        if value is None and "." in name:
            value = hints
            for step in name.split("."):
                value = value.get(step) if isinstance(value, Mapping) else None
        if isinstance(value, str) and value.strip():
            return value
    return None
