"""Whether terms forbid what we do: to show a picture on a public page, in the newsroom's country.

Each clause is read by the roles of its words (`words.toml`): what is denied, for which medium, and what speaks for another use.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from enrich.picture_index.terms.clauses import Clause, Sentence, sentences
from enrich.picture_index.terms.vocabulary import Role
from shared.remembered import remembered

Verdict = Literal["denied", "allowed"]
Because = Literal["online", "other media only", "not to be used", "embargo", "territory"]

MOST_ITEMS = 12
"""In one list: so far away a verdict is looked for."""
_LIST: tuple[Role | None, ...] = ("medium", "other_media", "joint", "filler", "territory", "other_use")
_IDLE: tuple[Role | None, ...] = ("filler", "joint")
_NO: tuple[Role, ...] = ("negation", "denial")


@dataclass(frozen=True, slots=True)
class Ban:
    """Why terms forbid it, and the words that say so."""

    because: Because
    words: str


@remembered(4096, 1000)
def bans_in(text: str, country: str = "") -> tuple[Ban, ...]:
    """The bans of a text, in its order. `country`: the newsroom's, ISO 3166-1 alpha-2; empty for none, where territories
    restrict nothing."""
    return bans_of(sentences(text), country)


def bans_of(said: Iterable[Sentence], country: str) -> tuple[Ban, ...]:
    """The bans of some sentences; an embargo that one of them lifts is none."""
    several = list(said)
    lifted = any(_lifts(sentence) for sentence in several)
    found = ((_because(sentence, country), sentence.text[:200]) for sentence in several)
    return tuple(Ban(why, words) for why, words in found if why is not None and not (why == "embargo" and lifted))


def _because(sentence: Sentence, country: str) -> Because | None:
    if _is_embargo(sentence):
        return "embargo"
    clauses = sentence.clauses
    for at, clause in enumerate(clauses):
        because = _because_of(clause, clauses, at)
        if because is None and clause.countries and country and _is_territorial(clause, clauses, at, country):
            return "territory"
        if because is not None and not (clause.countries and country and country not in clause.countries):
            return because
    return None


def _because_of(clause: Clause, clauses: Sequence[Clause], at: int) -> Because | None:
    roles = clause.roles
    verdict = _medium(roles)
    if verdict is None and "medium" in roles and _is_item(clause):
        verdict = _of_list(clauses, at)
    if verdict == "denied":
        return "online"
    if verdict is None and _is_other_media_only(clause, clauses, at):
        return "other media only"
    if "locked" in roles and not clause.has("other_media", "territory", "embargo", "lifted", "negation", "medium"):
        return "not to be used"
    if not clause.has("medium", "other_media", "territory") and _is_general(roles):
        return "not to be used"
    return None


def _medium(roles: Sequence[Role | None]) -> Verdict | None:
    """What is said of our medium; None where nothing is."""
    verdict: Verdict | None = None
    for at, role in enumerate(roles):
        # "Digital manipulation", "web archive": the word belongs to another use.
        if role != "medium" or (at + 1 < len(roles) and roles[at + 1] == "other_use"):
            continue
        if _denied_before(roles, at) or _denied_behind(roles, at):
            return "denied"
        if any(role in ("allowance", "only") for role in roles):
            verdict = "allowed"
    return verdict


def _denied_before(roles: Sequence[Role | None], medium: int) -> bool:
    """Whether a word before the medium denies it: nothing between them is what is denied instead, or allows."""
    for at in range(medium - 1, -1, -1):
        role = roles[at]
        if role == "allowance":
            return False
        if role == "other_use" and not any(one in ("joint", "use") for one in roles[at + 1 : medium]):
            return False
        if role == "exception":
            # "No use except online" allows it.
            return not any(one in _NO for one in roles[:at])
        if role in _NO or role == "locked":
            return True
    return False


def _denied_behind(roles: Sequence[Role | None], medium: int) -> bool:
    """Whether a word behind the medium denies it, or makes it depend on somebody's word."""
    behind = roles[medium + 1 :]
    for at, role in enumerate(behind):
        between = behind[:at]
        if role == "allowance":
            # "Allowed, but only with permission" is not allowed yet.
            return "permission" in behind[at:]
        if role == "other_use" and "joint" not in between:
            return False
        if role in ("denial", "locked", "permission"):
            return True
        if role in ("negation", "exception"):
            # "Internet: no", "online excluded".
            return all(one in (*_IDLE, "use") for one in behind[at + 1 :])
        if role == "out":
            return all(one in _LIST for one in between)
    return False


def _is_item(clause: Clause) -> bool:
    """Whether a clause is an item of a list, with no verdict of its own."""
    return clause.unknown <= 1 and all(role in _LIST or role in (None, "use") for role in clause.roles)


def _of_list(clauses: Sequence[Clause], at: int) -> Verdict | None:
    """The verdict on an item: of the clause that begins its list ("no print, web"), or of the one that ends it ("MAGS, WEB OUT")."""
    for clause in reversed(clauses[max(at - MOST_ITEMS, 0) : at]):
        if not _is_item(clause):
            begins = [role for role in clause.roles if role not in _IDLE][:1]
            if begins and begins[0] in ("negation", "denial", "exception"):
                return "denied"
            break
    for clause in clauses[at + 1 : at + 1 + MOST_ITEMS]:
        if not _is_item(clause):
            ends = [role for role in clause.roles if role not in _IDLE][-1:]
            begins = [role for role in clause.roles if role not in _IDLE][:1]
            if begins and begins[0] in _LIST and ends and ends[0] in ("out", "denial"):
                return "denied"
            return "allowed" if clause.has("only") and ends[:1] == ["only"] else None
    return None


def _is_other_media_only(clause: Clause, clauses: Sequence[Clause], at: int) -> bool:
    """Whether the clause permits other media alone."""
    roles = clause.roles
    if "only" not in roles or "other_media" not in roles:
        return False
    place = roles.index("other_media")
    if any(role in _NO or role == "exception" for role in roles[:place]):
        return False
    if "medium" in roles:
        return False
    beside = clauses[max(at - 3, 0) : at]
    return not any("medium" in one.roles and _is_item(one) for one in beside)


def _is_general(roles: Sequence[Role | None]) -> bool:
    """Whether all use is denied: a denial and a use, and nothing that narrows them down."""
    if "use" not in roles or not any(role in _NO for role in roles):
        return False
    first = next(at for at, role in enumerate(roles) if role in _NO)
    return all(role in ("use", *_NO, *_IDLE) for role in roles[first:]) and all(
        role in ("use", *_NO, *_IDLE, None) for role in roles[:first]
    )


def _is_territorial(clause: Clause, clauses: Sequence[Clause], at: int, country: str) -> bool:
    """Whether the clause keeps the picture from being used in a country."""
    roles = clause.roles
    named = roles.index("territory") if "territory" in roles else 0
    if "only" in roles and not any(role in _NO for role in roles):
        return country not in clause.countries and not clause.has("out", "lifted")
    if country not in clause.countries:
        return False
    if "out" in roles[named:] or "denial" in roles[named:]:
        return "other_use" not in roles
    if _denied_before(roles, named):
        return True
    return _is_item(clause) and _of_list(clauses, at) == "denied"


def _is_embargo(sentence: Sentence) -> bool:
    clauses = sentence.clauses
    if any("lifted" in clause.roles for clause in clauses):
        return False
    for clause in clauses:
        if "embargo" in clause.roles:
            behind = clause.roles[clause.roles.index("embargo") + 1 :]
            rest = [role for role in behind if role not in _IDLE]
            return rest != ["negation"]
        if clause.has("before") and clause.has("negation") and not clause.has("exception", "medium", "other_use"):
            return any(letter.isdecimal() for letter in sentence.text)
    return False


def _lifts(sentence: Sentence) -> bool:
    """Whether a sentence says that an embargo is over."""
    roles = [role for clause in sentence.clauses for role in clause.roles]
    return "lifted" in roles and all(
        role in ("lifted", "embargo", *_IDLE, "allowance", "use", "negation") for role in roles if role
    )
