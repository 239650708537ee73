"""URLs that others gave us."""

from urllib.parse import quote, urlsplit

from yarl import URL

from shared.http.client.errors import RequestRefused

MAX_URL_CHARACTERS = 4096
_QUOTED_ALREADY = "!#$%&'()*+,/:;=?@[]~"


def parsed_url(url: str) -> URL:
    """A URL whose address may be connected to, if that is permitted; what is escaped in it already stays as it is."""
    if len(url) > MAX_URL_CHARACTERS:
        raise RequestRefused("not a URL: too long")
    if any(character < " " or character == "\x7f" for character in url):
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
        base = URL(f"{parts.scheme}://{parts.netloc}")
        path = quote(parts.path, safe=_QUOTED_ALREADY)
        query = "?" + quote(parts.query, safe=_QUOTED_ALREADY) if parts.query else ""
        return URL(f"{base.scheme}://{base.raw_authority}{path}{query}", encoded=True)
    except ValueError as error:
        raise RequestRefused(f"not a URL: {error}") from error
