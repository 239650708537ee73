"""URLs that others gave us."""

import functools
import re
from urllib.parse import quote, urlsplit

from yarl import URL

from shared.http.client.errors import RequestRefused

MAX_URL_CHARACTERS = 4096
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_QUOTED_ALREADY = "!#$%&'()*+,/:;=?@[]~"


def parsed_url(url: str) -> URL:
    """A URL whose address may be connected to, if that is permitted; what is escaped in it already stays as it is."""
    if len(url) > MAX_URL_CHARACTERS:
        raise RequestRefused("not a URL: too long")
    if _CONTROL.search(url):
        raise RequestRefused("not a URL: it has control characters")
    try:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https"):
            raise RequestRefused(f"scheme {parts.scheme[:20]!r} is not http or https")
        if not parts.hostname:
            raise RequestRefused("the URL has no host")
        if parts.username is not None or parts.password is not None:
            raise RequestRefused("the URL carries a user or a password")
        if parts.port == 0 or " " in parts.netloc:
            raise RequestRefused("not a URL: its host or port cannot be")
        rest = f"{parts.path}?{parts.query}" if parts.query else parts.path
        return URL(_origin(parts.scheme, parts.netloc) + quote(rest, safe=_QUOTED_ALREADY), encoded=True)
    except ValueError as error:
        raise RequestRefused(f"not a URL: {error}") from error


@functools.lru_cache(1024)
def _origin(scheme: str, netloc: str) -> str:
    """The origin, with its host as DNS knows it."""
    return str(URL(f"{scheme}://{netloc}").origin())


def without_secrets(url: str) -> str:
    """A URL for logs and records: without user and password, and without the values of its query, which may be tokens."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", f":{parts.port}" if parts.port else ""
    except ValueError:
        return "(not a URL)"
    query = "&".join(f"{part.partition('=')[0]}=…" if "=" in part else "…" for part in parts.query.split("&") if part)
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}{parts.path}" + (f"?{query}" if query else "")
