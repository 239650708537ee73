"""The program of a renderer: pictures come on standard input, renditions go to standard output.

`python -I -m enrich.media.render.worker MEMORY_BYTES`. A job is JSON (`job`, `max_pixels`, `cpu_s`) and the picture's
bytes; its answer is JSON (`refused`, or the facts of `Rendered`) and a frame for each rendition.
"""

import json
import sys
from typing import Literal, NotRequired, TypedDict

from enrich.media.errors import PictureRefused
from enrich.media.render import credentials
from enrich.media.render.render import render_avatar, render_picture, restrict_loaders, sample_pictures
from enrich.media.render.sandbox import deny_system_calls, limit, limit_cpu
from enrich.picture_index.embedded import Embedded
from shared.worker_processes.child import serve


class Request(TypedDict):
    """What to render, and within which limits."""

    job: Literal["picture", "avatar"]
    max_pixels: int
    cpu_s: float
    wire: NotRequired[dict[str, str]]
    """What the source says beside the picture, by the names of `Embedded`."""
    trusted: NotRequired[str]


def main() -> None:
    """Serve requests until standard input ends."""
    limit(memory_bytes=int(sys.argv[1]))
    serve(_ready, _answer_frames)


def _ready() -> bytes:
    restrict_loaders()
    # Loads every codec and starts every thread that rendering needs, while files can still be opened.
    _warm_up()
    return json.dumps({"confined": deny_system_calls()}).encode()


def _answer_frames(request: bytes, data: bytes) -> list[bytes]:
    wanted: Request = json.loads(request)
    limit_cpu(wanted["cpu_s"])
    facts, blobs = _render(wanted, data)
    return [json.dumps(facts).encode(), *blobs]


def _render(request: Request, data: bytes) -> tuple[dict[str, object], list[bytes]]:
    try:
        if request["job"] == "avatar":
            rendered = render_avatar(data, max_pixels=request["max_pixels"])
        else:
            wire = Embedded(**request.get("wire", {}))
            rendered = render_picture(
                data, max_pixels=request["max_pixels"], wire=wire, trusted=request.get("trusted", "")
            )
    except PictureRefused as error:
        return {"refused": error.reason}, []
    except MemoryError:
        return {"refused": "it needs more memory than a picture may"}, []
    return rendered.facts(), [each.data for each in rendered.renditions]


def _warm_up() -> None:
    credentials.warm_up()
    for data in sample_pictures():
        render_picture(data, max_pixels=10_000)
    for charset in ("utf-8", "cp1252"):
        b"\xe9".decode(charset, "replace")


if __name__ == "__main__":
    main()
