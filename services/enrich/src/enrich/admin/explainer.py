"""Explains what each step makes of updates and why, without a server."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import orjson
from pydantic import JsonValue

from enrich.admin.topics import suggestions
from enrich.documents import validated
from enrich.picture_index.embedded import Embedded
from enrich.picture_index.lookup import MediaLookup
from enrich.picture_index.rights import Newsroom, Rights, judge, words_of
from enrich.reference.agencies import family_of, is_own_copy
from enrich.reference.stories import story_id
from enrich.reference.topics.suggest import TopicSuggester
from enrich.stories.clustering import StoryCandidate, StoryClusters, names_of
from enrich.text.domain.attachments import Attachments
from enrich.text.domain.corrections.published import headline_and_body
from enrich.text.domain.holding.why import if_released
from enrich.text.domain.lifecycle import decide
from enrich.text.domain.revision import BuiltRevision, build_removal, build_revision, published_state
from enrich.text.domain.state import KnownUpdate, State
from enrich.text.domain.transition import Transition
from enrich.text.domain.versions import version_order
from enrich.text.domain.visibility import due_of
from enrich.text.steps.runner import Steps
from shared.failures import Invalid
from shared.messages import MediaReference, Order, RawUpdate, Release, Tag, update_id_for


def read_lines(body: bytes, now: datetime) -> Iterator[RawUpdate | Order]:
    """The messages of JSON lines: raw updates, orders, or whole lines of `ingest read` with their `updates`."""
    for number, line in enumerate(body.splitlines(), 1):
        if not line.strip():
            continue
        try:
            document: JsonValue = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise Invalid(f"line {number} is not JSON: {error}", field=f"/{number}") from error
        for index, each in enumerate(_listed(document, number)):
            yield _message(each, f"/{number}/{index}", now)


def _listed(document: JsonValue, number: int) -> list[JsonValue]:
    if isinstance(document, list):
        return document
    if not isinstance(document, dict):
        raise Invalid(f"line {number} is no object", field=f"/{number}")
    updates = document.get("updates")
    if isinstance(updates, list):
        return updates
    return [] if "error" in document and "updates" not in document else [document]


def _message(document: JsonValue, place: str, now: datetime) -> RawUpdate | Order:
    if not isinstance(document, dict):
        raise Invalid("an update is a JSON object", field=place)
    update = document.get("update")
    values = update if isinstance(update, dict) else document
    model: type[RawUpdate] | type[Order] = Order if "order" in values else RawUpdate
    if model is RawUpdate:
        values = {"source": "unnamed", "received_at": now.isoformat(), **values}
        if "guid" in values and not values.get("update_id"):
            values["update_id"] = update_id_for(str(values["source"]), str(values["guid"]))
    return validated(model, values, place)


@dataclass
class Explainer:
    """Handles messages as enrich text does, and says of each what was decided, attached and emitted."""

    steps: Steps
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    states: dict[str, State] = field(default_factory=dict)
    clusters: StoryClusters = field(default_factory=StoryClusters)
    suggester: TopicSuggester = field(init=False)

    def __post_init__(self) -> None:
        """Topics are suggested from the vocabulary that updates are tagged with."""
        self.suggester = TopicSuggester(self.steps.reference.vocabulary)

    @property
    def _newsroom(self) -> Newsroom:
        return Newsroom.of(self.steps.settings.enrich_country, self.steps.settings.enrich_time_zone)

    def explain(self, messages: Iterable[RawUpdate | Order]) -> Iterator[dict[str, object]]:
        """One explanation for each message, in order."""
        return map(self._one, messages)

    def _one(self, message: RawUpdate | Order) -> dict[str, object]:
        before = self.states.get(message.update_id, State(update_id=message.update_id))
        source = message.source if isinstance(message, RawUpdate) else ""
        margin_s = self.steps.settings.margin_s(source)
        transition = self._released(decide(message, before, margin_s=margin_s))
        explanation: dict[str, object] = {"update_id": message.update_id}
        if isinstance(message, RawUpdate):
            explanation |= {"guid": message.guid, "source": source}
        else:
            explanation["order"] = message.order
        explanation["decision"] = _decision(message, transition)
        revision: BuiltRevision | None = None
        state = transition.state
        if state.current is not None and state.final is None:
            attachments, because = self._attached(state)
            explanation |= _steps(state, attachments, because, self.now, self._newsroom)
            if transition.emit and transition.visibility == "visible":
                revision = build_revision(transition, attachments, self.now, margin_s=margin_s)
        explanation |= self._suggested(state)
        if transition.emit and transition.visibility != "visible":
            revision = build_removal(transition, self.now)
        self.states[message.update_id] = published_state(state, revision) if revision is not None else state
        emitted = revision.update.model_dump(mode="json", exclude_defaults=True) if revision is not None else None
        return explanation | {"emits": emitted}

    def _released(self, transition: Transition) -> Transition:
        """With the release of an embargo that has ended by now."""
        due_at, due_for = due_of(transition.state)
        if due_at is None or due_at > self.now or due_for != "embargo":
            return transition
        released = decide(Release(update_id=transition.state.update_id, due_at=due_at), transition.state)
        return replace(released, outcome="enriched" if released.emit else "held")

    def _suggested(self, state: State) -> dict[str, object]:
        """The topics that a desk is suggested, where the source sends none; of what is held too."""
        state = if_released(state)
        if state.current is None or state.final is not None:
            return {}
        found = suggestions(self.suggester, state.current.raw, headline_and_body(state)).suggested
        return {"suggested_topics": [each.model_dump() for each in found]} if found else {}

    def _attached(self, state: State) -> tuple[Attachments, str]:
        raw = state.current_version.raw
        parent = update_id_for(raw.source, raw.evolved_from) if raw.evolved_from else ""
        parent_state = self.states.get(parent)
        parent_published = parent_state.last_published if parent_state is not None else None
        parent_story = parent_published.story if parent_published is not None else None
        known = KnownUpdate(state)
        first = self.steps.attach(state, known, parent_story, MediaLookup(pending=raw.media))
        family = family_of(raw.source, raw.credit, self.steps.settings.enrich_families)
        cluster = self.clusters.place(
            StoryCandidate(
                update_id=raw.update_id,
                family=family,
                headline=first.text.headline,
                text=first.text.text or first.text.summary,
                own_story=story_id(raw.story) if raw.story else None,
                at=raw.received_at,
                names=names_of(tag.code for tag in first.tagging.tags),
                slugline=raw.slugline,
                credit=raw.credit,
                is_own=is_own_copy(raw.source, self.steps.settings.enrich_own_sources),
            )
        )
        known = replace(
            known,
            gathered=cluster.story,
            gathered_is_sure=cluster.is_sure,
            gathered_because=cluster.because,
            gathered_label=cluster.label,
            families=cluster.families,
        )
        return self.steps.attach(state, known, parent_story, MediaLookup(pending=raw.media)), cluster.because


def _decision(message: RawUpdate | Order, transition: Transition) -> dict[str, object]:
    decision: dict[str, object] = {
        "outcome": transition.outcome,
        "because": transition.reason,
        "visibility": transition.visibility,
    }
    if isinstance(message, RawUpdate):
        created, number, received, fingerprint = version_order(message)
        decision["order"] = {
            "by": next(
                name for name in ("version_created", "counts_from", "received_at") if getattr(message, name) is not None
            ),
            "moment": created.isoformat(),
            "number": number if number >= 0 else None,
            "received_at": received.isoformat(),
            "fingerprint": fingerprint,
        }
    due_at, due_for = due_of(transition.state)
    if due_at is not None:
        decision["due"] = {"at": due_at.isoformat(), "for": due_for}
    return decision


def _steps(
    state: State, attachments: Attachments, cluster_because: str, now: datetime, newsroom: Newsroom
) -> dict[str, object]:
    raw, text = state.current_version.raw, attachments.text
    return {
        "text": {
            "language": text.language,
            "why_language": text.why_language,
            "direction": text.direction,
            "words": text.word_count,
            "read_time_minutes": text.read_time_minutes,
            "excerpt": text.excerpt,
            "body_changed_by_cleaning": text.body_html != raw.body_html,
        },
        "authors": {
            "byline": raw.byline,
            "names": [each.model_dump(mode="json", exclude_defaults=True) for each in attachments.authorship.authors],
            "unknown": list(attachments.authorship.unknown),
            "because": list(attachments.authorship.because),
        },
        "tags": [
            {"code": code, "because": because} | _tag(attachments.tagging.tags, code)
            for code, because in attachments.tagging.because
        ],
        "story": {
            "story": attachments.story.story,
            "because": attachments.story.because or "the source names no story, and nothing like it was seen",
            "corroboration": attachments.story.corroboration.model_dump(mode="json"),
            "cluster_because": cluster_because,
        },
        "media": [_picture(reference, raw.received_at, now, newsroom) for reference in raw.media],
        "degraded": list(attachments.degraded),
    }


def _picture(reference: MediaReference, came_at: datetime, now: datetime, newsroom: Newsroom) -> dict[str, object]:
    rights = Rights(newsroom=newsroom)
    judgement = judge(reference, Embedded(), rights, came_at=came_at, now=now)
    because = judgement.reason or "`enrich media` fetches it and looks at its rights"
    if judgement.reason == "no credit":
        because = "no credit yet; the picture's own IPTC and XMP may have one"
    elif judgement.reason:
        because += "; `media-allow` shows it, `media-rights --allow` settles the phrase with the source"
    if reference.kind not in ("picture", "graphic"):
        because = f"{reference.kind} is not rendered"
    words = words_of(reference, Embedded(), rights)
    return {
        "url": reference.url,
        "kind": reference.kind,
        "caption": words.caption,
        "credit": words.credit,
        "opens_at": judgement.opens_at.isoformat() if judgement.opens_at else None,
        "because": because,
    }


def _tag(tags: Iterable[Tag], code: str) -> dict[str, object]:
    found = next((tag for tag in tags if tag.code == code), None)
    if found is None:
        return {"taken": False}
    return {"label": found.label, "confidence": found.confidence, "origin": found.origin, "places": found.places}
