"""How often somebody may ask the API, and how that is told."""

from datetime import UTC, datetime

import httpx
import pytest
from prometheus_client import REGISTRY
from starlette.types import Receive, Scope, Send

from publish.keys import KEYS
from publish.settings import Settings
from publish.web.quota import MAX_PARTNERS, ApiQuotas, scope_of
from shared.access.key import Key, digest_of
from shared.access.ring import KeyRing

HEAD = [(b"content-type", b"application/json"), (b"ratelimit-test", b"1")]


async def ready(scope: Scope, receive: Receive, send: Send) -> None:
    """An answer that is kept, whose head is the same list for every reader."""
    await send({"type": "http.response.start", "status": 200, "headers": HEAD})
    await send({"type": "http.response.body", "body": b"{}"})


def partner(key_id: str, scopes: tuple[str, ...] = ("read",), per_minute: int | None = None, holder: str = "") -> Key:
    more = {"channels": ["news"], "per_minute": per_minute}
    made = datetime(2026, 11, 28, tzinfo=UTC)
    return Key(key_id, "partner", holder or key_id, "", frozenset(scopes), "", made, lineage=key_id, more=more)


class Api:
    """The API with a clock of its own."""

    def __init__(self, per_minute: int = 3, **keys: Key) -> None:
        self.now = 0.0
        ring = KeyRing(KEYS, fixed={digest_of(text): key for text, key in keys.items()})
        ring._loaded_at = 0.0
        settings = Settings(publish_api_per_minute=per_minute, publish_api_partner_per_minute=60)
        self.app = ApiQuotas(ready, settings, ring, lambda: None, clock=lambda: self.now)

    async def get(
        self, path: str = "/v1/updates", key: str = "", address: str = "192.0.2.1", method: str = "GET"
    ) -> httpx.Response:
        """One request."""
        transport = httpx.ASGITransport(self.app, client=(address, 1))
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        async with httpx.AsyncClient(transport=transport, base_url="http://api.test") as client:
            return await client.request(method, path, headers=headers)


async def test_without_a_key_an_address_has_a_quota() -> None:
    """Told on every answer; used up, 429 says when to come again. Another address has its own, streams and pages have none."""
    api = Api()
    told = [await api.get() for _ in range(4)]
    assert [each.status_code for each in told] == [200, 200, 200, 429]
    assert [each.headers["ratelimit"] for each in told] == [
        '"public";r=2;t=20', '"public";r=1;t=40', '"public";r=0;t=60', '"public";r=0;t=60',
    ]  # fmt: skip
    assert {each.headers["ratelimit-policy"] for each in told} == {'"public";q=3;w=60'}
    assert (told[3].headers["retry-after"], told[3].json()["code"]) == ("20", "quota-used-up")
    assert told[3].headers["access-control-allow-origin"] == "*"
    assert HEAD == [(b"content-type", b"application/json"), (b"ratelimit-test", b"1")]
    api.now = 20.0
    assert (await api.get()).status_code == 200
    assert (await api.get(address="192.0.2.2")).status_code == 200
    for path in ("/v1/poll", "/v1/since", "/v1/stream", "/", "/feeds/news.rss"):
        assert "ratelimit" not in (await api.get(path)).headers
    assert (await api.get(method="OPTIONS")).status_code == 200
    # A proxy of ours that names no client speaks for many; push asks of every revision whether it can be read.
    for inside in ("127.0.0.1", "10.1.2.3", "172.20.0.7", "fd00::1"):
        assert [(await api.get(address=inside)).status_code for _ in range(5)] == [200] * 5


async def test_a_key_has_a_quota_of_its_own_wherever_it_is_used() -> None:
    """Its own number, or the default of partners; a key that took its place shares it."""
    rotated = partner("key_2", per_minute=2)
    api = Api(first=partner("key_1"), second=rotated)
    assert (await api.get(key="first")).headers["ratelimit-policy"] == '"partner";q=60;w=60'
    used = [(await api.get(key="second", address=f"192.0.2.{number}")).status_code for number in (1, 2, 3)]
    assert used == [200, 200, 429]
    assert (await api.get()).headers["ratelimit"] == '"public";r=2;t=20'


@pytest.mark.parametrize(
    ("path", "scope"),
    [("/v1/updates", "read"), ("/v1/updates/a.ninjs", "read"), ("/v1/updates/a/revisions", "revisions"), ("/v1/search", "search")],
)  # fmt: skip
async def test_a_key_opens_what_its_scopes_say(path: str, scope: str) -> None:
    """Anything else is refused, though it were open without a key: a partner who sends one counts on its quota."""
    assert scope_of(path) == scope
    api = Api(
        right=partner("key_1", (scope,)), other=partner("key_2", ("webhooks",)), all=partner("key_3", ("operate",))
    )
    assert [(await api.get(path, key)).status_code for key in ("right", "other", "all")] == [200, 403, 200]


async def test_wrong_keys_are_refused_and_then_limited() -> None:
    """Nobody learns by them that a right one would be right."""
    api = Api(right=partner("key_1"))
    answers = [await api.get(key=f"guess-{number}") for number in range(21)]
    assert {each.status_code for each in answers[:20]} == {401}
    assert answers[0].headers["www-authenticate"] == 'Bearer realm="slugline api"'
    assert (answers[20].status_code, answers[20].json()["code"]) == (429, "too-many-wrong-keys")
    assert (await api.get(key="right")).status_code == 429
    assert (await api.get(key="right", address="192.0.2.9")).status_code == 200
    assert all("guess" not in each.text for each in answers)


async def test_while_postgres_is_away_known_keys_work_and_others_are_told_to_wait() -> None:
    """A key that is not known may be a new one: 503, not that it is wrong."""

    class Away:
        async def fetch(self, *_: object) -> list[object]:
            raise ConnectionError("Postgres is away")

    api = Api(right=partner("key_1"))
    api.app._pool = Away  # type: ignore[assignment]
    assert [(await api.get(key=key)).status_code for key in ("right", "new")] == [200, 503]


async def test_usage_is_counted_by_partner_and_the_labels_are_bounded() -> None:
    """A metric says how much each partner asks, and never grows without end."""
    keys = {f"k{number}": partner(f"key_{number}", holder=f"partner {number}") for number in range(MAX_PARTNERS + 5)}
    api = Api(**keys)

    def counted(name: str) -> float:
        return (
            REGISTRY.get_sample_value(
                "slugline_api_requests_total", {"partner": name, "scope": "read", "status": "2xx"}
            )
            or 0
        )

    before = counted("other")
    for text in keys:
        assert (await api.get(key=text)).status_code == 200
    assert (counted("partner 0"), counted(f"partner {MAX_PARTNERS}"), counted("other") - before) == (1, 0, 5)
