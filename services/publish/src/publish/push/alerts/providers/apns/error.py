"""What an answer of APNs means (Apple, "Handling notification responses from APNs")."""

from pydantic import BaseModel, ValidationError

from publish.push.alerts.providers.provider import SendResult

GONE = {"BadDeviceToken", "DeviceTokenNotForTopic", "Unregistered", "ExpiredToken"}
EXPIRED_PROVIDER_TOKEN = "ExpiredProviderToken"  # noqa: S105 -- Apple's name of an error


class _Error(BaseModel):
    reason: str = ""


def send_result(status: int, body: bytes) -> SendResult:
    """What became of a notification."""
    if status == 200:
        return SendResult("sent", 200)
    reason = _reason(body)
    if status == 410 or reason in GONE:
        return SendResult("gone", status, reason)
    if status in (403, 429) or status >= 500:
        return SendResult("later", status, reason)
    return SendResult("failed", status, reason)


def _reason(body: bytes) -> str:
    try:
        return _Error.model_validate_json(body).reason
    except ValidationError:
        return ""
