"""Scripts, style sheet, icon and service worker: small, in memory, under addresses that change with their content."""

import hashlib
from dataclasses import dataclass
from importlib.resources import files

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
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
