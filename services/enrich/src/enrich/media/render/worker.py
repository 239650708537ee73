"""A renderer of its own process: bytes in on standard input, renditions out on standard output, nothing else.

`python -I -m enrich.media.render.worker MEMORY_BYTES`. A job is JSON (`job`, `max_pixels`, `cpu_s`) and the picture's
bytes; its answer is JSON (`refused`, or the facts of `Rendered`) and a frame for each rendition.
"""

import json
import sys
from typing import Any

from enrich.media.refusals import Refused
from enrich.media.render.render import prepare, render_avatar, render_picture, specimens
from enrich.media.render.sandbox import give_up_system_calls, limit, limit_cpu
from shared.worker_processes.child import serve

JOBS = {"picture": render_picture, "avatar": render_avatar}


def main() -> None:
    """Serve requests until standard input ends."""
    limit(memory_bytes=int(sys.argv[1]))
    serve(_ready, _answer_frames)


def _ready() -> bytes:
    prepare()
    # Loads every codec and starts every thread that rendering needs, before files are out of reach.
    _warm_up()
    return json.dumps({"confined": give_up_system_calls()}).encode()


def _answer_frames(request: bytes, data: bytes) -> list[bytes]:
    wanted = json.loads(request)
    limit_cpu(wanted["cpu_s"])
    facts, blobs = _answer(wanted, data)
    return [json.dumps(facts).encode(), *blobs]


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


if __name__ == "__main__":
    main()
