"""The words around one place in a text."""

import re

from enrich.reference.names.cues import sentence
from enrich.reference.names.words import ABBREVIATED, EXPLAINED, FUNCTION

AROUND = 40
"""Characters on either side that are looked at."""
BREAKS = frozenset('.!?:;"“„«(|–—…‘')
"""Behind which a sentence or a quotation begins."""
AGED = re.compile(r", (?:aged )?\d{2}(?=[,.)])")
STATE = re.compile(r"[A-Z][a-z]+")


class Surroundings:
    """The words around one place in a text. Read with the plainest means: there are some for each update."""

    __slots__ = (
        "_start",
        "_whole",
        "after",
        "after_at",
        "after_end",
        "before",
        "first",
        "is_adjacent",
        "is_behind",
        "is_possessive",
        "word",
    )

    def __init__(self, whole: str, start: int, end: int) -> None:
        self._whole, self._start, self.after_end = whole, start, end
        self.word = whole[start:end]
        self.before, self.first, self.is_adjacent = "", True, False
        """The word before, whether a sentence begins here, whether nothing but a space stands between."""
        if start > 1 and whole[start - 1] in " \xa0":
            token = whole[whole.rfind(" ", max(0, start - AROUND), start - 1) + 1 : start - 1]
            token = token[token.rfind("\n") + 1 :]
            last = token[-1:]
            if last.isalnum():
                self.before, self.first, self.is_adjacent = token.lstrip("\"'“„«(‘"), False, True
            elif last == "." and token[:-1].casefold() in ABBREVIATED:
                self.before, self.first, self.is_adjacent = token, False, True
            elif last == "." and len(token) == 2 and token[0].isupper():
                # An initial: Michael J. Fox.
                self.before, self.first, self.is_adjacent = token, False, True
            elif last and last not in BREAKS:
                self.before, self.first = token.strip("\"'“„«(‘,”»)’"), False
        elif start > 1 and whole[start - 1] not in BREAKS and whole[start - 1] != "\n":
            self.first = False
        self.after, self.after_at, self.is_behind = "", end, False
        self.is_possessive = whole[end : end + 2] in ("'s", "’s")
        if whole[end : end + 1] in (" ", "\xa0"):
            self.after, self.after_at, self.is_behind = self._token(end + 1)

    @property
    def is_listed(self) -> bool:
        """Whether another capitalised word follows a comma, as in a list of names."""
        behind = self._whole[self.after_end : self.after_end + 3]
        return behind[:2] == ", " and behind[2:].isupper()

    @property
    def is_explained(self) -> bool:
        """Whether a comma and an article follow, as in `Dove, the soap brand`."""
        return EXPLAINED.match(self._whole, self.after_end) is not None

    @property
    def hyphened(self) -> str:
        """The compound that the word is a part of, as in `Smith-May` and `May-Britt`; empty where it is none."""
        before, after = self._whole[self._start - 2 : self._start], self._whole[self.after_end : self.after_end + 2]
        if self._start > 1 and before[1:] == "-" and before[0].isalpha():
            return f"…-{self.word}"
        return f"{self.word}-…" if after[:1] == "-" and after[1:].isupper() else ""

    def _token(self, at: int) -> tuple[str, int, bool]:
        stop = self._whole.find(" ", at, at + AROUND)
        token = self._whole[at : stop if stop >= 0 else at + AROUND]
        if "\n" in token:
            token = token[: token.find("\n")]
        return token.rstrip(".,;:!?\"'”»)’"), at + len(token), True

    @property
    def after_next(self) -> str:
        """The word behind the next one."""
        return self._token(self.after_at + 1)[0] if self._whole[self.after_at : self.after_at + 1] == " " else ""

    @property
    def before_last(self) -> str:
        """The word before the one before."""
        at = self._start - len(self.before) - 1
        return self._whole[max(0, at - AROUND) : max(at, 0)].rstrip().rpartition(" ")[2].strip("\"'“„«(‘,”»)’")

    @property
    def is_aged(self) -> bool:
        """Whether an age follows behind a comma, as in `King, 41, starts`."""
        return AGED.match(self._whole, self.after_end) is not None

    @property
    def state_behind(self) -> str:
        """The one word behind a comma, small, as in `Paris, Texas`."""
        if self._whole[self.after_end : self.after_end + 2] != ", ":
            return ""
        found = STATE.match(self._whole, self.after_end + 2)
        return found[0].casefold() if found else ""

    @property
    def sentence(self) -> tuple[str, str]:
        """What stands before and behind the name in its sentence."""
        return sentence(self._whole, self._start, self.after_end)

    def is_written_small(self) -> bool:
        """Whether the text has the word in small letters as well."""
        small = self.word.lower()
        return re.search(rf"(?<![\w-]){re.escape(small)}(?![\w-])", self._whole) is not None

    @property
    def beside_before(self) -> str:
        """The capitalised word right before, in the same sentence."""
        return self.before if self.is_adjacent and self.before[:1].isupper() else ""

    @property
    def beside_after(self) -> str:
        """The capitalised word right behind, in the same phrase."""
        is_beside = self.is_behind and self.after[:1].isupper() and self.after.casefold() not in FUNCTION
        return re.split(r"['’]s$", self.after)[0] if is_beside else ""
