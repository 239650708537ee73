"""Reads the body of a request: whole, within its limits of size and time, decompressed."""

import asyncio
import zlib

from starlette.requests import ClientDisconnect, Request

from shared.problem import Problem

ENCODINGS = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}


def _too_large(limit: int) -> Problem:
    return Problem(
        413,
        "too-large",
        f"the body is larger than {limit} bytes",
        headers={"Connection": "close"},
        field="",
        limit_bytes=limit,
    )


class _Inflater:
    """Decompresses piece by piece and never holds more than the limit, however small the bomb."""

    def __init__(self, encoding: str, limit: int) -> None:
        self._wbits = ENCODINGS[encoding]
        self._stream = zlib.decompressobj(self._wbits)
        self._limit = limit
        self.size = 0

    def feed(self, piece: bytes) -> bytes:
        """What the piece holds."""
        parts: list[bytes] = []
        while piece:
            if self._stream.eof:
                # gzip files may be members put end to end (RFC 1952, section 2.2).
                self._stream = zlib.decompressobj(self._wbits)
            part = self._stream.decompress(piece, self._limit - self.size + 1)
            self.size += len(part)
            if self.size > self._limit:
                raise _too_large(self._limit)
            parts.append(part)
            piece = self._stream.unused_data if self._stream.eof else self._stream.unconsumed_tail
        return b"".join(parts)

    @property
    def whole(self) -> bool:
        """Whether the end was reached."""
        return self._stream.eof


def inflated(body: bytes, encoding: str, limit: int) -> bytes:
    """A whole body decompressed; a `Problem` where it is broken, cut short or larger than the limit."""
    inflater = _Inflater(encoding, limit)
    try:
        plain = inflater.feed(body)
    except zlib.error as error:
        raise Problem(400, "bad-encoding", f"the body is not {encoding}: {error}", field="Content-Encoding") from error
    if not inflater.whole:
        raise Problem(400, "truncated", f"the {encoding} body ends before its end", field="Content-Encoding")
    return plain


def encoding_of(request: Request) -> str:
    """The body's encoding; a `Problem` for one that is not read."""
    encoding = request.headers.get("content-encoding", "identity").strip().lower() or "identity"
    if encoding not in ENCODINGS and encoding != "identity":
        raise Problem(
            415, "unsupported-encoding", f"Content-Encoding {encoding[:50]!r} is not gzip or deflate",
            headers={"Accept-Encoding": "gzip, deflate"}, field="Content-Encoding",
        )  # fmt: skip
    return encoding


async def read_raw(request: Request, limit: int, timeout_s: float) -> bytes:
    """The bytes of the body as they come over the line; a `Problem` where they are too many or too slow."""
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared[:20]) > limit:
        raise _too_large(limit)
    pieces: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(timeout_s):
            async for piece in request.stream():
                size += len(piece)
                if size > limit:
                    raise _too_large(limit)
                pieces.append(piece)
    except TimeoutError as error:
        raise Problem(
            408,
            "too-slow",
            f"the body did not arrive within {timeout_s:g} s",
            field="",
            headers={"Connection": "close"},
        ) from error
    except ClientDisconnect as error:
        raise Problem(400, "truncated", "the connection ended before the body did", field="") from error
    return b"".join(pieces)


def plain(raw: bytes, encoding: str, limit: int) -> bytes:
    """What the sender meant by the bytes of the line: decompressed, and not empty."""
    body = inflated(raw, encoding, limit) if encoding != "identity" else raw
    if not body.strip():
        raise Problem(400, "empty", "the body is empty", field="")
    return body


async def read_body(request: Request, limit: int, timeout_s: float) -> bytes:
    """The body of a request as its sender meant it; a `Problem` for whatever is wrong with it."""
    encoding = encoding_of(request)
    return plain(await read_raw(request, limit, timeout_s), encoding, limit)
