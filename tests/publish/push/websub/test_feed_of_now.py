"""What a subscriber is sent: the feed once it shows what has changed, and not before."""

import json
from datetime import UTC, datetime
from typing import Any, cast

from publish.push.delivery.outbound import Answer, Outbound
from publish.push.delivery.queue import DeliveryRequest, DueDelivery, Postponed
from publish.push.websub.feeds import FeedDistribution

SITE, WEB, HUB = "https://news.example", "http://web:8080", "https://push.example/websub"


class Web:
    """A replica of the site that is at a place of the log."""

    def __init__(self, cursor: str) -> None:
        self._cursor = cursor

    async def send(self, method: str, url: str, **_: Any) -> Answer:
        """Its cursor, or its feed."""
        if url.startswith(f"{WEB}/v1/updates?"):
            return Answer(200, body=json.dumps({"cursor": self._cursor}).encode())
        assert url.startswith(f"{WEB}/feeds/news.rss?")
        return Answer(200, headers={"Content-Type": "application/rss+xml"}, body=f"feed at {self._cursor}".encode())


def due(number: int, place: str) -> DueDelivery:
    """A delivery that waits until the feed shows what is at a place of the log."""
    return DueDelivery(
        number, "e1", f"feed_{number}", "websub", "", 0, place, 0, datetime.now(UTC), "websub", "https://reader.example",
        f"{SITE}/feeds/news.rss", [], 0, None, None,
    )  # fmt: skip


async def test_a_feed_of_before_the_change_is_not_sent() -> None:
    """A replica that has not reached the change is asked again; what it has reached leaves."""
    distribution = FeedDistribution(cast("Outbound", Web("1-7")), site_url=SITE, web_url=WEB, hub_url=HUB)
    made = await distribution.build([due(1, "1-6"), due(2, "1-7"), due(3, "1-8"), due(4, "2-0")])
    assert {number for number, each in made.items() if isinstance(each, DeliveryRequest)} == {1, 2}
    for number in (1, 2):
        sent = made[number]
        assert isinstance(sent, DeliveryRequest)
        assert sent.body == b"feed at 1-7"
    assert isinstance(made[3], Postponed)
    assert isinstance(made[4], Postponed), "a new epoch is after all places of the old one"
