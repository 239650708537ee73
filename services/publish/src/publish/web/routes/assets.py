"""Scripts, style sheet, icon and service worker: small, in memory, under addresses that change with their content."""

import hashlib
from dataclasses import dataclass
from importlib.resources import files

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


FOLDERS = ("publish.web", "publish.push")
SERVICE_WORKER = "sw.js"
"""Served at the root too: a worker's reach is the folder that it comes from."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is served."""

    body: bytes
    content_type: str
    digest: str


class Assets:
    """The files of `static/`, this channel's and those that alerts need in the page."""

    def __init__(self) -> None:
        self.files: dict[str, Asset] = {}
        for entry in (each for package in FOLDERS for each in (files(package) / "static").iterdir()):
            suffix = entry.name[entry.name.rfind(".") :]
            if suffix in TYPES:
                body = entry.read_bytes()
                self.files[entry.name] = Asset(body, TYPES[suffix], hashlib.sha256(body).hexdigest()[:16])

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
        }
        if asset.digest in request.headers.get("if-none-match", ""):
            return Response(None, 304, headers)
        return Response(asset.body, 200, headers, asset.content_type)
