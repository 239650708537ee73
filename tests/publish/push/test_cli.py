"""The commands around push, as an operator types them."""

import asyncio
import json
from typing import Any

import pytest
from click.testing import CliRunner

from publish.__main__ import cli
from publish.push.process import forget_old
from publish.push.settings import PushSettings
from shared.postgres.pool import Pool

pytestmark = pytest.mark.integration


async def test_an_operator_makes_a_key_and_an_endpoint_and_reads_the_log(settings: PushSettings, pool: Pool) -> None:
    """Keys are shown once, endpoints with their secret once; lists show no secret; mistakes are named and exit with 1."""
    env = {"POSTGRES_DSN": settings.postgres_dsn}

    async def run(*words: str) -> Any:
        return await asyncio.to_thread(CliRunner().invoke, cli, ["push", *words], env=env)

    async def said(*words: str) -> Any:
        result = await run(*words)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout.splitlines()[-1])

    key = await said("keys", "add", "partner", "--channel", "tag:sport")
    made = await said("endpoints", "add", key["id"], "https://partner.example/hook", "--kind", "correct")
    assert made["secret"].startswith("whsec_")
    listed = await said("endpoints", "list")
    assert (listed["id"], listed["kinds"], "secret" in listed) == (made["id"], ["correct"], False)
    assert key["key"] not in json.dumps(await said("keys", "list"))
    await said("endpoints", "test", made["id"])
    assert (await said("endpoints", "deliveries", made["id"]))["type"] == "endpoint.test"
    for words in (
        ("endpoints", "add", key["id"], "http://partner.example/hook"),
        ("endpoints", "add", key["id"], "https://partner.example/", "--kind", "x"),
        ("endpoints", "add", "key_none", "https://partner.example/"),
        ("endpoints", "test", "ep_none"),
        ("keys", "revoke", "key_none"),
    ):
        assert (await run(*words)).exit_code == 1
    assert (await run("keys", "revoke", key["id"])).exit_code == 0
    assert (await said("endpoints", "list"))["state"] == "disabled"
    assert (await run("endpoints", "remove", made["id"])).exit_code == 0
    assert (await run("alerts")).exit_code == 0
    assert len((await said("vapid"))["private"]) == 43


async def test_an_operator_mutes_a_story_and_lifts_it(settings: PushSettings, pool: Pool) -> None:
    """A mute wants a channel and a reason, has an end, says who; it is listed while it holds, and afterwards on demand."""
    env = {"POSTGRES_DSN": settings.postgres_dsn}

    async def run(*words: str) -> Any:
        return await asyncio.to_thread(CliRunner().invoke, cli, ["push", "mutes", *words], env=env)

    made = await run("add", "story:trial", "--reason", "jury is out", "--hours", "2", "--by", "Ann")
    mute = json.loads(made.stdout.splitlines()[-1])
    assert (mute["channel"], mute["muted_by"]) == ("story:trial", "Ann")
    assert json.loads((await run("list")).stdout.splitlines()[-1])["id"] == mute["id"]
    for words in (("add", "trial", "--reason", "x"), ("add", "news"), ("add", "news", "--reason", " "), ("lift", "99")):
        assert (await run(*words)).exit_code != 0
    assert json.loads((await run("lift", str(mute["id"]), "--by", "Ben")).stdout.splitlines()[-1])["lifted_by"] == "Ben"
    assert "jury" not in (await run("list")).stdout
    assert "jury" in (await run("list", "--ended")).stdout


async def test_only_what_ended_long_ago_is_forgotten(pool: Pool) -> None:
    """Logs past their days go; what waits stays however old it is."""
    await pool.execute("INSERT INTO publish.endpoints (id, kind, url, channels) VALUES ('e', 'webhook', 'x', '{}')")
    await pool.execute(
        "INSERT INTO publish.deliveries (endpoint_id, message_id, type, order_key, state, ended_at, created_at) "
        "SELECT 'e', s, '', '', s, CASE WHEN s <> 'waiting' THEN now() - d * interval '1 day' END, now() - interval '90 days' "
        "FROM unnest(ARRAY['waiting', 'delivered', 'failed'], ARRAY[0, 20, 3]) AS t (s, d)"
    )
    await forget_old(pool, 14)
    rows = await pool.fetch("SELECT state FROM publish.deliveries ORDER BY state")
    assert [row["state"] for row in rows] == ["failed", "waiting"]
