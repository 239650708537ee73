"""A byline as newsrooms write it, read into names with what each contributed and from where."""

import re

from enrich.reference.directory import BylineName, Contribution, Directory
from enrich.reference.names.given_names import is_given
from enrich.short_text import tidy
from enrich.text.steps.byline.east_asian import is_east_asian, read_east_asian
from enrich.text.steps.byline.labels import with_labels_read
from enrich.text.steps.byline.names import (
    is_dateline,
    kind_of,
    strip_item,
    without_full_stop,
)
from enrich.text.steps.byline.no_names import CODE, no_name
from enrich.text.steps.byline.patterns import (
    ABBREVIATED,
    ADDRESS,
    AGENCY_PHOTO,
    BIOGRAPHY,
    BY,
    CONTRIBUTED,
    DATELINE,
    DUTCH,
    FOLLOW,
    FROM_COMMA,
    FROM_FIRST,
    FROM_SOMEBODY,
    GREEK_ARTICLE,
    JOINED_AND,
    JOINT_OR_PLACE,
    JOINTS,
    MEANT,
    OF_SOMEBODY,
    PARENTHESIS,
    PLACE_COLON,
    PLACE_FIRST,
    PLACED_ASIDE,
    PLAIN,
    PLAIN_WORD,
    POST_OF_TWO,
    POSTED_AT,
    REPORTING_FROM,
    REPORTS_FROM,
    ROLE,
    SEGMENT,
    SEPARATOR,
    SPECIAL_FIRST,
    TITLE_ITEM,
    TRAILER,
    TWO_PLACES,
    WEAK,
    WITH,
)
from enrich.text.steps.byline.people import ReadList, locate
from enrich.text.steps.byline.places import behind_name, is_known_place
from enrich.text.steps.byline.spelling import BOUND, respelled, right_way_round, with_joints_kept
from enrich.text.steps.text.plain_text import ANY_TAG
from shared.messages.limits import LONGEST

LONGEST_BYLINE = LONGEST["byline"]
SITE = re.compile(r"(?!dott\.ssa)(?:[\w-]{2,63}\.){1,4}[a-zß-ÿ]{2,24}(?:/\S*)?", re.ASCII)
SMALL_JOINTS = re.compile(
    r"(?<![^\s])(?:and|und|et|y|e|i|by|in|mit|with|from|for|von|par|por|di|door)(?![^\s])", re.IGNORECASE
)
MOST_NAMES = 40
HELPER = "\ue001"
"""Before a name that a `with` stands before; of the private use area, so that no byline has it."""


def read_byline(byline: str, directory: Directory | None = None) -> list[BylineName]:
    """The names of a byline, in order, with what each contributed and from where."""
    directory, byline = directory or Directory(), byline[:LONGEST_BYLINE]
    if plain := PLAIN.fullmatch(byline):
        name, place = plain.groups()
        if MEANT.isdisjoint(PLAIN_WORD.findall(f"{name} {place or ''}".casefold())) and no_name(name) is None:
            return [BylineName(name, "writing", place)]
    lines = [ADDRESS.sub("", _without_mail(tidy(ANY_TAG.sub("", line)))) for line in byline.splitlines()]
    lines = [_without_sites(line) for line in lines]
    # Runs of spaces become one: the expressions would go over them again and again.
    text = "\n".join(" ".join(line.split()) for line in lines).lstrip("©®™ ")
    if text.islower() and text.startswith("by ") and len(text.split()) < 5:
        text = text.title()
    text = without_full_stop(text.strip(" \n,:;-–—*").lstrip(". ")).strip(" \n,:;-–—*")
    if text[:1] == "[" and text.find("]") == len(text) - 1:
        text = text[1:-1].strip()
    if not text:
        return []
    if is_east_asian(text) and not directory.knows(text):
        return read_east_asian(text)[:MOST_NAMES]
    if SMALL_JOINTS.sub(" ", text).isupper() and len(text.title()) == len(text):
        return _read_capitals(text, directory)
    names = _read(text, directory)
    for each in names:
        if each.kind == "person" and not directory.knows(each.name):
            each.name = respelled(each.name)
        if each.located and each.located.isupper():
            each.located = _place_respelled(each.located)
    return names


def _read_capitals(text: str, directory: Directory) -> list[BylineName]:
    """Where all letters are capitals they mark no names: the words are read with small ones."""
    names = _read(JOINTS.sub(lambda found: found[0].lower(), text.title()), directory)
    for each in names:
        each.name, located = _as_written(each.name, text), each.located
        if each.kind == "person":
            each.name = respelled(each.name) if CODE.fullmatch(each.name) is None or is_given(each.name) else ""
        if located is not None:
            each.located = _place_respelled(_as_written(located, text))
    return [each for each in names if each.name]


def _place_respelled(place: str) -> str:
    return " ".join(
        word if len(word) <= 3 and word not in ("NEW", "LOS", "LAS", "SAN", "DEL") else respelled(word)
        for word in place.split(" ")
    )


def _without_mail(text: str) -> str:
    """Without words such as `ada@example.org`."""
    return re.sub(r"\S+", lambda found: "" if _is_mail(found[0]) else found[0], text) if "@" in text else text


def _without_sites(line: str) -> str:
    """Without words such as `harbour.example` and `quill.ada`: a site, or a login."""
    if "." not in line:
        return line
    left = " ".join(word for word in line.split(" ") if SITE.fullmatch(word.strip("()[],;")) is None)
    return re.sub(r"\s+(?:for|at|of|für|pour|para|per)$", "", left) if left != line else line


def _is_mail(word: str) -> bool:
    at = word.find("@", 1)
    return at > 0 and word.rfind(".", at + 2, len(word) - 1) > 0


def _as_written(words: str, text: str) -> str:
    at = text.lower().find(words.lower()) if len(text.lower()) == len(text) else -1
    return text[at : at + len(words)] if at >= 0 else words


def _read(text: str, directory: Directory) -> list[BylineName]:
    text = re.sub(r" +(?=[:：])", "", text)
    if directory.knows(text) and text.casefold().split()[0] != "by":
        return [BylineName(text)]
    text = _prepared(text)
    if (
        found := TWO_PLACES.match(text)
        or PLACE_FIRST.match(text)
        or PLACE_COLON.match(text)
        or (
            (from_first := FROM_FIRST.match(text))
            and (from_first["verb"] or is_known_place(from_first["place"]))
            and from_first
        )
        or FROM_COMMA.match(text)
    ):
        place, rest = found["place"], found["names"]
        if (
            kind_of(place) == "person"
            and (found.re is not PLACE_COLON or ROLE.match(text) is None)
            and not directory.knows(place)
            and MEANT.isdisjoint(PLAIN_WORD.findall(place.casefold().replace("\u0307", "")))
        ):
            placed = _read(rest, directory)
            place = _place_respelled(place) if place.isupper() else place
            locate([name for name in placed if name.located is None], place)
            return placed
    names: list[BylineName] = []
    contribution: Contribution = "writing"
    for number, segment in enumerate(SEGMENT.split(text)):
        for place, (role, part) in enumerate(_parts(segment, directory)):
            if role is not None:
                contribution = role
            elif number > 0 and place == 0 and kind_of(part) == "person" and contribution != "writing":
                contribution = "writing"
            if number > 0 and role is None and names and not names[-1].located and is_dateline(part, directory):
                locate([name for name in names if name.located is None], part)
                continue
            names.extend(_people(part, contribution, directory, is_said=role is not None))
    for each in names:
        each.name = each.name.replace(BOUND, " ")
    return names[:MOST_NAMES]


def _prepared(text: str) -> str:
    """The text without what only leads to the names, or follows them."""
    # Plain bylines pass few of these: what each begins with is asked for first.
    if text.count(" ") > 3 and (biography := BIOGRAPHY.match(text)) and no_name(biography["name"]) is None:
        text = biography["name"]
    if "/" in text:
        text = AGENCY_PHOTO.sub("photos by ", text)
    if "eporting from" in text:
        text = REPORTS_FROM.sub(" in ", text)
    if not text.isascii():
        text = GREEK_ARTICLE.sub("", text)
    if text[:3] in ("De ", "de ") and (of := OF_SOMEBODY.match(text)) and is_given(of["given"]):
        text = text[of.end("of") :].lstrip()
    text = SPECIAL_FIRST.sub("", with_labels_read(text))
    if " By " in text:
        text = DATELINE.sub(r"\g<names> in \g<place>", text)
    text = TRAILER.sub("", ABBREVIATED.sub(r"\1 ", PLACED_ASIDE.sub(r" in \1", text))).strip(" ,|")
    if text.casefold().startswith("door "):
        text = text.replace(" en ", " & ")
    text = FOLLOW.sub(r"\g<name>", FROM_SOMEBODY.sub("", REPORTING_FROM.sub("", text)))
    text = with_joints_kept(JOINT_OR_PLACE.sub(_joint, text))
    if (":" in text or "," in text) and (posted := POSTED_AT.match(BY.sub("", text))) and posted["names"]:
        text = posted["names"]
    return text


def _joint(found: re.Match[str]) -> str:
    """`Bart Smit en Els Kok`: an `and` between two people, not a place."""
    is_name = (
        is_given(found["given"]) or DUTCH.search(found.string[: found.start()] + " " + found["surname"]) is not None
    )
    if is_name and not is_known_place(f"{found['given']} {found['surname']}"):
        return f" & {found['given']} {found['surname']}"
    return found[0]


def _parts(segment: str, directory: Directory) -> list[tuple[Contribution | None, str]]:
    """The parts of a segment, cut where words name another contribution."""
    if found := CONTRIBUTED.search(segment):
        return [("reporting", segment[: found.start()] + segment[found.end() :].removeprefix("."))]
    cuts: list[tuple[int, int, Contribution]] = []
    for found in ROLE.finditer(segment):
        word = found[0].strip(" :：/／").casefold()
        if word in WEAK and (found.start() > 0 or not _opens(segment, found.end(), directory)):
            continue
        role: Contribution = found.lastgroup  # type: ignore[assignment]
        cuts.append((found.start(), found.end(), role))
    if not cuts:
        return [(None, segment)]
    parts: list[tuple[Contribution | None, str]] = []
    if before := without_full_stop(segment[: cuts[0][0]].strip(" ,(")):
        parts.append((None, before))
    for index, (_, end, role) in enumerate(cuts):
        until = cuts[index + 1][0] if index + 1 < len(cuts) else len(segment)
        parts.append((role, without_full_stop(segment[end:until].strip(" ,("))))
    return [(role, _without_joint(part)) for role, part in parts if part]


def _without_joint(part: str) -> str:
    return re.sub(r"(?:^(?:and|und|et|y|e)\s+)|(?:[\s,]+(?:and|with|und|et|y|e)$)", "", part, flags=re.IGNORECASE)


def _opens(segment: str, end: int, directory: Directory) -> bool:
    """Whether a word such as Von or Di opens the byline, and is not the beginning of a name such as Von Miller."""
    rest = segment[end:].strip()
    first = SEPARATOR.split(rest)[0]
    if directory.knows(segment):
        return False
    return len(first.split()) > 1 or kind_of(first) != "person"


def _people(part: str, contribution: Contribution, directory: Directory, *, is_said: bool) -> list[BylineName]:
    """The names of one list, with the places behind them. `is_said`: words say that names follow."""
    asides = [(part[: found.start()], found[1].strip()) for found in PARENTHESIS.finditer(part)]
    if (posted := POST_OF_TWO.fullmatch(part)) and is_given(posted["name"].split()[0]):
        part = posted["name"]
    part = right_way_round(PARENTHESIS.sub(" ", part).strip(), directory.knows)
    part = WITH.sub(rf"with {HELPER}", part)
    items = [strip_item(item) for each in SEPARATOR.split(part) for item in _unjoined(each)]
    items = _uninverted([item for item in items if item], directory)
    if len(items) == 1 and not is_said and not _may_stand_alone(items[0], directory):
        return []
    behind = behind_name(items) if len(items) > 1 and len(items[0].split()) > 1 else None
    if behind is not None and not directory.knows(items[-1]):
        items = items[: -behind[0]]
    read = ReadList(contribution, directory)
    part = part.replace(HELPER, "")
    for number, item in enumerate(items):
        if item.startswith(HELPER):
            read.waiting = []
        read.take(item.removeprefix(HELPER), part, last=number == len(items) - 1)
    if behind is not None and read.waiting:
        locate(read.waiting, behind[1])
    names = read.names
    if read.is_rejected and not is_said and all(" " not in each.name for each in names):
        # What is left of a phrase, not of a list of people.
        names = [each for each in names if _may_stand_alone(each.name, directory)]
    for before, aside in asides:
        # It is of the name before it, not of all that follow.
        told = [each for each in names if each.name in before]
        names = (
            _aside(aside, names, directory)
            if len(told) in (0, len(names))
            else [*_aside(aside, told, directory), *names[len(told) :]]
        )
    return names


def _may_stand_alone(item: str, directory: Directory) -> bool:
    """Whether a line of one word may be somebody: of a Latin one that no `By` announces, only what is known for a name."""
    if " " in item or not item[:1].isalpha() or item[0] > "\u0900":
        return True
    return is_given(item) or directory.knows(item) or kind_of(item) != "person"


def _unjoined(item: str) -> list[str]:
    """The two names that a letter for `and` joins, where there is a whole name on either side."""
    found = JOINED_AND.search(item) if not item.isascii() else None
    if found is None or len(item[: found.start()].split()) < 2:
        return [item]
    return [item[: found.start()], item[found.end() :]]


def _aside(aside: str, names: list[BylineName], directory: Directory) -> list[BylineName]:
    """Reads parentheses behind the names: an agency is an affiliation, a place or a role is that of the last name."""
    place, _, post = aside.partition(", ")
    if names and post and is_known_place(place):
        names[-1].located = names[-1].located or place
        return names
    if names and post and TITLE_ITEM.match(post) and kind_of(place) == "person":
        names[-1].located = names[-1].located or place
        return names
    kind = kind_of(aside)
    if kind != "person":
        return names or [BylineName(aside, kind=kind)]
    word = aside.casefold()
    roles: tuple[tuple[str, Contribution], ...] = (
        ("photo", "photography"),
        ("foto", "photography"),
        ("edit", "editing"),
        ("report", "reporting"),
        ("transl", "translation"),
        ("text", "writing"),
    )
    for beginning, contribution in roles:
        if word.startswith(beginning) and names:
            names[-1].contribution = contribution
            return names
    place = re.sub(r"^(?:in|from|aus|à|en|a)\s+", "", aside)
    if names and (posted := POSTED_AT.match(aside)) is not None and posted["names"] is None:
        return names
    if (
        names
        and names[-1].located is None
        and (place != aside or is_known_place(aside) or is_dateline(aside, directory))
    ):
        names[-1].located = place
    return names


def _uninverted(items: list[str], directory: Directory) -> list[str]:
    """`Smith, Jane` read the right way round, where the directory knows her."""
    read: list[str] = []
    index = 0
    while index < len(items):
        if (
            index + 1 < len(items)
            and len(items[index].split()) == 1
            and directory.knows(f"{items[index + 1]} {items[index]}")
        ):
            read.append(f"{items[index + 1]} {items[index]}")
            index += 2
        else:
            read.append(items[index])
            index += 1
    return read
