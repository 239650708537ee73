"""Couriers bring an alert to one reader's device: one file for each push service, behind one small interface."""

from dataclasses import dataclass
from typing import Literal, Protocol

Urgency = Literal["very-low", "low", "normal", "high"]
"""RFC 8030, section 5.3."""

MAX_ATTEMPT_PAUSE_S = 3600.0


@dataclass(frozen=True, slots=True)
class Message:
    """What is brought: the same to every reader of an alert."""

    payload: bytes
    """The JSON that the service worker reads."""
    title: str
    body: str
    url: str
    topic: str
    """One for each update, 32 characters of base64url at most: a later message takes the place of an earlier one."""
    ttl_s: int
    urgency: Urgency
    withdraws: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """Where it is brought: the push service's URL and keys of a browser, or the token of a device."""

    address: str
    p256dh: bytes | None = None
    auth: bytes | None = None


@dataclass(frozen=True, slots=True)
class Brought:
    """What became of it. `gone`: the device will never be there again; `later`: try again after the pause."""

    result: Literal["sent", "gone", "later", "failed"]
    status: int | None = None
    reason: str = ""
    pause_s: float | None = None
    """What the push service asks for; None where it asks for none."""


class Courier(Protocol):
    """Brings messages to devices of one kind."""

    async def bring(self, target: Target, message: Message) -> Brought:
        """One message to one device; whatever goes wrong is in the answer."""
        ...
