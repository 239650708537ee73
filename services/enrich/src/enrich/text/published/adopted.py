"""Adopts a record of the log into a state, and says so."""

import structlog
from prometheus_client import Counter

from enrich.text.domain.adoption import adopt
from enrich.text.domain.state import State
from enrich.text.published.records import PublishedRecord
from shared.messages import EnrichedUpdate

log = structlog.get_logger(__name__)

ADOPTED = Counter(
    "slugline_enrich_adopted",
    "Revisions of the log that were adopted: made before a restart, or by another process",
    ["made"],
)


def adopt_record(state: State, record: PublishedRecord, made: str) -> tuple[State, EnrichedUpdate | None]:
    """The state once it has what a record says, and what that is; None where it cannot be read, so that only its number counts.

    `made` says when or by whom it was made.
    """
    ADOPTED.labels(made).inc()
    try:
        published = EnrichedUpdate.model_validate_json(record.value)
    except ValueError as error:
        log.error(
            "a revision in the log cannot be read; the next one follows on its number", update_id=record.update_id,
            revision=record.revision, offset=record.offset, error=str(error)[:500],
        )  # fmt: skip
        changes = {"state_version": state.state_version + 1, "revision": record.revision}
        return state.model_copy(update=changes), None
    log.info(
        "adopted what was published", update_id=record.update_id, revision=record.revision, offset=record.offset,
        kind=published.kind, removal=published.removal, made=made,
    )  # fmt: skip
    return adopt(state, published), published
