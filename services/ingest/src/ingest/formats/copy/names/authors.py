"""Authors, byline and credit of an update as readers may see them; what was sent otherwise stays in `extra`. Pure."""

import re
from collections.abc import Sequence

from ingest.formats.copy.names import people
from ingest.formats.text import plain as text

AS_SENT = "people_as_sent"
"""The member of `extra` that holds creators and byline as the source sent them, where readers get less."""

_SAYS_BY = re.compile(
    r"^(?:(?:story |words |text |report |written |reporting )?by|von|par|por|av|af|door|di|texte?\s?:|text\s?:|autor(?:in)?\s?:|author\s?:)\s+",
    re.IGNORECASE,
)
_ADDRESS = re.compile(
    r"\s*[<(\[]?\s*(?:mailto:)?[\w.+-]{1,64}@[\w.-]{1,100}\.[a-z]{2,12}\s*[>)\]]?|\s*[:<(\[]?\s*(?:https?://|www\.)[^\s,;]{1,200}",
    re.IGNORECASE,
)
_PARTS = re.compile(
    r"\s*(?:[;|]|,(?!\s?(?:jr|sr|md|phd|ii|iii)\b)|/|\s+(?:and|und|et|y|e|och|og|ja|en)\s+|\s[-–—]\s)\s*", re.IGNORECASE
)


def tidy(fields: dict[str, object], *, trusted: bool, is_text: bool) -> list[str]:
    """Leave the authors who can be ones; what was wrong, for repairs. `trusted`: the source's creators are its authors."""
    said: list[str] = []
    sent: dict[str, object] = {}
    creators = fields.get("creators")
    if isinstance(creators, Sequence) and creators and not isinstance(creators, str):
        named = [
            {**one, "name": _SAYS_BY.sub("", str(one.get("name") or ""))}
            if isinstance(one, dict) and _SAYS_BY.match(str(one.get("name") or ""))
            else one
            for one in creators
        ]
        named = _each(named)
        if named != list(creators):
            fields["creators"] = creators = named
        provider = str(fields.get("credit") or "").strip().casefold()
        kept = [
            one
            for one in creators
            if isinstance(one, dict)
            and _is_author(one, trusted=trusted, is_text=is_text)
            and str(one.get("name")).strip().casefold() != provider
        ]
        if len(kept) < len(creators):
            sent["creators"] = list(creators)
            fields["creators"] = kept
            said.append(
                ", ".join(str(one.get("name")) for one in creators if isinstance(one, dict) and one not in kept)[:150]
            )
    byline = fields.get("byline")
    if isinstance(byline, str) and byline:
        shown, agency = byline_of(byline)
        if shown != byline:
            fields["byline"] = shown
            if people.kind_of_name(byline) != "organisation" or not shown:
                sent["byline"] = byline
                said.append(byline[:150])
        if agency and not fields.get("credit"):
            fields["credit"] = agency
    if sent:
        extra = fields.get("extra")
        fields["extra"] = {**(extra if isinstance(extra, dict) else {}), AS_SENT: sent}
    return said


_AND = re.compile(r"\s*(?:,(?:\s+(?:and|und|et|y|e|och|og|ja|en))?|;|&|\b(?:and|und|et|och|og|ja)\b)\s+", re.IGNORECASE)
_MAILTO = re.compile(r"\s*[(<\[]?\s*mailto:\S{0,200}\s*[)>\]]?\s*$", re.IGNORECASE)
_MOST_IN_ONE = 12


def _each(creators: Sequence[object]) -> list[object]:
    """Each author by themselves, once, where one name holds several: `Ann Other and Jo Bloggs`."""
    each: list[object] = []
    for one in creators:
        name = str(one.get("name") or "") if isinstance(one, dict) else ""
        if not isinstance(one, dict) or not name:
            each.append(one)
            continue
        if "mailto:" in name:
            one = {**one, "name": (name := _MAILTO.sub("", name))}  # noqa: PLW2901
        parts = _AND.split(name)[: _MOST_IN_ONE + 1] if " " in name and len(name) <= 4 * people.MAX_NAME else [name]
        full = 1 < len(parts) <= _MOST_IN_ONE and all(
            " " in part
            and not part[:1].islower()
            and not part.rpartition(" ")[2][:1].islower()
            and people.kind_of_name(part) == "person"
            for part in parts
        )
        for made in ({**one, "name": part, "uri": None, "email": None} for part in parts) if full else (one,):
            if made not in each:
                each.append(made)
    return each


def _is_author(one: dict[str, object], *, trusted: bool, is_text: bool) -> bool:
    name, role, uri = str(one.get("name") or ""), str(one.get("role") or ""), str(one.get("uri") or "")
    if people.kind_of_name(name) != "person":
        return False
    if not trusted or role == "contributor":
        return False
    if (
        " " not in name.strip()
        and "//" not in uri
        and name.strip().casefold() == uri.rpartition(":")[2].rpartition("/")[2].casefold()
    ):
        # A name that is the end of its own code is a login.
        return False
    if people.takes_pictures(role):
        return not is_text
    return people.writes(role)


def byline_of(byline: str) -> tuple[str, str]:
    """The byline without addresses and codes, empty where no name is left; and the agency that it was, if it was one."""
    line = (
        text.one_line(_ADDRESS.sub("", byline))
        if "@" in byline or "://" in byline or "www." in byline
        else byline.strip()
    )
    line = line.strip(" ,;|/–—-")
    bare = _SAYS_BY.sub("", line).strip(" ,;|")
    if not bare:
        return "", ""
    kind = people.kind_of_name(bare)
    if kind == "organisation" and people.is_agency(bare):
        return "", bare
    if kind == "code":
        if len(bare) > people.MAX_NAME:
            return line, ""
        parts = [part for part in _PARTS.split(bare) if part]
        kept = [part for part in parts if people.kind_of_name(part) == "person"]
        if not kept:
            # Words that are neither a name nor a code: "Von unserem Korrespondenten".
            return (line, "") if _is_phrase(bare) else ("", "")
        if any(_is_code(part) for part in parts):
            return ", ".join(kept), ""
    return line, ""


def is_line_of_names(words: str) -> bool:
    """Whether a line above a text is its byline: `By Jane Doe and John Roe`, `Von Erika Muster, dpa`."""
    if len(words) > _LONGEST_LINE or words.endswith((".", "!", "?", ":", "”", '"')):
        return False
    if words[0] == "(" and words[-1] == ")":
        words = words[1:-1].strip()
    said = _SAYS_BY.match(words)
    if said is None:
        return False
    parts = [part for part in _PARTS.split(words[said.end() :]) if part]
    kinds = [people.kind_of_name(part) for part in parts]
    full = all(part.count(" ") < 5 and part[:1].isupper() for part in parts[:1])
    return full and bool(kinds) and kinds[0] == "person" and " " in parts[0] and all(kind != "code" for kind in kinds)


_LONGEST_LINE = 120
_STARRED = re.compile(
    r"\*{2,3}\s?(?P<name>[^()*,]{4,60}?)(?:\s\([^()]{3,20}\))?(?:,?\s(?:e|y)\s[^*]{2,80})?,\s(?:d[ao]|enviad)[^*]{2,80}\*{2,3}"
)


def of_starred_line(words: str) -> str:
    """Who wrote a text, of Lusa's line above it: `*** Ann Other (texto) e Jo Bloggs (foto), da agência Lusa ***`; empty for none."""
    found = _STARRED.fullmatch(words) if words.startswith("**") and len(words) < 2 * _LONGEST_LINE else None
    name = found.group("name").strip() if found is not None else ""
    return name if " " in name and people.kind_of_name(name) == "person" else ""


def _is_code(part: str) -> bool:
    return people.is_initials(part) or (part.islower() and " " not in part and any(sign in part for sign in "._/"))


def _is_phrase(bare: str) -> bool:
    words = bare.split()
    return (
        len(words) > 2
        and not any(sign in bare for sign in "_/@")
        and not any(letter.isdigit() for letter in bare)
        and any(len(word) > 5 for word in words)
    )
