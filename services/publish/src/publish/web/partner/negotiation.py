"""Which form of an update or of a page of updates a client is given: by the suffix of the address, or by `Accept` (RFC 9110, 12.5.1).

An address that is asked with another `Accept` is taken for the address with that form's suffix, before anything is looked up,
so that what is kept of one form is never the answer to another.
"""

import re
from collections.abc import Iterable

TYPES = {
    "json": "application/json",
    "ninjs": "application/vnd.iptc.g2.newsitem+json",
    "jsonfeed": "application/feed+json",
}
PREFIX = "/v1/updates"
_NEGOTIABLE = re.compile(r"^/v1/updates(?:/[a-z2-7]{26})?$")
_FORMS = {each.encode(): form for form, each in TYPES.items()}


def negotiated(path: str, headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The path, with the suffix of the form that the client likes best; as it is where that is JSON."""
    accept = next((value for name, value in headers if name == b"accept"), b"")
    if b"newsitem+json" not in accept and b"feed+json" not in accept:
        return path
    if not _NEGOTIABLE.match(path):
        return path
    best, liking = "json", 0.0
    for each in accept[:1000].split(b","):
        media_type, _, rest = each.strip().partition(b";")
        form = _FORMS.get(media_type.strip().lower())
        if form is not None and (quality := _quality(rest)) > liking:
            best, liking = form, quality
    return path if best == "json" else f"{path}.{best}"


def _quality(parameters: bytes) -> float:
    match = re.search(rb"(?:^|;)\s*q\s*=\s*([01](?:\.[0-9]{0,3})?)\s*(?:;|$)", parameters)
    return float(match[1]) if match else 1.0
