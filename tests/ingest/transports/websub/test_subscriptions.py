"""What hubs were asked for, and their signatures."""

import hmac
from datetime import UTC, datetime, timedelta

import pytest

from ingest.transports.websub.subscriptions import Subscription, is_due, is_signed

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def signature(body: bytes, secret: str, method: str = "sha256") -> str:
    """As a hub signs."""
    return f"{method}=" + hmac.new(secret.encode(), body, method).hexdigest()


def test_a_subscription_is_renewed_in_time() -> None:
    """It is due at first, when the feed's hub moved, with a third of the lease left, and after a silence or a denial."""

    def held(state: str, asked_ago: timedelta, left: timedelta | None = None) -> Subscription:
        until = NOW + left if left is not None else None
        return Subscription("s", "t", "x", "h", "topic", state, NOW - asked_ago, 9000, until)

    day = timedelta(days=1)
    assert is_due(None, "h", "topic", NOW)
    assert is_due(held("active", day, day), "other", "topic", NOW)
    assert not is_due(held("active", day, timedelta(seconds=4000)), "h", "topic", NOW)
    assert is_due(held("active", day, timedelta(seconds=2000)), "h", "topic", NOW)
    assert not is_due(held("pending", timedelta(minutes=5)), "h", "topic", NOW)
    assert is_due(held("pending", timedelta(minutes=11)), "h", "topic", NOW)
    assert not is_due(held("denied", timedelta(hours=1)), "h", "topic", NOW)


@pytest.mark.parametrize("method", ["sha1", "sha256", "sha384", "sha512"])
def test_every_method_of_the_standard_is_understood(method: str) -> None:
    """The four methods that WebSub names are verified; a changed body is not."""
    body = b"copy"
    assert is_signed(body, signature(body, "secret", method), "secret")
    assert not is_signed(body + b"!", signature(body, "secret", method), "secret")
