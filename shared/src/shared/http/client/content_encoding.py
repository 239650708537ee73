"""Decompresses the body of a response, within limits."""

import zlib
from collections.abc import AsyncIterator

from shared.http.client.errors import RequestFailed, RequestRefused

INFLATED_BYTES = 256 * 1024
PIECE_BYTES = 4096
"""What follows a gzip member is copied for each member, so it must be little."""
MAX_MEMBERS = 100_000
GZIP_MAGIC = b"\x1f\x8b"


async def inflated(chunks: AsyncIterator[bytes], max_bytes: int) -> AsyncIterator[bytes]:
    """gzip or deflate, a bounded piece at a time.

    What comes in is counted too, since a header or empty blocks without end give nothing out. gzip members may follow each
    other (RFC 1952, section 2.2); whatever else follows the end is not read.
    """
    inflater = zlib.decompressobj(wbits=47)
    received, members = 0, 1
    async for chunk in chunks:
        received += len(chunk)
        if received > max_bytes:
            raise RequestRefused(f"too large: the response has more than {max_bytes:,} bytes before decompression")
        for start in range(0, len(chunk), PIECE_BYTES):
            rest = chunk[start : start + PIECE_BYTES]
            while rest:
                if inflater.eof:
                    members += 1
                    if not GZIP_MAGIC.startswith(rest[:2]) or members > MAX_MEMBERS:
                        return
                    inflater = zlib.decompressobj(wbits=31)
                try:
                    part = inflater.decompress(rest, INFLATED_BYTES)
                except zlib.error as error:
                    raise RequestRefused(f"its content encoding is damaged: {error}") from error
                if part:
                    yield part
                rest = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
    if received and not inflater.eof:
        raise RequestFailed("the content encoding ends before its time")
