"""Rendered answers are kept as bytes until something they show has changed, and are sent before routing."""

import gzip
import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from urllib.parse import quote, unquote_plus

from prometheus_client import Counter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from publish.web.feed_store import FeedStore
from publish.web.partner.negotiation import PREFIX, negotiated
from shared.http.problem import Problem, problem_response

ANSWERS = Counter(
    "slugline_web_answers", "Answers to readers: ready ones as they were, others by their route", ["by", "status"]
)
READY = {status: ANSWERS.labels("ready", str(status)) for status in (200, 304)}

KEPT = 4000
KEPT_BYTES = 32 * 1024 * 1024
ANSWER_BYTES = 2048
"""What a kept answer takes beside its body and its address: headers, tag, its place in the table."""
CURSOR_SLACK = 500
"""A page that prints a cursor is rendered again once the log is that far ahead: its stream would be replayed too much."""
GZIP_LEVEL = 5
SMALL = 600

Header = tuple[bytes, bytes]


class ReadyAnswer:
    """A whole answer: body, strong ETag, headers. `channel` names what it shows; one that is not `whole` is never kept.

    `beside` are other channels of which it shows something.
    """

    __slots__ = (
        "beside", "body", "channel", "fresh_s", "generation", "head", "head_304", "head_gzip", "offset", "until", "whole", "zipped",
    )  # fmt: skip

    def __init__(
        self,
        body: bytes,
        content_type: str,
        headers: Sequence[Header] = (),
        *,
        channel: str = "",
        whole: bool = True,
        fresh_s: float | None = None,
    ) -> None:
        self.body = body
        self.channel = channel
        self.beside: tuple[str, ...] = ()
        self.whole = whole
        self.fresh_s = fresh_s
        self.zipped: bytes | None = None
        self.generation = -1
        self.offset = 0
        self.until: float | None = None
        tag = hashlib.blake2b(body, digest_size=12).hexdigest().encode()
        shared = [*headers, (b"vary", b"accept-encoding")]
        if channel:
            # What a kill or a correction purges from caches that take keys.
            shared.append((b"surrogate-key", quote(channel, safe=":").encode()))
        self.head_304: list[Header] = [(b"etag", b'"%b"' % tag), *shared]
        self.head: list[Header] = [
            (b"content-type", content_type.encode()),
            (b"content-length", b"%d" % len(body)),
            *self.head_304,
        ]
        self.head_gzip: list[Header] = [
            (b"content-type", content_type.encode()),
            (b"content-encoding", b"gzip"),
            (b"etag", b'"%b-gzip"' % tag),
            *shared,
        ]

    def zip(self) -> bytes:
        """The body, compressed once for all who take it so."""
        if self.zipped is None:
            self.zipped = gzip.compress(self.body, GZIP_LEVEL, mtime=0)
            self.head_gzip.append((b"content-length", b"%d" % len(self.zipped)))
        return self.zipped

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> int:  # noqa: ARG002
        """ReadyAnswer a request, with 304 where the reader has it already (RFC 9110, section 13.1.2): the status."""
        known = accepts = b""
        for name, value in scope["headers"]:
            if name == b"if-none-match":
                known = value
            elif name == b"accept-encoding":
                accepts = value
        zipped = b"gzip" in accepts and len(self.body) > SMALL and b"gzip;q=0" not in accepts.replace(b" ", b"")
        if known:
            tag = self.head_304[0][1][1:-1]
            if known.strip() == b"*" or tag in known:
                head = self.head_304
                if zipped:
                    head = [(b"etag", b'"%b-gzip"' % tag), *head[1:]]
                await send({"type": "http.response.start", "status": 304, "headers": head})
                await send({"type": "http.response.body"})
                return 304
        body = self.zip() if zipped else self.body
        await send({"type": "http.response.start", "status": 200, "headers": self.head_gzip if zipped else self.head})
        await send({"type": "http.response.body", "body": body if scope["method"] != "HEAD" else b""})
        return 200


BEGAN = "slugline.began"
"""In a request's scope: the newest generation of when it came."""
ALWAYS = ("/livez", "/readyz", "/metrics", "/static/")
"""What is answered by a replica that has just started, too."""


class ResponseCache:
    """The ASGI application before the routes: what is ready leaves at once."""

    def __init__(
        self, app: ASGIApp, feed_store: FeedStore, *, ignored: Callable[[str], bool] = lambda _: False
    ) -> None:
        """`ignored` says which query parameters others add to addresses without changing what is shown."""
        self.app = app
        self.feed_store = feed_store
        self._ignored = ignored
        self.why_not: Callable[[], str | None] = lambda: None
        """Why nothing may be answered yet: until the log is read to its end once, what it took away could be shown."""
        self._ready: OrderedDict[tuple[str, bytes], ReadyAnswer] = OrderedDict()
        self._bytes = 0

    @property
    def kept_bytes(self) -> int:
        """What the kept answers take at the most: each with its address, and as if its compressed body were as large."""
        return self._bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve from what is ready, else by the routes."""
        if scope["type"] == "http" and not scope["path"].startswith(ALWAYS) and (reason := self.why_not()) is not None:
            ANSWERS.labels("route", "503").inc()
            problem = Problem(503, "starting", f"this replica has just started: {reason}", headers={"Retry-After": "1"})
            await problem_response(problem)(scope, receive, send)
            return
        if scope["type"] == "http" and scope["method"] in ("GET", "HEAD"):
            if (
                scope["path"].startswith(PREFIX)
                and (path := negotiated(scope["path"], scope["headers"])) != scope["path"]
            ):
                scope = {**scope, "path": path}
            answer = self.ready(scope["path"], scope["query_string"])
            if answer is None and scope["query_string"]:
                query = without(scope["query_string"], self._ignored)
                if query != scope["query_string"]:
                    scope = {**scope, "query_string": query}
                    answer = self.ready(scope["path"], query)
            if answer is not None:
                READY[await answer(scope, receive, send)].inc()
                return

            scope[BEGAN] = self.feed_store.newest_generation

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                ANSWERS.labels("route", str(message["status"])).inc()
            await send(message)

        await self.app(scope, receive, counted)

    def ready(self, path: str, query: bytes) -> ReadyAnswer | None:
        """The answer that was kept and is still true."""
        key = (path, query)
        answer = self._ready.get(key)
        if answer is None:
            return None
        feed_store = self.feed_store
        if (
            answer.generation != self._generation(answer)
            or feed_store.cursor.offset - answer.offset > CURSOR_SLACK
            or (answer.until is not None and time.monotonic() > answer.until)
        ):
            del self._ready[key]
            self._bytes -= _weight(key, answer)
            return None
        return answer

    def _generation(self, answer: ReadyAnswer) -> int:
        """Generations only grow, so that the newer of two moves whenever either does."""
        generation = self.feed_store.generation
        return (
            max(generation(answer.channel), *map(generation, answer.beside))
            if answer.beside
            else generation(answer.channel)
        )

    def keep(self, path: str, query: bytes, answer: ReadyAnswer, began: int | None = None) -> ReadyAnswer:
        """Keep an answer for its next reader; those that were not asked for longest make room.

        `began` is the newest generation of when it was begun to be made: what has changed since, while the archive was asked, may be
        on it or not.
        """
        if not (answer.whole and answer.channel):
            return answer
        answer.generation = self._generation(answer)
        if began is not None and answer.generation > began:
            return answer
        answer.offset = self.feed_store.cursor.offset
        answer.until = None if answer.fresh_s is None else time.monotonic() + answer.fresh_s
        key = (path, query)
        previous = self._ready.pop(key, None)
        self._bytes += _weight(key, answer) - (_weight(key, previous) if previous else 0)
        self._ready[key] = answer
        while len(self._ready) > KEPT or self._bytes > KEPT_BYTES:
            oldest = self._ready.popitem(last=False)
            self._bytes -= _weight(*oldest)
        return answer


def _weight(key: tuple[str, bytes], answer: ReadyAnswer) -> int:
    return len(key[0].encode()) + len(key[1]) + 2 * len(answer.body) + ANSWER_BYTES


def without(query: bytes, ignored: Callable[[str], bool]) -> bytes:
    """A query string without the parameters that are ignored; what is left stays as it is."""
    parts = query.split(b"&")
    kept = [part for part in parts if not ignored(unquote_plus(part.partition(b"=")[0].decode("latin-1")))]
    return query if len(kept) == len(parts) else b"&".join(kept)
