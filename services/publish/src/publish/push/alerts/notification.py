"""What a device is sent for an alert or a digest: pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson
from pydantic import JsonValue

from publish.push.alerts.providers.provider import Notification, Urgency
from publish.push.alerts.rules import TOP
from publish.representation.reader_update import ReaderUpdate
from publish.representation.words import full_text_of

TITLE_LENGTH = 120
BODY_LENGTH = 240
LOOKED_THROUGH = 20
"""How many times the shown length of a text is searched for words: of text that begins with more blanks, less is shown."""
DIGEST_TITLES = 5


def _cut(text: str, length: int) -> str:
    # What a screen shows stands at the beginning, however long the rest.
    text = " ".join(text.lstrip()[: LOOKED_THROUGH * length].replace("\x00", "").split())
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def wording(update: ReaderUpdate) -> tuple[str, str]:
    """The title and the body of the alert of an update."""
    title = _cut(update.headline or full_text_of(update), TITLE_LENGTH)
    return title, _cut(update.summary or update.excerpt or full_text_of(update), BODY_LENGTH)


def ordered_wording(update: ReaderUpdate, title: str | None, body: str | None) -> tuple[str, str]:
    """An editor's words where there are some, cut to what a screen shows; otherwise those of the update."""
    own = wording(update)
    return (_cut(title, TITLE_LENGTH) if title else "") or own[0], (_cut(body, BODY_LENGTH) if body else "") or own[1]


@dataclass(frozen=True, slots=True)
class AlertContent:
    """What of an alert a device is sent."""

    id: str
    update_id: str
    revision: int
    kind: str
    level: int
    title: str
    body: str
    path: str
    created_at: datetime


def notification_of(alert: AlertContent, site_url: str, ttl_s: int) -> Notification:
    """The notification of an alert: the service worker shows it, replaces it or takes it away, by its tag."""
    withdraws = alert.kind == "withdraw"
    url = f"{site_url}{alert.path}"
    payload: dict[str, JsonValue] = {
        "kind": alert.kind,
        "alert_id": alert.id,
        "update_id": alert.update_id,
        "revision": alert.revision,
        "tag": alert.update_id or alert.id,
        "url": url,
        "level": alert.level,
        "timestamp": int(alert.created_at.timestamp() * 1000),
    }
    if not withdraws:
        payload |= {"title": alert.title, "body": alert.body}
    urgency: Urgency = "high" if alert.level <= TOP or withdraws else ("normal" if alert.level == TOP + 1 else "low")
    return Notification(
        payload=orjson.dumps(payload),
        title=alert.title,
        body=alert.body,
        url=url,
        topic=(alert.update_id or alert.id)[:32],
        ttl_s=ttl_s,
        urgency=urgency,
        withdraws=withdraws,
    )


def digest_of(
    updates: Sequence[tuple[str, str]], site_url: str, site_name: str, ttl_s: int, now: datetime
) -> Notification:
    """What was kept for a reader, as one notification. `updates`: the id and the alert's title of each."""
    titles = [title for _, title in updates[:DIGEST_TITLES]]
    more = len(updates) - len(titles)
    title = f"{site_name}: {len(updates)} {'update' if len(updates) == 1 else 'updates'}"
    body = "\n".join(f"• {each}" for each in titles) + (f"\n… and {more} more" if more > 0 else "")
    payload = {
        "kind": "digest",
        "tag": "digest",
        "title": title,
        "body": body,
        "url": f"{site_url}/",
        "level": 3,
        "timestamp": int(now.timestamp() * 1000),
        "updates": [update_id for update_id, _ in updates],
    }
    return Notification(orjson.dumps(payload), title, body, f"{site_url}/", "digest", ttl_s, "low")


def sample_notification(site_url: str, site_name: str, now: datetime) -> Notification:
    """Tells a reader that alerts work."""
    title, body = site_name, "Alerts work on this device."
    payload = {
        "kind": "test", "tag": "test", "title": title, "body": body, "url": f"{site_url}/",
        "timestamp": int(now.timestamp() * 1000),
    }  # fmt: skip
    return Notification(orjson.dumps(payload), title, body, f"{site_url}/", "test", 300, "high")
