"""From the log to the channels of push: once, however often a revision is emitted."""

from typing import Any

import orjson
import pytest

from publish.push.delivery import keys
from publish.push.process import serve
from publish.push.settings import PushSettings
from publish.push.webhooks.endpoints import Endpoints, NewEndpoint
from shared.postgres.pool import Pool
from support.push import Device, fresh, subscribe
from support.revisions import emit, running
from support.waiting import eventually

pytestmark = pytest.mark.integration


@pytest.mark.usefixtures("site")
async def test_a_repeat_is_pushed_to_nobody_however_old(
    settings: PushSettings, pool: Pool, recipients: Any, key: keys.Key
) -> None:
    """What was pushed is forgotten after a while, and what was archived before there was a push process never was: a record
    that repeats it is no news, and alerts nobody."""
    device = Device.new(f"{recipients.url}/device")
    await subscribe(pool, device, break_through=0)
    await Endpoints(pool, allow_private=True).add(NewEndpoint(url=f"{recipients.url}/hook"), key)
    first, second = fresh("a", 1, urgency=2), fresh("a", 2, urgency=2, kind="correct")
    async with running(lambda stop: serve(settings, stop)):
        await emit(settings, [first, second])
        await eventually(lambda: recipients.at("/hook"), lambda got: len(got) == 2)
        await eventually(lambda: recipients.at("/device"))
        await pool.execute("DELETE FROM publish.pushed")
        recipients.got.clear()
        await emit(settings, [first, second, fresh("b", 1, urgency=2)])
        await eventually(lambda: (recipients.at("/hook"), recipients.at("/device")), all)
    assert [orjson.loads(each.body)["data"]["headline"] for each in recipients.at("/hook")] == ["b 1"]
    assert [device.read(each)["title"] for each in recipients.at("/device")] == ["b 1"]
