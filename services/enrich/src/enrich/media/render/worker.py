"""A renderer of its own process: bytes in on standard input, renditions out on standard output, nothing else.

`python -I -m enrich.media.worker MEMORY_BYTES`. A request is a frame of JSON (`job`, `max_pixels`, `cpu_s`) and a frame
of bytes; an answer a frame of JSON (`refused`, or the facts of `Rendered`) and a frame for each rendition. A frame is
its length in four bytes, big end first, and its bytes. It ends when standard input does.
"""

import json
import os
import struct
import sys
from typing import IO, Any

from enrich.media.refusals import Refused
from enrich.media.render.render import prepare, render_avatar, render_picture, specimens
from enrich.media.render.sandbox import give_up_system_calls, limit, limit_cpu

JOBS = {"picture": render_picture, "avatar": render_avatar}


def main() -> None:
    """Serve requests until standard input ends."""
    limit(memory_bytes=int(sys.argv[1]))
    # Whatever a library prints must not be taken for an answer.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    requests = sys.stdin.buffer
    prepare()
    # Loads every codec and starts every thread that rendering needs, before files are out of reach.
    _warm_up()
    _send(answers, {"confined": give_up_system_calls()}, ())
    while (head := _read(requests)) is not None:
        request = json.loads(head)
        data = _read(requests) or b""
        limit_cpu(request["cpu_s"])
        facts, blobs = _answer(request, data)
        del data
        _send(answers, facts, blobs)


def _answer(request: dict[str, Any], data: bytes) -> tuple[dict[str, Any], list[bytes]]:
    try:
        rendered = JOBS[request["job"]](data, max_pixels=request["max_pixels"])
    except Refused as refusal:
        return {"refused": refusal.reason}, []
    except MemoryError:
        return {"refused": "it needs more memory than a picture may"}, []
    return rendered.facts(), [each.data for each in rendered.renditions]


def _warm_up() -> None:
    for data in specimens():
        render_picture(data, max_pixels=10_000)
    for charset in ("utf-8", "cp1252"):
        b"\xe9".decode(charset, "replace")


def _read(stream: IO[bytes]) -> bytes | None:
    head = stream.read(4)
    if len(head) < 4:
        return None
    return stream.read(struct.unpack(">I", head)[0])


def _send(stream: IO[bytes], facts: dict[str, Any], blobs: tuple[bytes, ...] | list[bytes]) -> None:
    for frame in (json.dumps(facts).encode(), *blobs):
        stream.write(struct.pack(">I", len(frame)))
        stream.write(frame)
    stream.flush()


if __name__ == "__main__":
    main()
