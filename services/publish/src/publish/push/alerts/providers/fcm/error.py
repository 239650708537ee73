"""What an answer of FCM means (https://firebase.google.com/docs/cloud-messaging/error-codes)."""

import orjson
from pydantic import BaseModel, Field, ValidationError

from publish.push.alerts.providers.provider import MAX_ATTEMPT_PAUSE_S, SendResult
from publish.push.delivery.outbound import Answer
from shared.http.client.retry_after import retry_after_s

DEFAULT_PAUSE_S = 60.0
"""Where FCM names none, as its documentation asks."""


class _Detail(BaseModel):
    errorCode: str = ""  # noqa: N815 -- Google's name for it


class _Error(BaseModel):
    status: str = ""
    details: list[_Detail] = Field(default_factory=list)


def send_result(answer: Answer) -> SendResult:
    """What became of a notification."""
    if answer.ok:
        return SendResult("sent", answer.status)
    code = error_code(answer.body)
    if answer.status == 404 or code == "UNREGISTERED":
        return SendResult("gone", answer.status, code or "the app is not installed any more")
    if answer.status is None or answer.status in (401, 429) or answer.status >= 500:
        asked_s = retry_after_s(answer.headers, longest_s=MAX_ATTEMPT_PAUSE_S)
        pause_s = DEFAULT_PAUSE_S if asked_s is None else asked_s
        return SendResult("later", answer.status, code or answer.error, pause_s)
    return SendResult("failed", answer.status, code or f"answered {answer.status}")


def error_code(body: bytes) -> str:
    """FCM's own error code, else the status of Google's API; empty where the body has neither."""
    try:
        error = _Error.model_validate(orjson.loads(body)["error"])
    except (ValueError, KeyError, TypeError, ValidationError):
        return ""
    return next((detail.errorCode for detail in error.details if detail.errorCode), error.status)
