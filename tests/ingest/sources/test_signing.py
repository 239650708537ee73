"""Pushes that are signed instead of keyed."""

import time

import pytest
from standardwebhooks import Webhook

from ingest.sources import signing, store
from shared.http.problem import Problem
from shared.settings import Connections
from support.ingest_api import started
from support.signed_push import BODY, MASTER, signed


@pytest.mark.integration
async def test_a_signed_push_needs_no_key(newsroom: Connections) -> None:
    """What a source signed with its secret is taken; with another's secret, unsigned or without a secret given out, not."""
    async with started(newsroom, ingest_signing_secret=MASTER) as wire:
        secret = signing.derive_secret(MASTER, "north", 1)

        async def push(key: bytes, source: str = "north") -> int:
            headers = signed(BODY, key, time.time()) | {"Content-Type": "application/rss+xml"}
            return (await wire.client.post(f"/v1/wire/{source}", content=BODY, headers=headers)).status_code

        assert await push(secret) == 401
        assert await store.next_signing_generation(wire.pool, "north", rotate=False) == 1
        await wire.registry.load(wire.pool)
        assert await push(secret) == 202
        assert await push(signing.derive_secret(MASTER, "south", 1)) == 401
        assert await push(secret, "south") == 401
        assert await push(secret, "nobody") == 401
        assert len(await wire.raw()) == 1


def test_signatures_are_those_of_standard_webhooks() -> None:
    """The standard's own library and ours agree on secret and signature."""
    secret = signing.derive_secret(MASTER, "north", 1)
    headers = signed(BODY, secret, time.time())
    Webhook(signing.format_secret(secret)).verify(BODY, headers, json_parse=False)
    signing.verify(headers, BODY, [secret], time.time())


def test_what_was_changed_or_is_old_is_refused() -> None:
    """Another body, an old or missing time, a missing id and a signature of another release are 401, naming the header."""
    now = time.time()
    secret = signing.derive_secret(MASTER, "north", 1)
    good = signed(BODY, secret, now)
    for headers, body, field in (
        (good, BODY + b" ", "webhook-signature"),
        (good | {"webhook-signature": "v2," + good["webhook-signature"][3:]}, BODY, "webhook-signature"),
        (good | {"webhook-signature": "v1,not base64"}, BODY, "webhook-signature"),
        (signed(BODY, secret, now - 301), BODY, "webhook-timestamp"),
        (good | {"webhook-timestamp": "soon"}, BODY, "webhook-timestamp"),
        (good | {"webhook-id": ""}, BODY, "webhook-id"),
    ):
        with pytest.raises(Problem) as caught:
            signing.verify(headers, body, [secret], now)
        assert caught.value.members["field"] == field
    with pytest.raises(Problem):
        signing.verify(good, BODY, [], now)


def test_two_secrets_are_good_during_rotation() -> None:
    """The newest and the one before it, and none before any was given out."""
    assert signing.live_secrets(MASTER, "north", 3) == [signing.derive_secret(MASTER, "north", each) for each in (3, 2)]
    assert signing.live_secrets(MASTER, "north", 0) == []
