"""Webhooks by the Standard Webhooks specification 1.0: what a message says and how it is signed."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from standardwebhooks import Webhook

from publish.archive.queries import Archived, servable
from publish.push.delivery.queue import DeliveryRequest, DueDelivery, Postponed, Skipped, Unsent
from publish.push.webhooks.endpoints import live_secrets
from publish.representation.reader_json import dump, members, removal_members
from shared.postgres.pool import Pool

MOST_AT_ONCE = 4 * 1024 * 1024
"""Bytes of updates of which messages are made at once, beside the first: a claim may be of a thousand, of two megabytes each."""
TOO_MUCH = "others are made first: together they are too much for one moment"
WITHDRAWN = "the update is out of sight by now; its removal follows"


def body_of(archived: Archived, site_url: str) -> bytes:
    """The message about a revision: its type, its time, and the update as the API gives it; of a removal no text."""
    update = archived.update
    view = removal_members(update) if update.is_removal else members(update, site_url)
    moment = update.passport.enriched_at or update.updated_at or update.first_published_at
    return dump({"type": f"update.{update.kind}", "timestamp": moment, "data": view})


def signed(message_id: str, secrets: Sequence[str], body: bytes, now: datetime) -> dict[str, str]:
    """The headers of an attempt: its own time, and a signature by each live secret."""
    text = body.decode()
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(Webhook(secret).sign(message_id, now, text) for secret in secrets),
    }


class Webhooks:
    """Builds the requests of webhook deliveries from what the archive may serve now."""

    def __init__(self, pool: Pool, site_url: str) -> None:
        self._pool = pool
        self._site_url = site_url

    async def build(self, due: Sequence[DueDelivery]) -> dict[int, DeliveryRequest | Unsent]:
        """A request for each, or the reason for skipping it: text that was removed meanwhile is never sent.

        What would be too much at once waits for a moment: the loop has others to serve.
        """
        wanted = {(each.update_id, each.revision) for each in due if each.body is None}
        found = await servable(self._pool, wanted, MOST_AT_ONCE)
        is_whole = not any(archived.is_cut for archived in found.values())
        bodies = {key: body_of(archived, self._site_url) for key, archived in found.items()}
        now = datetime.now(UTC)
        return {each.id: self._request(each, bodies, now, is_whole=is_whole) for each in due}

    def _request(
        self, due: DueDelivery, bodies: Mapping[tuple[str, int], bytes], now: datetime, *, is_whole: bool
    ) -> DeliveryRequest | Unsent:
        body = due.body.encode() if due.body is not None else bodies.get((due.update_id, due.revision))
        if body is None:
            return Skipped(WITHDRAWN) if is_whole else Postponed(TOO_MUCH)
        headers = signed(due.message_id, live_secrets(due.secrets, now), body, now)
        if due.traceparent:
            headers["traceparent"] = due.traceparent
        return DeliveryRequest(headers, body)
