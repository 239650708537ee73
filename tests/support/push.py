"""Helpers of tests of push: a browser that subscribed to alerts and can read what it is sent, and fresh revisions."""

import base64
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import http_ece
import httpx
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from publish.push.alerts.rules import AlertRules
from publish.push.alerts.subscriptions import Browser, BrowserKeys, NewSubscription, Subscriptions
from publish.push.settings import PushSettings
from shared.messages import EnrichedUpdate, Passport
from shared.postgres.pool import Pool
from support.revisions import revision


def b64(value: str) -> bytes:
    """base64url without padding."""
    return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))


@dataclass
class Device:
    """A browser: it has keys, and reads what comes."""

    private: ec.EllipticCurvePrivateKey
    auth: bytes
    url: str

    @classmethod
    def new(cls, url: str) -> "Device":
        """A browser that subscribed."""
        return cls(ec.generate_private_key(ec.SECP256R1()), os.urandom(16), url)

    @property
    def public(self) -> bytes:
        """p256dh."""
        return self.private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    @property
    def subscription(self) -> Browser:
        """What `toJSON()` gives."""
        encoded = [base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (self.public, self.auth)]
        return Browser(endpoint=self.url, keys=BrowserKeys(p256dh=encoded[0], auth=encoded[1]))

    def read(self, got: Any) -> dict[str, Any]:
        """The JSON of a message that came."""
        plain = http_ece.decrypt(got.body, private_key=self.private, auth_secret=self.auth, version="aes128gcm")
        value: dict[str, Any] = json.loads(plain)
        return value


def fresh(guid: str, number: int = 1, **fields: Any) -> EnrichedUpdate:
    """A revision of just now."""
    now = datetime.now(UTC)
    return revision(guid, number, passport=Passport(received_at=now, enriched_at=now), **fields)


async def subscribe(pool: Pool, device: Device, **preferences: Any) -> dict[str, Any]:
    """Subscribe a device."""
    wanted = NewSubscription(subscription=device.subscription, **preferences)
    return await Subscriptions(pool, AlertRules(), allow_private=True).add(wanted)


async def push_is_ready(settings: PushSettings) -> bool:
    """Whether the push process answers that it is ready."""
    try:
        async with httpx.AsyncClient() as client:
            return (await client.get(f"http://127.0.0.1:{settings.health_port}/readyz")).status_code == 200
    except httpx.TransportError:
        return False
