"""The vocabularies that sources take codes from, by alias and by URI, without fetching a catalog."""

from functools import lru_cache

from ingest.formats.fields import SubjectFields

_NEWSCODES = "http://cv.iptc.org/newscodes/"

URIS = {
    "medtop": _NEWSCODES + "mediatopic/",
    "subj": _NEWSCODES + "subjectcode/",
    "genre": _NEWSCODES + "genre/",
    "stat": _NEWSCODES + "pubstatusg2/",
    "sig": _NEWSCODES + "signal/",
    "ninat": _NEWSCODES + "ninature/",
    "cpnat": _NEWSCODES + "cpnature/",
    "crol": _NEWSCODES + "contentrole/",
    "drol": _NEWSCODES + "descriptionrole/",
    "hrol": _NEWSCODES + "headlinerole/",
    "rnd": _NEWSCODES + "rendition/",
    "irel": _NEWSCODES + "itemrelation/",
    "edrole": _NEWSCODES + "edrole/",
    "a1312cat": _NEWSCODES + "a1312cat/",
}
"""IPTC's own aliases, which most sources use without saying."""

STATUSES = {"usable": "usable", "withheld": "withheld", "canceled": "canceled", "cancelled": "canceled"}
"""IPTC's publishing statuses, in lower case."""
EARLIER_STATUSES = {**STATUSES, "embargoed": "usable", "killed": "canceled"}
"""Those of NITF and NewsML 1."""

SIGNALS = {
    "update": "update", "writethru": "update", "correction": "correction", "corrected": "correction",
    "advisory": "advisory", "repeat": "repeat", "kill": "kill", "killed": "kill", "takedown": "takedown",
    "expire": "expire",
}  # fmt: skip
"""What sources call a signal, without its vocabulary, in lower case."""

_ALIASES = {uri: alias for alias, uri in URIS.items()}


@lru_cache(4096)
def _coded(uri: str) -> tuple[str, str | None]:
    """The code that a URI of IPTC's is known by, and its scheme; another's is its own code."""
    if not uri.startswith(_NEWSCODES):
        return uri, None
    scheme, _, bare = uri.rpartition("/")
    scheme += "/"
    return f"{_ALIASES[scheme]}:{bare}" if scheme in _ALIASES else uri, scheme


def subject(
    kind: str, *, code: str | None = None, scheme: str | None = None, uri: str | None = None, name: str | None = None
) -> SubjectFields | None:
    """A subject's fields; None where there is neither code nor name.

    A URI of IPTC's becomes the code that everybody knows it by: `.../mediatopic/20000003` is `medtop:20000003`.
    """
    if uri:
        code, known = _coded(uri) if len(uri) < 100 else (uri, None)
        scheme = known or scheme
    elif code and scheme and ":" not in code and (alias := _ALIASES.get(scheme) or _ALIASES.get(scheme + "/")):
        code = f"{alias}:{code}"
    if not code and not name:
        return None
    if code and not scheme and ":" in code:
        scheme = URIS.get(code.partition(":")[0])
    return {"kind": kind, "code": code or None, "name": name or None, "scheme": scheme or None}
