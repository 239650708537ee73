"""The places of one entry in a text, and what stands for and against it at each."""

from enrich.reference.names.evidence import NAMESAKE, STRONG


class Tally:
    """The places of one entry in a text, and the best score of a place where it is meant."""

    __slots__ = ("against", "because", "is_a_person", "is_alone", "is_long", "places", "score", "slight")

    def __init__(self) -> None:
        self.places: list[tuple[int, int]] = []
        self.score, self.because = -1.0, ""
        self.is_long = self.is_alone = self.is_a_person = False
        """Whether one of its spellings has several words; one means nothing else; the text speaks of somebody, or of a club, of that name."""
        self.against: list[tuple[int, int, float, str]] = []
        self.slight: set[tuple[int, int]] = set()
        """Places where nothing around speaks for the entry, nor against it."""

    def add(self, start: int, end: int, score: float, because: str, *, is_long: bool) -> None:
        """A place where it is meant."""
        self.places.append((start, end))
        self.is_alone = True
        self.is_long = self.is_long or is_long
        if score > self.score:
            self.score, self.because = score, because

    def add_weighed(
        self, start: int, end: int, score: float, because: str, weight: float, *, is_alone: bool, is_long: bool
    ) -> None:
        """A place that may mean it, by what stands around."""
        if weight <= STRONG:
            self.is_a_person = self.is_a_person or any(each in because for each in NAMESAKE)
            self.against.append((start, end, score, because))
            return
        was_alone = self.is_alone
        self.add(start, end, score, because, is_long=is_long)
        self.is_alone = was_alone or is_alone
        if weight <= 0 and not is_long:
            self.slight.add((start, end))

    def result(self) -> tuple[list[tuple[int, int]], float, str, bool]:
        """The places where it is meant, how sure that is and why, and whether it is a suggestion only: then all places."""
        places, score, because = sorted(self.places), self.score, self.because
        if self.is_a_person and not self.is_long:
            # The text speaks of somebody of that name: only what says otherwise by itself means the entry.
            places = [place for place in places if place not in self.slight]
        is_meant = bool(places) and self.is_alone
        if not places:
            places = sorted(self.places) or [(start, end) for start, end, _, _ in self.against]
            if self.against:
                _, _, score, because = max(self.against, key=lambda each: each[2])
        return places, score, because, not is_meant
