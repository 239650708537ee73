"""What a push service's answer means (RFC 8030, section 5)."""

from publish.push.alerts.providers.provider import MAX_ATTEMPT_PAUSE_S, SendResult
from publish.push.delivery.outbound import Answer
from shared.http.client.retry_after import retry_after_s


def send_result(answer: Answer) -> SendResult:
    """What became of a notification."""
    if answer.ok:
        return SendResult("sent", answer.status)
    if answer.status in (404, 410):
        return SendResult("gone", answer.status, "the subscription has ended")
    if answer.status is None or answer.status == 429 or answer.status >= 500:
        return SendResult(
            "later", answer.status, answer.error, retry_after_s(answer.headers, longest_s=MAX_ATTEMPT_PAUSE_S)
        )
    said = answer.body[:200].decode("utf-8", "replace").replace("\x00", "")
    return SendResult("failed", answer.status, f"answered {answer.status}: {said}")
