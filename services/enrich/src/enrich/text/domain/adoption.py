"""The state of an update whose revision is in the log, though this state did not make it: what was published is believed."""

from datetime import datetime

from enrich.reference.directory import name_key
from enrich.text.domain.lifecycle import decide
from enrich.text.domain.revision import digests
from enrich.text.domain.state import Final, LastPublished, State
from enrich.text.domain.transition import Transition, ended
from shared.messages import EnrichedUpdate, Refresh

EDITIONS_UNKNOWN = {"authors": 0, "stories": 0}
"""A record does not say which editions it was made with. These are older than any change, so that what changed is looked at."""


def adopt(state: State, published: EnrichedUpdate) -> State:
    """`state` once `published`, a revision that is in the log, is what was last published.

    The same as `published_state` makes of the revision where it is built, but for what a record does not say: the editions
    (`EDITIONS_UNKNOWN`), how often a step was tried again (none), when it is tried next (at once), and which of the names
    that the directory does not know are no persons' (all count).
    """
    if published.is_final and state.final is None:
        # Whoever killed it, the message is not read again: after a restore of an older dump the log alone knows of it.
        removal: Final = "taken-down" if published.removal == "taken-down" else "killed"
        at = published.passport.received_at
        final = ended(state, removal, by="", reason=published.change.reason, at=at, fingerprint=published.fingerprint)
        state = final.state.model_copy(update={"state_version": state.state_version})
    changes = {
        "state_version": state.state_version + 1,
        "revision": published.revision,
        "last_published": _removed(state, published) if published.is_removal else _shown(published),
    }
    return state.model_copy(update=changes)


def after_adoption(state: State, at: datetime) -> Transition:
    """What is to be done about a state that has adopted what was published: the next revision, if readers should have another."""
    if state.final is not None and state.is_public:
        return Transition(
            state, None, f"{state.final}, and published again", state.final, emit=True, forced=True,
            public_reason=state.final_reason, at=state.final_at or at,
        )  # fmt: skip
    return decide(Refresh(update_id=state.update_id, cause="retry", requested_at=at), state)


def _removed(state: State, published: EnrichedUpdate) -> LastPublished:
    before = None if published.is_final else state.last_published
    return LastPublished(
        removal=published.removal,
        parts=before.parts if before is not None else {},
        first_published_at=published.first_published_at,
        updated_at=published.updated_at,
        story=published.story,
        slug=before.slug if before is not None else "",
    )


def _shown(published: EnrichedUpdate) -> LastPublished:
    unknown = (name_key(author.name) for author in published.authors if not author.id)
    return LastPublished(
        parts=digests(published.model_dump(mode="json", exclude_defaults=True)),
        headline=published.headline,
        text=published.text,
        summary=published.summary,
        flags=published.flags,
        slug=published.slug,
        first_published_at=published.first_published_at,
        updated_at=published.updated_at,
        story=published.story,
        author_ids=tuple(dict.fromkeys(author.id for author in published.authors if author.id)),
        tag_codes=tuple(tag.code for tag in published.tags),
        unknown_names=tuple(filter(None, unknown)),
        editions=EDITIONS_UNKNOWN,
        degraded=published.degraded,
        retry_at=(published.passport.enriched_at or published.passport.received_at) if published.degraded else None,
    )
