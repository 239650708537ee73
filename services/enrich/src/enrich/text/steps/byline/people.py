"""The people of one list, in order, with the places and posts that stand between them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from enrich.reference.directory import BylineName, Contribution, Directory, name_key
from enrich.reference.names.given_names import is_given
from enrich.text.steps.byline.names import is_bare_place, is_region, read_name, split_place
from enrich.text.steps.byline.patterns import OF_HOUSE, OF_PICTURES, POST_WORDS, SUFFIXES, TITLE_ITEM
from enrich.text.steps.byline.places import is_known_place


@dataclass(slots=True)
class ReadList:
    """What is read of one list so far."""

    contribution: Contribution
    directory: Directory
    names: list[BylineName] = field(default_factory=list)
    waiting: list[BylineName] = field(default_factory=list)
    """Those whose place may follow."""
    last_place: BylineName | None = None
    """Who was placed last: more words of that place may follow."""
    is_rejected: bool = False
    """Whether something was no name."""
    is_posted: bool = False
    """Whether the last of these was a post."""

    def take(self, item: str, part: str, *, last: bool) -> None:
        """The next item of the list `part`."""
        if self.names and OF_HOUSE.fullmatch(item):
            return
        name, place = split_place(item, self.directory)
        if self.names and place is None and is_bare_place(item, self.names[-1], part, self.directory, last=last):
            name, place = "", re.sub(r"^(?:de|da|do|di|d')\s*", "", item)
        is_place = self.waiting and place is None and is_known_place(name) and " " in self.names[-1].name
        if is_place and not self.directory.knows(name):
            name, place = "", name
        if not name and place:
            self._place(place)
            return
        read = read_name(name, self.directory)
        if read is None:
            self._reject(name)
        elif place is None and read.kind == "person" and " " not in read.name and not self.directory.knows(read.name):
            if self.names and self.names[-1].kind != "person" and not is_given(read.name):
                # A desk, and where it is.
                self.names[-1].located = read.name
            elif not self._extend_place(read.name):
                self._add(read)
        else:
            if place is not None and self.is_posted:
                # Behind a post the place is of the next name alone.
                self.waiting = []
            self._add(read)
            self.is_posted = read.kind == "person" and name.casefold().endswith(POST_WORDS)
            if place is not None:
                self._place(place)

    def _reject(self, name: str) -> None:
        """What is no name may say something of the last one."""
        self.is_rejected = True
        self.is_posted = TITLE_ITEM.fullmatch(name) is not None
        if self.is_posted and self.names and OF_PICTURES.search(name):
            self.names[-1].contribution = "photography"
        if self.names and name_key(name) in SUFFIXES:
            self.names[-1].name += f", {name}"
        elif is_region(name) and not self.is_posted:
            self._extend_place(name)

    def _add(self, read: BylineName) -> None:
        self.names.append(BylineName(read.name, self.contribution, None, read.kind))
        self.waiting.append(self.names[-1])

    def _place(self, place: str) -> None:
        if not self.waiting:
            self._extend_place(place)
            return
        locate(self.waiting, place)
        self.last_place = self.waiting[-1]
        self.waiting = []

    def _extend_place(self, more: str) -> bool:
        """`London and Paris`, `Washington, D.C.`: more words of the last place, where there is one."""
        if self.last_place is None or not self.last_place.located:
            return False
        self.last_place.located += f", {more}"
        return True


def locate(names: Sequence[BylineName], place: str) -> None:
    """Say of the people among `names` where they write from; of the last one where none is a person."""
    people = [name for name in names if name.kind == "person"]
    for name in people or names[-1:]:
        name.located = place
