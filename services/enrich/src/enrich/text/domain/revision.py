"""Builds the revision that readers get, out of a transition and what the steps made of the current version."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from enrich.reference.directory import name_key
from enrich.short_text import LONGEST_DETAIL, MOST_REPAIRS, cut, line_of, slug_of
from enrich.text.domain.attachments import Attachments, Text
from enrich.text.domain.corrections.published import headline_and_body
from enrich.text.domain.state import LastPublished, State, flags_of, note_of
from enrich.text.domain.transition import Transition
from enrich.text.domain.versions import visible_from
from enrich.text.domain.word_diff import word_diff
from shared.messages import (
    AS_SENT,
    Change,
    EnrichedUpdate,
    Flags,
    Kind,
    Passport,
    RawUpdate,
    Repair,
    marked,
    update_id_for,
    without_source_words,
)
from shared.messages.digital_source import ai_share_of
from shared.messages.limits import LONGEST

_PARTS: Mapping[str, tuple[str, ...]] = {
    "headline": ("headline", "headline_from_text"),
    "body": ("body_html",),
    "summary": ("summary",),
    "authors": ("authors", "byline"),
    "tags": ("tags",),
    "media": ("media", "media_pending"),
    "story": ("story", "story_label", "evolved_from"),
    "translation": ("translation_of",),
    "story_profile": ("story_profile",),
    "corroboration": ("corroboration",),
    "flags": ("flags",),
    "editors_note": ("editors_note",),
    "credit": ("credit", "copyright", "link"),
    "located": ("located",),
    "urgency": ("urgency",),
    "language": ("language", "direction"),
    "expires_at": ("expires_at",),
    "degraded": ("degraded",),
    "origin": ("digital_source_type", "responsible"),
}
_NAMED = {field for fields in _PARTS.values() for field in fields}
PARTS: Mapping[str, tuple[str, ...]] = {
    **_PARTS,
    **{name: (name,) for name in marked(EnrichedUpdate, AS_SENT) if name not in _NAMED},
}
"""What a change names, and the fields that each name stands for; a field that is passed on as sent names itself."""
WORDS = ("headline", "body", "summary")


@dataclass(frozen=True, slots=True)
class BuiltRevision:
    """A revision to emit, its JSON, and what will be last published once it is acknowledged."""

    update: EnrichedUpdate
    value: bytes
    published: LastPublished


@dataclass(frozen=True, slots=True)
class _Difference:
    """What differs from what was last published."""

    public: bool
    """Whether readers see the update as it was last published."""
    again: bool
    """Whether it comes back, after it was removed."""
    changed: tuple[str, ...]
    """Names of `PARTS`, of an update that is public."""
    other_words: bool
    """Whether an update that is public gets other words."""
    moves_time: bool
    """Whether readers get other words than they ever had: that, and nothing else, moves `updated_at`."""


def published_state(state: State, revision: BuiltRevision) -> State:
    """The state once a revision is acknowledged."""
    changes = {
        "state_version": state.state_version + 1,
        "revision": revision.update.revision,
        "last_published": revision.published,
    }
    return state.model_copy(update=changes)


def build_removal(transition: Transition, now: datetime) -> BuiltRevision:
    """A removal: nothing that is marked as a source's words. What was never public is not named by its source's id either."""
    state = transition.state
    before, current = state.last_published, state.current
    raw = current.raw if current is not None else None
    named = raw if before is not None else None
    at = transition.at or now
    removal = EnrichedUpdate(
        update_id=state.update_id,
        revision=state.revision + 1,
        kind="kill",
        removal=transition.visibility if transition.visibility not in ("visible", "hidden") else "killed",
        source=raw.source if raw is not None else "",
        guid=named.guid[: LONGEST["guid"]] if named is not None else "",
        version=_version_of(named) if named is not None else None,
        version_created=named.version_created if named is not None else None,
        story=before.story if before is not None else None,
        path=f"/updates/{state.update_id}",
        first_published_at=before.first_published_at if before is not None else at,
        updated_at=before.updated_at if before is not None else None,
        change=Change(reason=cut(transition.public_reason, LONGEST["correction_reason"])),
        fingerprint=transition.fingerprint or (current.fingerprint if current is not None else ""),
        passport=Passport(received_at=at, enriched_at=now, published_at=now),
    )
    update = without_source_words(removal)
    kept = None if update.is_final else before
    published = LastPublished(
        removal=update.removal,
        parts=kept.parts if kept is not None else {},
        first_published_at=update.first_published_at,
        updated_at=update.updated_at,
        story=update.story,
        slug=kept.slug if kept is not None else "",
    )
    return BuiltRevision(update, orjson.dumps(update.model_dump(mode="json", exclude_defaults=True)), published)


def build_revision(
    transition: Transition,
    attachments: Attachments,
    now: datetime,
    *,
    margin_s: float = 0.0,
    retry_at: Callable[[int], datetime | None] = lambda _: None,
) -> BuiltRevision | None:
    """The revision of a visible update; None where readers would get nothing that they have not got already."""
    state, text = transition.state, attachments.text
    before = state.last_published
    version = state.current_version
    opened = visible_from(version.raw, margin_s, version.released_at)
    update = _content(transition, attachments, opened, now)
    document: dict[str, object] = update.model_dump(mode="json", exclude_defaults=True)
    parts = digests(document)
    difference = _difference(state, text, parts)
    if difference.public and not transition.forced and not difference.changed:
        return None
    change = _change(transition, before, text, difference)
    if difference.public or difference.moves_time or change.reason:
        later: dict[str, object] = {"kind": _kind(transition, difference, update.flags, before), "change": change}
        if difference.moves_time:
            later["updated_at"] = max(transition.at or opened, update.first_published_at)
        update = update.model_copy(update=later)
        document["kind"] = update.kind
        if change.fields or change.reason or change.diff:
            document["change"] = change.model_dump(mode="json", exclude_defaults=True)
        if difference.moves_time:
            document.update(update.model_dump(mode="json", include={"updated_at"}))
    published = _published(update, attachments, parts, _attempts(transition, attachments), retry_at)
    return BuiltRevision(update, orjson.dumps(document), published)


def _content(transition: Transition, attachments: Attachments, opened: datetime, now: datetime) -> EnrichedUpdate:
    """The update as readers get it, without what changed."""
    state, text = transition.state, attachments.text
    current, before = state.current_version, state.last_published
    raw = current.raw
    was_published = before is not None and bool(before.slug)
    slug = before.slug if before is not None and was_published else slug_of(text.headline or text.excerpt)
    sent = {name: getattr(raw, name) for name in marked(EnrichedUpdate, AS_SENT)}
    lines = {name: said for name, said in sent.items() if name in LONGEST} | {"editors_note": note_of(state)}
    return EnrichedUpdate(
        update_id=state.update_id,
        revision=state.revision + 1,
        kind="publish",
        source=raw.source,
        guid=raw.guid[: LONGEST["guid"]],
        version=_version_of(raw),
        version_created=raw.version_created,
        language=text.language,
        direction=text.direction,
        headline=text.headline,
        body_html=text.body_html,
        text=text.text,
        summary=text.summary,
        excerpt=text.excerpt,
        **sent | {name: line_of(value, LONGEST[name]) for name, value in lines.items()},
        link=_link(raw.link),
        authors=attachments.authorship.authors,
        tags=attachments.tagging.tags,
        media=attachments.media,
        media_pending=bool(attachments.pending),
        story=attachments.story.story,
        story_label=cut(attachments.story.label, LONGEST["story"]),
        story_profile=attachments.story.profile,
        corroboration=attachments.story.corroboration,
        evolved_from=update_id_for(raw.source, raw.evolved_from) if raw.evolved_from else None,
        translation_of=_original_of(raw),
        read_time_minutes=text.read_time_minutes,
        word_count=text.word_count,
        slug=slug,
        path=f"/updates/{state.update_id}/{slug}",
        first_published_at=before.first_published_at if before is not None and was_published else opened,
        updated_at=before.updated_at if before is not None else None,
        flags=flags_of(state),
        responsible=_responsible(state),
        may_alert=raw.may is None or "alert" in raw.may,
        degraded=attachments.degraded,
        repairs=(*_repairs_of(state, lines), *_withheld(attachments)),
        fingerprint=current.fingerprint,
        passport=Passport(received_at=transition.at or opened, enriched_at=now, published_at=now),
    )


def _published(
    update: EnrichedUpdate,
    attachments: Attachments,
    parts: dict[str, str],
    attempts: int,
    retry_at: Callable[[int], datetime | None],
) -> LastPublished:
    text = attachments.text
    return LastPublished(
        parts=parts,
        headline=text.headline,
        text=text.text,
        summary=text.summary,
        flags=update.flags,
        slug=update.slug,
        first_published_at=update.first_published_at,
        updated_at=update.updated_at,
        story=update.story,
        author_ids=tuple(dict.fromkeys(author.id for author in update.authors if author.id)),
        tag_codes=tuple(tag.code for tag in update.tags),
        unknown_names=tuple(filter(None, map(name_key, attachments.authorship.unknown))),
        editions=dict(attachments.editions),
        degraded=attachments.degraded,
        attempts=attempts,
        retry_at=retry_at(attempts) if attachments.degraded else None,
    )


def _attempts(transition: Transition, attachments: Attachments) -> int:
    before = transition.state.last_published
    if before is None or not before.degraded or not attachments.degraded or transition.forced:
        return 0
    return before.attempts + 1


def _difference(state: State, text: Text, parts: Mapping[str, str]) -> _Difference:
    before = state.last_published
    if before is None:
        return _Difference(public=False, again=False, changed=(), other_words=False, moves_time=False)
    differing = tuple(name for name in PARTS if parts.get(name, "") != before.parts.get(name, ""))
    if not state.is_public:
        again = bool(before.slug)
        moves_time = again and any(name in WORDS for name in differing)
        return _Difference(public=False, again=again, changed=(), other_words=False, moves_time=moves_time)
    said = (before.headline, before.text, before.summary) != (text.headline, text.text, text.summary)
    # A score or a quote is read as words are.
    other = said or "blocks" in differing
    return _Difference(public=True, again=False, changed=differing, other_words=other, moves_time=other)


def _kind(transition: Transition, difference: _Difference, flags: Flags, before: LastPublished | None) -> Kind:
    if not difference.public:
        return "publish"
    if transition.correction:
        return "correct"
    if difference.other_words:
        return "update"
    if before is not None and flags != before.flags and set(difference.changed) <= {"flags"}:
        return "pin"
    return "enrich"


def _change(transition: Transition, before: LastPublished | None, text: Text, difference: _Difference) -> Change:
    reason = line_of(transition.public_reason, LONGEST["correction_reason"])
    if before is None or not difference.public:
        return Change(reason=reason if transition.correction or difference.again else "")
    if not difference.other_words:
        return Change(fields=difference.changed, reason=reason)
    old, new = before.text or before.summary, text.text or text.summary
    if before.headline != text.headline:
        old, new = f"{before.headline}\n\n{old}", f"{text.headline}\n\n{new}"
    return Change(fields=difference.changed, reason=reason, diff=word_diff(old, new))


def digests(document: Mapping[str, object]) -> dict[str, str]:
    """By name of `PARTS`, a digest of each part of the content that is not empty."""
    parts: dict[str, str] = {}
    get = document.get
    for name, fields in PARTS.items():
        values = [get(each) for each in fields]
        if any(values):
            parts[name] = hashlib.blake2b(orjson.dumps(values), digest_size=8).hexdigest()
    return parts


def _version_of(raw: RawUpdate) -> str | None:
    return raw.version[: LONGEST["version"]] if raw.version else raw.version


def _repairs_of(state: State, lines: Mapping[str, str]) -> tuple[Repair, ...]:
    """What ingest repaired, and what was too long for a field and had to be cut here."""
    raw = state.current_version.raw
    texts = {"headline": headline_and_body(state)[0], "summary": raw.summary, **lines}
    cuts = [
        Repair(code="too-long", place=f"/{name}", detail=f"{len(text)} characters; {LONGEST[name]} are the most")
        for name, text in texts.items()
        if len(text) > LONGEST[name]
    ]
    if not cuts and _are_short(raw.repairs):
        return raw.repairs
    kept = [
        each.model_copy(update={"place": cut(each.place, LONGEST_DETAIL), "detail": cut(each.detail, LONGEST_DETAIL)})
        for each in raw.repairs[: MOST_REPAIRS - len(cuts)]
    ]
    return (*kept, *cuts)


def _original_of(raw: RawUpdate) -> str | None:
    """The update that a translation is of; none is its own."""
    if not raw.translation_of or raw.translation_of == raw.guid:
        return None
    return update_id_for(raw.source, raw.translation_of)


def _responsible(state: State) -> str:
    """The person who corrected a text that was made with AI as it is now; a later version is nobody's until it is corrected too."""
    current, correction = state.current_version, state.desk_decisions.get("correction")
    if correction is None or not ai_share_of(current.raw.digital_source_type):
        return ""
    return correction.person if correction.at >= current.raw.received_at else ""


def _withheld(attachments: Attachments) -> tuple[Repair, ...]:
    """For the desk: the pictures that readers do not see, and why."""
    return tuple(
        Repair(code="picture-withheld", place="/media", detail=cut(reason, LONGEST_DETAIL))
        for reason in attachments.withheld[:MOST_REPAIRS]
    )


def _are_short(repairs: Sequence[Repair]) -> bool:
    return len(repairs) <= MOST_REPAIRS and all(len(each.detail) <= LONGEST_DETAIL for each in repairs)


def _link(link: str | None) -> str | None:
    return link if link and link.startswith(("https://", "http://")) and len(link) <= 2000 else None
