"""What every provider has in common: it takes one notification to one device and says what became of it."""

import asyncio
from dataclasses import dataclass, field
from typing import Literal, Protocol

from publish.push.delivery.outbound import Outbound
from shared.postgres.clock import SharedClock
from shared.postgres.pool import Pool

Urgency = Literal["very-low", "low", "normal", "high"]
"""RFC 8030, section 5.3."""

MAX_ATTEMPT_PAUSE_S = 3600.0


@dataclass(frozen=True, slots=True)
class Notification:
    """What a device shows: the same for every reader of an alert."""

    payload: bytes
    """The JSON that the service worker reads."""
    title: str
    body: str
    url: str
    topic: str
    """One for each update, 32 characters of base64url at most: a later notification replaces an earlier one."""
    ttl_s: int
    urgency: Urgency
    withdraws: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """Where it goes: the push service's URL and keys of a browser, or the token of a device."""

    address: str
    p256dh: bytes | None = None
    auth: bytes | None = None


@dataclass(frozen=True, slots=True)
class SendResult:
    """What became of a notification. `gone`: the device will never be there again; `later`: try again after the pause."""

    result: Literal["sent", "gone", "later", "failed"]
    status: int | None = None
    reason: str = ""
    pause_s: float | None = None
    """What the push service asks for; None where it asks for none."""


class Provider(Protocol):
    """Sends notifications to devices of one kind."""

    async def send(self, target: Target, notification: Notification) -> SendResult:
        """Send one notification to one device; whatever goes wrong is in the result."""
        ...


@dataclass(frozen=True, slots=True)
class Resources:
    """What a provider is made with. `outbound` refuses private addresses, `trusted` is for addresses of the settings."""

    pool: Pool
    outbound: Outbound
    trusted: Outbound
    timeout_s: float
    stop: asyncio.Event
    clock: SharedClock = field(default_factory=SharedClock)
