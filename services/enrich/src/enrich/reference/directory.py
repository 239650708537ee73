"""The author directory in memory: the authors behind the names of bylines."""

import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from anyascii import anyascii
from pydantic import Field, field_validator

from shared.messages import Author, Message
from shared.remembered import remembered

ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
BY_INITIAL = "initial and surname"
MOST_REMEMBERED = 50_000
"""Names whose resolution is kept: bylines come again."""
HONORIFICS = {
    "dr", "prof", "professor", "sir", "dame", "lord", "lady", "mr", "mrs", "ms", "miss", "mx", "rev", "hon", "capt", "col", "gen", "lt", "sgt",
    "herr", "frau", "monsieur", "madame", "mme", "m", "don", "dona", "sr", "sra", "dott", "dottssa", "ing", "jr", "phd", "md", "obe", "mbe", "cbe",
}  # fmt: skip
JOINT = re.compile(r"[^\w]+", re.UNICODE)


class AuthorProfile(Message):
    """An author, as the newsroom keeps and shows them."""

    id: str
    """Lower-case words with hyphens; it is the slug of the author's page and never changes."""
    name: str = Field(min_length=1, max_length=200)
    role: str = Field(default="", max_length=200)
    bio: str = Field(default="", max_length=4000)
    avatar_url: str | None = Field(default=None, max_length=2000)
    url: str | None = Field(default=None, max_length=2000)
    links: tuple[str, ...] = Field(default=(), max_length=20)
    aliases: tuple[str, ...] = Field(default=(), max_length=100)
    """Other spellings, transliterations, former names, and the ids (URIs, e-mail addresses) that sources use."""
    languages: tuple[str, ...] = ()
    sources: tuple[str, ...] = Field(default=(), max_length=100)
    """The sources whose bylines mean this person; the newsroom's own where it is empty, every one for `*`."""

    @field_validator("id")
    @classmethod
    def _is_slug(cls, value: str) -> str:
        if not ID.fullmatch(value) or len(value) > 80:
            raise ValueError("lower-case letters and digits in words joined by hyphens, at most 80")
        return value

    @field_validator("avatar_url", "url")
    @classmethod
    def _is_web_or_path(cls, value: str | None) -> str | None:
        if value and not value.startswith(("https://", "http://", "/")):
            raise ValueError("an http(s) URL, or a path of the site")
        return value or None

    @field_validator("links")
    @classmethod
    def _are_web(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if any(not link.startswith(("https://", "http://")) for link in value):
            raise ValueError("http(s) URLs")
        return value

    @functools.cached_property
    def author(self) -> Author:
        """The author as readers see them, for a contribution of writing."""
        return Author(
            name=self.name, id=self.id, slug=self.id, role=self.role or None, bio=self.bio or None,
            avatar_url=self.avatar_url, url=self.url, links=self.links,
        )  # fmt: skip


@remembered(65_536, 100)
def name_key(name: str) -> str:
    """What spellings of one name have in common: letters transliterated, small, without marks, honorifics and punctuation."""
    folded = name.casefold()
    if not folded.isascii():
        folded = anyascii(folded).casefold()
    words = JOINT.sub(" ", folded.replace("'", "").replace("`", "").replace("_", " ")).split()
    return " ".join([word for word in words if word not in HONORIFICS] or words)


def loose_key(name: str) -> str:
    """What romanisations of one name have in common; for names of other scripts only, since it makes Smyth of Smith."""
    key = name_key(name)
    for many, one in (("shch", "sh"), ("kh", "h"), ("zh", "j"), ("ts", "c"), ("tz", "c"), ("iy", "i"), ("yi", "i"), ("ij", "i"), ("yy", "i"), ("ii", "i"), ("ay", "ai"), ("ey", "ei"), ("y", "i"), ("j", "i"), ("w", "v"), ("ph", "f"), ("ks", "x"), ("ou", "u"), ("oo", "u"), ("dh", "d"), ("ck", "k"), ("q", "k")):  # fmt: skip
        key = key.replace(many, one)
    return re.sub(r"(.)\1", r"\1", key.replace("ie", "e"))


Contribution = Literal["writing", "reporting", "editing", "photography", "translation"]


@dataclass(slots=True)
class BylineName:
    """One name of a byline."""

    name: str
    contribution: Contribution = "writing"
    located: str | None = None
    kind: Literal["person", "agency", "staff"] = "person"


@dataclass(frozen=True)
class Resolved:
    """The author that a name resolves to, and why."""

    profile: AuthorProfile | None
    because: str


@dataclass
class Directory:
    """All authors, found by any spelling of their names. A spelling that two authors share finds neither.

    A name holds within the sources of a profile: another agency's reporter of that name is somebody else.
    """

    profiles: Mapping[str, AuthorProfile] = field(default_factory=dict)
    edition: int = 0
    _exact: dict[str, set[str]] = field(default_factory=dict, repr=False)
    _initials: dict[str, set[str]] = field(default_factory=dict, repr=False)
    _loose: dict[str, set[str]] = field(default_factory=dict, repr=False)
    _ids: dict[str, str] = field(default_factory=dict, repr=False)
    _found: dict[tuple[str, str | None, bool], Resolved] = field(default_factory=dict, repr=False)
    _sources: set[str] = field(default_factory=set, repr=False)
    """That profiles name."""
    bylines: dict[str, tuple[BylineName, ...]] = field(default_factory=dict, repr=False)
    """Bylines that were read against this directory: they come again."""

    @classmethod
    def of(cls, profiles: Iterable[AuthorProfile], edition: int = 0) -> "Directory":
        """Build the indexes."""
        directory = cls({profile.id: profile for profile in profiles}, edition)
        for profile in directory.profiles.values():
            directory._add(profile)
        return directory

    def _add(self, profile: AuthorProfile) -> None:
        self._sources.update(profile.sources)
        self._ids[profile.id] = profile.id
        for spelling in (profile.name, *profile.aliases):
            if "://" in spelling or "@" in spelling or (":" in spelling and " " not in spelling):
                self._ids[spelling.casefold()] = profile.id
                continue
            key = name_key(spelling)
            if not key:
                continue
            self._exact.setdefault(key, set()).add(profile.id)
            words = key.split()
            if len(words) > 1:
                self._initials.setdefault(f"{words[0][0]} {words[-1]}", set()).add(profile.id)
                self._loose.setdefault(loose_key(spelling), set()).add(profile.id)

    def resolve(
        self,
        name: str,
        uri: str | None = None,
        *,
        source: str | None = None,
        is_own: bool = True,
        is_aside: bool = False,
    ) -> Resolved:
        """The author of a name, or of a source's id of a person.

        `source` is whose byline it is, None where that is not asked; `is_own`, whether it is one of the newsroom's own.
        `is_aside`: an agency stands beside the name, so that an initial may be anybody's.
        """
        if uri and (found := self._ids.get(uri.casefold())):
            return Resolved(self.profiles[found], f"the source's id {uri}")
        # Of other sources the name alone decides unless profiles name them; one entry then serves all of them.
        asked = (name, source if source in self._sources else "" if source is not None else None, is_own)
        resolved = self._found.get(asked)
        if resolved is None:
            resolved = self._within(self._by_name(name), source, is_own=is_own)
            if len(self._found) < MOST_REMEMBERED:
                self._found[asked] = resolved
        if is_aside and resolved.because == BY_INITIAL:
            return Resolved(
                None, f"perhaps {self._called(resolved)}: an initial beside an agency is nobody for certain"
            )
        return resolved

    def _within(self, resolved: Resolved, source: str | None, *, is_own: bool) -> Resolved:
        """Nobody where the profile does not hold for the source; then it is a suggestion for the desk."""
        profile = resolved.profile
        if profile is None or source is None:
            return resolved
        holds = source in profile.sources or (is_own and not profile.sources)
        if holds or ("*" in profile.sources and resolved.because != BY_INITIAL):
            return resolved
        return Resolved(None, f"perhaps {self._called(resolved)}, whose entry does not hold for {source}")

    def _called(self, resolved: Resolved) -> str:
        return resolved.profile.id if resolved.profile is not None else ""

    def _by_name(self, name: str) -> Resolved:  # noqa: PLR0911 -- a table of cases
        key = name_key(name)
        if not key:
            return Resolved(None, "no name")
        if found_ids := self._exact.get(key):
            return self._one(found_ids, "name or alias")
        words = key.split()
        if len(words) < 2:
            return Resolved(None, "not in the directory")
        if (
            len(words) > 2
            and (found_ids := self._exact.get(f"{words[0]} {words[-1]}"))
            and all(len(word) == 1 for word in words[1:-1])
        ):
            return self._one(found_ids, "name without middle initials")
        if len(words[0]) == 1 and len(words) == 2 and (found_ids := self._initials.get(key)):
            return self._one(found_ids, BY_INITIAL)
        if not name.isascii() and (found_ids := self._loose.get(loose_key(name))):
            return self._one(found_ids, "romanised name")
        return Resolved(None, "not in the directory")

    def knows(self, name: str) -> bool:
        """Whether a name finds exactly one author."""
        return self.resolve(name).profile is not None

    def _one(self, ids: set[str], because: str) -> Resolved:
        if len(ids) > 1:
            return Resolved(None, f"{len(ids)} authors share this {because}: {', '.join(sorted(ids))}")
        return Resolved(self.profiles[next(iter(ids))], because)
