"""Reads the body of a request: whole, within its limits of size and time, decompressed."""

import asyncio
import io
import zlib

from starlette.requests import ClientDisconnect, Request

from shared.http.problem import Problem

ENCODINGS = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}

PIECE_BYTES = 4096
"""The rest of a piece is copied for each gzip member that ends in it, so a piece must be small."""

MAX_MEMBERS = 100_000
"""An empty member has 20 bytes and takes two microseconds; loggers that write one for each line have thousands."""

INLINE_BYTES = 1024
"""At most a megabyte once decompressed (deflate shrinks to a thousandth at best), which takes a millisecond."""


def _too_large(limit: int) -> Problem:
    return Problem(
        413,
        "too-large",
        f"the body is larger than {limit} bytes",
        headers={"Connection": "close"},
        field="",
        limit_bytes=limit,
    )


def inflated(body: bytes, encoding: str, limit: int) -> bytes:
    """A whole body decompressed; a `Problem` where it is broken, cut short or larger than the limit.

    gzip files may be members put end to end (RFC 1952, section 2.2). Linear in the body, and never more than the limit
    is held, however small the bomb.
    """
    wbits = ENCODINGS[encoding]
    stream = zlib.decompressobj(wbits)
    members, whole = 1, io.BytesIO()
    try:
        for start in range(0, len(body), PIECE_BYTES):
            piece = body[start : start + PIECE_BYTES]
            while piece:
                if stream.eof:
                    members += 1
                    if members > MAX_MEMBERS:
                        raise Problem(
                            400, "bad-encoding", f"more than {MAX_MEMBERS} {encoding} members", field="Content-Encoding"
                        )
                    stream = zlib.decompressobj(wbits)
                whole.write(stream.decompress(piece, limit - whole.tell() + 1))
                if whole.tell() > limit:
                    raise _too_large(limit)
                piece = stream.unused_data
    except zlib.error as error:
        raise Problem(400, "bad-encoding", f"the body is not {encoding}: {error}", field="Content-Encoding") from error
    if not stream.eof:
        raise Problem(400, "truncated", f"the {encoding} body ends before its end", field="Content-Encoding")
    return whole.getvalue()


async def inflate_in_background(body: bytes, encoding: str, limit: int) -> bytes:
    """The same, in a thread where it may take so long that other requests would wait."""
    if len(body) <= INLINE_BYTES:
        return inflated(body, encoding, limit)
    return await asyncio.to_thread(inflated, body, encoding, limit)


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
    """The bytes of the body as they were sent; a `Problem` where they are too many or too slow."""
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared[:20]) > limit:
        raise _too_large(limit)
    # Joining pieces would hold a body twice for a moment; what a BytesIO holds becomes its value without a copy.
    body = io.BytesIO()
    try:
        async with asyncio.timeout(timeout_s):
            async for piece in request.stream():
                if body.tell() + len(piece) > limit:
                    raise _too_large(limit)
                body.write(piece)
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
    return body.getvalue()


async def decoded(raw: bytes, encoding: str, limit: int, *, may_be_empty: bool = False) -> bytes:
    """A body as its sender meant it: decompressed, and not empty unless it may be."""
    body = await inflate_in_background(raw, encoding, limit) if encoding != "identity" and raw else raw
    if not may_be_empty and (not body or body.isspace()):
        raise Problem(400, "empty", "the body is empty", field="")
    return body


async def read_body(request: Request, limit: int, timeout_s: float, *, may_be_empty: bool = False) -> bytes:
    """The body of a request as its sender meant it; a `Problem` for whatever is wrong with it."""
    encoding = encoding_of(request)
    return await decoded(await read_raw(request, limit, timeout_s), encoding, limit, may_be_empty=may_be_empty)
