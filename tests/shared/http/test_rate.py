"""Limits of rates."""

import pytest
from starlette.requests import Request

from shared.http.problem import Problem
from shared.http.proxies import TrustedProxies, networks
from shared.http.rate import MAX_BUCKETS, RateLimit, TokenBuckets


def asked(peer: str, forwarded: str = "") -> Request:
    """A request from a peer."""
    headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
    return Request({"type": "http", "client": (peer, 1), "headers": headers})


def test_a_rate_is_for_each_client_and_says_when_to_come_back() -> None:
    """Past the rate 429 with the seconds until the next; others, told apart by our proxy, are not touched; time gives back."""
    now = 0.0
    rate = RateLimit(6, TrustedProxies(networks("10.0.0.0/8")), lambda: now)
    for _ in range(6):
        rate.check(asked("10.0.0.1", "1.2.3.4"))
    with pytest.raises(Problem) as refused:
        rate.check(asked("10.0.0.1", "1.2.3.4"))
    assert (refused.value.status, refused.value.headers["Retry-After"]) == (429, "10")
    with pytest.raises(Problem):
        rate.check(asked("1.2.3.4", "9.9.9.9"))
    rate.check(asked("10.0.0.1", "1.2.3.5"))
    now = 10.0
    rate.check(asked("10.0.0.1", "1.2.3.4"))


def test_waiting_costs_no_token_and_strangers_no_memory() -> None:
    """Who asks again too early waits no longer for it; of many keys the oldest are forgotten."""
    now = 0.0
    buckets = TokenBuckets(lambda: now)
    assert [buckets.wait_s("a", per_s=0.5, burst=1) for _ in range(3)] == [0, 2, 2]
    now = 2.0
    assert buckets.wait_s("a", per_s=0.5, burst=1) == 0
    for number in range(MAX_BUCKETS):
        buckets.wait_s(str(number), per_s=1, burst=1)
    assert buckets.wait_s("a", per_s=0.5, burst=1) == 0
