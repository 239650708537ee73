"""`/v1/push/monitor`: whether copy is out, for the newsroom, with a key of scope `alerts`; and `/push/monitor`, a page that shows it."""

import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from publish.push.delivery.http import KeyedRoutes, json_response
from publish.push.delivery.keys import Key
from publish.push.monitor.watches import LAST, RED_AT, Publish, Seen, Sink, Watches
from shared.http.problem import Problem
from shared.http.query import check_query

SHOWN = 50
MISSED = {
    "page": "Readers of that address do not see what is published.",
    "cache": "Whoever reads Redis sees old text.",
    "webhook": "Partners do not get what is published.",
    "alert": "Readers are not alerted.",
    "cdn": "Shared caches go on answering with old text.",
}
"""What is missed while a sink of a kind is red."""
CONTENT_SECURITY_POLICY = "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


def sink_members(sink: Sink) -> dict[str, object]:
    """A sink as the newsroom sees it."""
    newest = sink.last[-1] if sink.last else None
    p95_s = sink.p95_s
    return {
        "sink": sink.name,
        "kind": sink.kind,
        "state": "red" if sink.red else "green" if sink.last else "unknown",
        "late": f"{sink.late} of the last {min(len(sink.last), LAST)}",
        "deadline_s": sink.deadline_s,
        "p95_s": round(p95_s, 3) if p95_s is not None else None,
        "watching": len(sink.open),
        "unwatched": sink.unwatched,
        "newest_at": _moment(newest.publish.at) if newest is not None else None,
        "missed": MISSED[sink.kind] if sink.red else "",
    }


def publish_members(
    publish: Publish, found: Mapping[str, Seen], sinks: Mapping[str, Sink], now: float
) -> dict[str, object]:
    """A publish and where it has come out."""

    def state(sink: Sink) -> dict[str, object] | None:
        if (done := found.get(sink.name)) is not None:
            return {"state": "late" if done.late else "out", "after_s": round(done.after_s, 3)}
        if publish.key in sink.open:
            return {"state": "waiting", "after_s": round(max(now - publish.at, 0.0), 3)}
        return None

    return {
        "update_id": publish.update_id,
        "revision": publish.revision,
        "headline": publish.headline,
        "removal": not publish.headline,
        "published_at": _moment(publish.at),
        "sinks": {name: value for name, sink in sinks.items() if (value := state(sink)) is not None},
    }


class MonitorRoutes:
    """The JSON, and the page around it, which has nothing to hide: it asks for the key."""

    def __init__(self, watches: Watches, keyed: KeyedRoutes, clock: Callable[[], float] = time.time) -> None:
        self._watches = watches
        self._keyed = keyed
        self._clock = clock

    def routes(self) -> list[Route]:
        """The JSON."""
        return [self._keyed.route("/v1/push/monitor", "GET", "alerts", self.state)]

    def pages(self) -> list[Route]:
        """The page and its script."""
        return [Route("/push/monitor", self.page), Route("/push/monitor.js", self.script)]

    async def state(self, request: Request, _: Key) -> Response:
        """How each sink is, and where the last publishes have come out; of one update with `update_id`."""
        update_id = request.query_params.get("update_id", "")
        if update_id and not re.fullmatch(r"[a-z2-7]{26}", update_id):
            raise Problem(400, "bad-parameter", "update_id: 26 characters of a-z and 2-7 are needed", field="update_id")
        sinks, now = self._watches.sinks, self._clock()
        return json_response(
            {
                "at": _moment(now),
                "red": sorted(each.name for each in sinks.values() if each.red),
                "rule": f"red at {RED_AT} late of the last {LAST}",
                "sinks": [sink_members(each) for each in sinks.values()],
                "publishes": [
                    publish_members(publish, seen, sinks, now)
                    for publish, seen in self._watches.newest(update_id)[:SHOWN]
                ],
            }
        )

    async def page(self, request: Request) -> Response:
        """The page."""
        check_query(request, ())
        return _static("monitor.html", "text/html; charset=utf-8")

    async def script(self, request: Request) -> Response:
        """The page's script."""
        check_query(request, ())
        return _static("monitor.js", "text/javascript; charset=utf-8")


def _static(name: str, content_type: str) -> Response:
    body = (files("publish.push") / "static" / name).read_bytes()
    headers = {
        "Cache-Control": "no-cache",
        "Content-Security-Policy": CONTENT_SECURITY_POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }
    return Response(body, headers=headers, media_type=content_type)
