"""What the operations of the API have in common: how they answer, and what they read from a request."""

import re
import uuid

import structlog
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from ingest.intake.deadline import OutcomeUnknown
from shared.http.problem import Problem, problem_response

log = structlog.get_logger(__name__)

RETRY_AFTER_S = 2
UPDATE_ID = re.compile(r"[a-z2-7]{26}")
TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


def json_response(model: BaseModel, status: int) -> Response:
    """A model as JSON."""
    body = model.model_dump_json(exclude_none=True)
    return Response(body, status, {"Cache-Control": "no-store"}, media_type="application/json")


def outcome_unknown(error: OutcomeUnknown, **members: object) -> Problem:
    """The problem of a push or order that Kafka may have."""
    return Problem(503, "maybe-taken", str(error), headers={"Retry-After": str(RETRY_AFTER_S)}, **members)


async def on_unavailable(_: Request, error: Exception) -> Response:
    """The answer while Kafka or Postgres is unavailable."""
    log.warning("push refused for now", reason=str(error), fold="push")
    if isinstance(error, OutcomeUnknown):
        return problem_response(outcome_unknown(error))
    return problem_response(
        Problem(503, "unavailable", f"{error}; send it again", headers={"Retry-After": str(RETRY_AFTER_S)})
    )


def update_id_of(request: Request) -> str:
    """The update id in a request's path."""
    update_id: str = request.path_params["id"]
    if not UPDATE_ID.fullmatch(update_id):
        raise Problem(404, "unknown-item", "the id of an update is 26 characters of a-z and 2-7", field="id")
    return update_id


def traceparent_of(request: Request) -> str:
    """The trace that a request belongs to; empty where it names none."""
    given = request.headers.get("traceparent", "")
    return given if TRACEPARENT.fullmatch(given) else ""


def inspect_command(original: uuid.UUID | None, source: str) -> str:
    """A command for the operator that shows how an original was read."""
    if original is None:
        return ""
    return f"python -m ingest originals show {original} --body > copy && python -m ingest read copy --source {source}"
