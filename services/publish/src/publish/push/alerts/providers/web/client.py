"""Web Push to browsers (RFC 8030)."""

import contextlib
from collections.abc import AsyncIterator

from publish.push.alerts.providers.provider import Notification, Resources, SendResult, Target
from publish.push.alerts.providers.web.encryption import encrypt
from publish.push.alerts.providers.web.error import send_result
from publish.push.alerts.providers.web.settings import WebPushSettings
from publish.push.alerts.providers.web.vapid import Vapid, kept_vapid_key
from publish.push.delivery.outbound import Outbound
from shared.background import until_answered


class WebPush:
    """Sends notifications to browsers."""

    def __init__(self, client: Outbound, vapid: Vapid) -> None:
        self._client = client
        self._vapid = vapid

    @property
    def public_key(self) -> str:
        """What a page subscribes with."""
        return self._vapid.public_key

    async def send(self, target: Target, notification: Notification) -> SendResult:
        """Send one notification, encrypted for this browser alone."""
        if target.p256dh is None or target.auth is None:
            return SendResult("gone", None, "the subscription has no keys")
        try:
            sealed = encrypt(notification.payload, target.p256dh, target.auth)
            authorization = self._vapid.authorization(target.address)
        except ValueError as error:
            return SendResult("gone", None, f"the keys are of no use: {error}")
        headers = {
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(notification.ttl_s),
            "Urgency": notification.urgency,
            "Topic": notification.topic,
            "Authorization": authorization,
        }
        return send_result(await self._client.send("POST", target.address, headers=headers, body=sealed))


@contextlib.asynccontextmanager
async def open_web_push(settings: WebPushSettings, resources: Resources) -> AsyncIterator[WebPush]:
    """Web Push, under the key of the settings or the one that is kept in Postgres."""
    key = settings.publish_push_vapid_key or await until_answered(
        "the key of Web Push", lambda: kept_vapid_key(resources.pool), resources.stop
    )
    yield WebPush(resources.outbound, Vapid(key, settings.publish_push_vapid_contact))
