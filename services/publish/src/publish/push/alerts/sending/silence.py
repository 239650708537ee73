"""Push services that do not answer: no reader of another waits for their timeouts.

After a few silences in a row a service is left alone for a while, and its notifications are put off at once. Then one is tried;
an answer, whatever it says, ends the pause, another silence makes it longer.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from publish.push.alerts.providers.provider import SendResult
from publish.push.alerts.subscriptions import AlertSubscription
from shared.failures.backoff import Backoff

SILENCES = 5
PAUSE = Backoff(first_s=5.0, longest_s=120.0)
MOST_SERVICES = 1000
PUT_OFF = SendResult("later", None, "its push service does not answer")


@dataclass(slots=True)
class _Silent:
    in_a_row: int = 0
    pauses: int = 0
    until: float = 0.0
    tried: bool = True
    """One was let through since the last silence."""


def push_service(subscription: AlertSubscription) -> str:
    """Who takes a subscription's notifications: the provider, or of a browser the host that its maker runs."""
    if "://" not in subscription.target:
        return subscription.service
    try:
        return urlsplit(subscription.target).hostname or subscription.service
    except ValueError:
        return subscription.service


@dataclass
class SilentServices:
    """Which push services do not answer."""

    clock: Callable[[], float] = time.monotonic
    _silent: dict[str, _Silent] = field(default_factory=dict)

    def is_left_alone(self, service: str) -> bool:
        """Whether its notifications are put off; after a pause the one who asks first tries it."""
        silent = self._silent.get(service)
        if silent is None or silent.in_a_row < SILENCES:
            return False
        now = self.clock()
        if now < silent.until:
            return True
        silent.until = now + PAUSE.mean_s(silent.pauses)
        silent.tried = True
        return False

    def note(self, service: str, *, answered: bool) -> None:
        """Whether it answered, whatever it said."""
        if answered:
            self._silent.pop(service, None)
            return
        silent = self._silent.setdefault(service, _Silent())
        silent.in_a_row += 1
        if silent.in_a_row >= SILENCES and silent.tried:
            silent.pauses += 1
            silent.tried = False
            silent.until = self.clock() + PAUSE.mean_s(silent.pauses)
        if len(self._silent) > MOST_SERVICES:
            del self._silent[next(iter(self._silent))]
