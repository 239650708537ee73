"""What a device is sent."""

from datetime import UTC, datetime

import orjson

from publish.push.alerts.notification import AlertContent, notification_of, wording
from publish.push.alerts.providers.web.encryption import MAX_PAYLOAD_BYTES
from support.revisions import revision


def test_the_longest_alert_fits_into_one_message() -> None:
    """Title and body are cut so that even text of four bytes a character fits."""
    long = revision("a", 1, headline="𝕬" * 500, summary="𝕬" * 5000)
    title, body = wording(long)
    alert = AlertContent(
        id="x" * 60, kind="alert", update_id=long.update_id, revision=1, level=1, title=title, body=body,
        path="/updates/" + "s" * 200, created_at=datetime.now(UTC),
    )  # fmt: skip
    assert len(notification_of(alert, "https://" + "h" * 200, 60).payload) <= MAX_PAYLOAD_BYTES
    assert orjson.loads(notification_of(alert, "https://h", 60).payload)["title"].endswith("…")
