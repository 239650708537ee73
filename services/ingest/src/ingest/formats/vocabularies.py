"""The vocabularies that sources take codes from, by alias and by URI, without fetching a catalog."""

from typing import Any

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

_ALIASES = {uri: alias for alias, uri in URIS.items()}


def subject(
    kind: str, *, code: str | None = None, scheme: str | None = None, uri: str | None = None, name: str | None = None
) -> dict[str, Any] | None:
    """A subject's fields; None where there is neither code nor name.

    A URI of IPTC's becomes the code that everybody knows it by: `.../mediatopic/20000003` is `medtop:20000003`.
    """
    if uri and uri.startswith(_NEWSCODES):
        scheme, _, bare = uri.rpartition("/")
        scheme += "/"
        code = f"{_ALIASES[scheme]}:{bare}" if scheme in _ALIASES else uri
    elif uri:
        code = uri
    elif code and scheme and ":" not in code and (alias := _ALIASES.get(scheme) or _ALIASES.get(scheme + "/")):
        code = f"{alias}:{code}"
    if not code and not name:
        return None
    if code and not scheme and ":" in code:
        scheme = URIS.get(code.partition(":")[0])
    return {"kind": kind, "code": code or None, "name": name or None, "scheme": scheme or None}
