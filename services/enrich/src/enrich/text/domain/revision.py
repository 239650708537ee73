"""Pure: a decision and what the steps made of it, as the revision that readers get."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from enrich.reference.directory import name_key
from enrich.short_text import LONGEST_DETAIL, MOST_REPAIRS, cut, line_of, slug_of
from enrich.text.domain.attachments import Attached, Text
from enrich.text.domain.lifecycle import Decision, flags_of, headline_and_body, note_of, opened_at
from enrich.text.domain.state import Shown, State
from enrich.text.domain.word_diff import Diff, word_diff
from shared.messages import (
    Change,
    EnrichedUpdate,
    Flags,
    Kind,
    Passport,
    RawUpdate,
    Repair,
    update_id_for,
)
from shared.messages.limits import LONGEST

PARTS: Mapping[str, tuple[str, ...]] = {
    "headline": ("headline",),
    "body": ("body_html",),
    "summary": ("summary",),
    "authors": ("authors", "byline"),
    "tags": ("tags",),
    "media": ("media", "media_pending"),
    "story": ("story", "story_label", "evolved_from"),
    "corroboration": ("corroboration",),
    "flags": ("flags",),
    "editors_note": ("editors_note",),
    "credit": ("credit", "copyright", "link"),
    "located": ("located",),
    "urgency": ("urgency",),
    "language": ("language", "direction"),
    "expires_at": ("expires_at",),
    "degraded": ("degraded",),
}
"""What a change is told by, and the fields that each name stands for."""

WORDS = ("headline", "body", "summary")


@dataclass(frozen=True, slots=True)
class Revision:
    """A revision to emit, its JSON, and what readers have been given once it is acknowledged."""

    update: EnrichedUpdate
    value: bytes
    shown: Shown


def compose_removal(decision: Decision, now: datetime) -> Revision:
    """A removal: no words, no authors, no media. What was never public is not named by its source's id either."""
    state = decision.state
    raw = state.current.raw if state.current is not None else None
    at = decision.at or now
    before = state.shown
    public = before is not None
    update = EnrichedUpdate(
        update_id=state.update_id,
        revision=state.revision + 1,
        kind="kill",
        removal=decision.sight if decision.sight not in ("visible", "hidden") else "killed",
        source=raw.source if raw is not None else "",
        guid=raw.guid[: LONGEST["guid"]] if raw is not None and public else "",
        version=_version_of(raw) if raw is not None and public else None,
        version_created=raw.version_created if raw is not None and public else None,
        story=before.story if before is not None else None,
        path=f"/updates/{state.update_id}",
        first_published_at=before.first_published_at if before is not None else at,
        updated_at=before.updated_at if before is not None else None,
        change=Change(reason=cut(decision.said, LONGEST["correction_reason"])),
        fingerprint=decision.fingerprint or (state.current.fingerprint if state.current is not None else ""),
        passport=Passport(received_at=at, enriched_at=now, published_at=now),
    )
    shown = Shown(
        removal=update.removal,
        parts={} if update.is_final or before is None else before.parts,
        first_published_at=update.first_published_at,
        updated_at=update.updated_at,
        story=update.story,
        slug=before.slug if before is not None and not update.is_final else "",
    )
    return Revision(update, encoded(update)[0], shown)


def compose(
    decision: Decision,
    attached: Attached,
    now: datetime,
    *,
    margin_s: float = 0.0,
    retry_at: Callable[[int], datetime | None] = lambda _: None,
) -> Revision | None:
    """The revision of a visible update; None where it would tell readers nothing that they have not been told."""
    state = decision.state
    assert state.current is not None  # noqa: S101
    raw, text, before = state.current.raw, attached.text, state.shown
    opened = opened_at(raw, margin_s)
    first = before.first_published_at if before is not None and before.slug else opened
    slug = before.slug if before is not None and before.slug else slug_of(text.headline or text.excerpt)
    at = max(decision.at or opened, first)
    attempts = (
        before.attempts + 1
        if before is not None and before.degraded and attached.degraded and not decision.forced
        else 0
    )
    lines = {
        "byline": raw.byline,
        "credit": raw.credit,
        "copyright": raw.copyright,
        "located": raw.located,
        "editors_note": note_of(state),
    }
    update = EnrichedUpdate(
        update_id=state.update_id,
        revision=state.revision + 1,
        kind="publish",
        source=raw.source,
        guid=raw.guid[: LONGEST["guid"]],
        version=_version_of(raw),
        version_created=raw.version_created,
        urgency=raw.urgency,
        language=text.language,
        direction=text.direction,
        headline=text.headline,
        body_html=text.body_html,
        text=text.text,
        summary=text.summary,
        excerpt=text.excerpt,
        **{name: line_of(said, LONGEST[name]) for name, said in lines.items()},
        link=_link(raw.link),
        authors=attached.authorship.authors,
        tags=attached.tagging.tags,
        media=attached.media,
        media_pending=bool(attached.pending),
        story=attached.gathered.story,
        story_label=cut(attached.gathered.label, LONGEST["story"]),
        corroboration=attached.gathered.corroboration,
        evolved_from=update_id_for(raw.source, raw.evolved_from) if raw.evolved_from else None,
        read_time_minutes=text.read_time_minutes,
        word_count=text.word_count,
        slug=slug,
        path=f"/updates/{state.update_id}/{slug}",
        first_published_at=first,
        updated_at=before.updated_at if before is not None else None,
        expires_at=raw.expires_at,
        flags=flags_of(state),
        degraded=attached.degraded,
        repairs=_repairs_of(state, lines),
        fingerprint=state.current.fingerprint,
        passport=Passport(received_at=decision.at or opened, enriched_at=now, published_at=now),
    )
    said = update.model_dump(mode="json", exclude_defaults=True)
    parts = _parts(said)
    public = state.is_public and before is not None
    changed = (
        tuple(name for name in PARTS if before is not None and parts.get(name, "") != before.parts.get(name, ""))
        if public
        else ()
    )
    if public and not decision.forced and not changed:
        return None
    words = (
        public
        and before is not None
        and (before.headline, before.text, before.summary) != (text.headline, text.text, text.summary)
    )
    again = before is not None and bool(before.slug) and not public
    other = words or (
        again and before is not None and any(parts.get(each, "") != before.parts.get(each, "") for each in WORDS)
    )
    change = _change(decision, before if public else None, text, changed=changed, words=words, again=again)
    if public or other or change.reason:
        later = {
            "kind": _kind(decision, public=public, words=words, changed=changed, flags=update.flags, before=before),
            "updated_at": at if other else update.updated_at,
            "change": change,
        }
        update = update.model_copy(update=later)
        said["kind"] = update.kind
        if change.fields or change.reason or change.diff:
            said["change"] = change.model_dump(mode="json", exclude_defaults=True)
        if other:
            said.update(update.model_dump(mode="json", include={"updated_at"}))
    shown = Shown(
        parts=parts,
        headline=text.headline,
        text=text.text,
        summary=text.summary,
        flags=update.flags,
        slug=slug,
        first_published_at=first,
        updated_at=update.updated_at,
        story=update.story,
        author_ids=tuple(dict.fromkeys(author.id for author in update.authors if author.id)),
        tag_codes=tuple(tag.code for tag in update.tags),
        unknown_names=tuple(filter(None, map(name_key, attached.authorship.unknown))),
        editions=dict(attached.editions),
        degraded=attached.degraded,
        attempts=attempts,
        retry_at=retry_at(attempts) if attached.degraded else None,
    )
    return Revision(update, orjson.dumps(said), shown)


def encoded(update: EnrichedUpdate) -> tuple[bytes, dict[str, Any]]:
    """The JSON of an update, without what is at its default, and the same as values."""
    said: dict[str, Any] = update.model_dump(mode="json", exclude_defaults=True)
    return orjson.dumps(said), said


def _kind(
    decision: Decision, *, public: bool, words: bool, changed: Sequence[str], flags: Flags, before: Shown | None
) -> Kind:
    if not public:
        return "publish"
    if decision.correction:
        return "correct"
    if words:
        return "update"
    if before is not None and flags != before.flags and set(changed) <= {"flags"}:
        return "pin"
    return "enrich"


def _change(
    decision: Decision, before: Shown | None, text: Text, *, changed: tuple[str, ...], words: bool, again: bool
) -> Change:
    if before is None:
        return Change(
            reason=line_of(decision.said, LONGEST["correction_reason"]) if decision.correction or again else ""
        )
    diff: Diff = ()
    if words:
        if before.headline != text.headline:
            diff = word_diff(
                f"{before.headline}\n\n{before.text or before.summary}",
                f"{text.headline}\n\n{text.text or text.summary}",
            )
        else:
            diff = word_diff(before.text or before.summary, text.text or text.summary)
    return Change(fields=changed, reason=line_of(decision.said, LONGEST["correction_reason"]), diff=diff)


def _parts(said: Mapping[str, Any]) -> dict[str, str]:
    """A digest of each part of the content that is not empty."""
    parts: dict[str, str] = {}
    get = said.get
    for name, fields in PARTS.items():
        values = [get(each) for each in fields]
        if any(values):
            parts[name] = hashlib.blake2b(orjson.dumps(values), digest_size=8).hexdigest()
    return parts


def _version_of(raw: RawUpdate) -> str | None:
    return raw.version[: LONGEST["version"]] if raw.version else raw.version


def _repairs_of(state: State, lines: Mapping[str, str]) -> tuple[Repair, ...]:
    """What ingest repaired, and what was too long for a field and had to be cut here."""
    assert state.current is not None  # noqa: S101
    raw = state.current.raw
    said = {"headline": headline_and_body(state)[0], "summary": raw.summary, **lines}
    cuts = [
        Repair(code="too-long", place=f"/{name}", detail=f"{len(text)} characters; {LONGEST[name]} are the most")
        for name, text in said.items()
        if len(text) > LONGEST[name]
    ]
    if (
        not cuts
        and len(raw.repairs) <= MOST_REPAIRS
        and all(len(each.detail) <= LONGEST_DETAIL for each in raw.repairs)
    ):
        return raw.repairs
    told = raw.repairs[: MOST_REPAIRS - len(cuts)]
    return (
        *[
            each.model_copy(
                update={"place": cut(each.place, LONGEST_DETAIL), "detail": cut(each.detail, LONGEST_DETAIL)}
            )
            for each in told
        ],
        *cuts,
    )


def _link(link: str | None) -> str | None:
    return link if link and link.startswith(("https://", "http://")) and len(link) <= 2000 else None


def shown_state(state: State, revision: Revision) -> State:
    """The state once a revision is acknowledged."""
    return state.model_copy(
        update={"turn": state.turn + 1, "revision": revision.update.revision, "shown": revision.shown}
    )
