"""Scripts, style sheet, icon and service worker: small, in memory, under addresses that change with their content."""

import gzip
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import chain

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shared.http.problem import Problem
from shared.http.query import with_query

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".txt": "text/plain; charset=utf-8",
}


LIVE_PAGE = "live-page.js"
BUNDLED = (
    ("words.js",),
    ("times.js",),
    ("ladder.js", "live.js"),
    ("page.js", "top.js", "lists.js"),
    ("reading.js",),
    ("embeds.js",),
    ("polls.js",),
)
"""What `LIVE_PAGE` is made of, in this order: one request for a page. Each group has its own names but the first, whose are for all."""
SCRIPTS = (*chain.from_iterable(BUNDLED), "push.js")
"""The scripts that say something to readers."""
NO_WORDS = b"const WORDS = {};"
"""Where the words of the site's language go in a script that pages of others load."""
FOLDERS = ("publish.web", "publish.push")
SERVICE_WORKER = "sw.js"
"""Served at the root too: a worker's reach is the folder that it comes from."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is served."""

    body: bytes
    content_type: str
    digest: str
    zipped: bytes


class Assets:
    """The files of `static/`, this channel's and those that alerts need in the page."""

    def __init__(self) -> None:
        self.files: dict[str, Asset] = {}
        self._own: dict[str, bytes] = {}
        for entry in (each for package in FOLDERS for each in (files(package) / "static").iterdir()):
            suffix = entry.name[entry.name.rfind(".") :]
            if suffix in TYPES:
                self._add(entry.name, entry.read_bytes(), TYPES[suffix])
        for name in ("times.js", "push.js"):
            self._add(name, _together([self.files["words.js"].body, self.files[name].body]), TYPES[".js"])
        self._add(
            "page.css", b"".join(self._own[name] for name in ("page.css", "parts.css", "blocks.css")), TYPES[".css"]
        )
        self._add(
            LIVE_PAGE, _together([b"\n".join(self._own[name] for name in names) for names in BUNDLED]), TYPES[".js"]
        )

    def _add(self, name: str, body: bytes, content_type: str) -> None:
        self._own.setdefault(name, body)
        self.files[name] = _asset(body, content_type)

    def in_words(self, name: str, words: str) -> Asset:
        """A script that has its words in itself, with those of the site's language: for pages that have none of ours."""
        body = self.files[name].body.replace(NO_WORDS, f"const WORDS = {words};".encode(), 1)
        return _asset(body, TYPES[".js"])

    def address(self, name: str) -> str:
        """Where a page finds a file; a new version has a new address, so that caches keep each for ever."""
        return f"/static/{name}?v={self.files[name].digest}"

    def routes(self) -> list[Route]:
        """Where each file is."""
        return [
            Route("/static/{name}", with_query(self.serve, "v")),
            Route(f"/{SERVICE_WORKER}", with_query(self.serve, "v", "push")),
        ]

    async def serve(self, request: Request) -> Response:
        """One file; for ever where it is asked by the address of its present content."""
        asset = self.files.get(request.path_params.get("name", SERVICE_WORKER))
        if asset is None:
            raise Problem(404, "not-found", "there is no such file")
        newest = request.query_params.get("v") == asset.digest
        headers = {
            "Cache-Control": "public, max-age=31536000, immutable" if newest else "public, max-age=0, must-revalidate",
            "ETag": f'"{asset.digest}"',
            "X-Content-Type-Options": "nosniff",
            "Vary": "Accept-Encoding",
        }
        if asset.digest in request.headers.get("if-none-match", ""):
            return Response(None, 304, headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
            return Response(asset.zipped, 200, headers, asset.content_type)
        return Response(asset.body, 200, headers, asset.content_type)


def _asset(body: bytes, content_type: str) -> Asset:
    return Asset(body, content_type, hashlib.sha256(body).hexdigest()[:16], gzip.compress(body, 9, mtime=0))


def _together(scripts: Sequence[bytes]) -> bytes:
    """Modules as one: names of the first are seen by all, those of each other by itself alone."""
    first, *others = scripts
    return b"\n".join([first, *(b"{\n" + each + b"\n}" for each in others)])
