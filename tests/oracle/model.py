"""What must be visible, by the inputs that were acknowledged: an independent model, which imports nothing of the services.

One update is folded input by input, in the order in which its sender was answered. Time passes by moments: the end of an
embargo, an expiry. An input that was under way while a moment came could count as before it or after; such an update is not
judged by its words (`unsure`), and the report says how many there were.
"""

import base64
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

SENTENCES = 3
DRAIN_S = 0.5
"""Clocks of one machine: an input that was answered so long before a moment was received before it."""

Part = Literal["headline", 0, 1, 2]
Removal = Literal["", "killed", "taken-down", "withdrawn", "expired"]


def update_id_of(source: str, guid: str) -> str:
    """The id of an update, as the contract has it."""
    digest = hashlib.sha256(source.encode() + b"\0" + guid.encode()).digest()
    return base64.b32encode(digest).decode().lower()[:26]


@dataclass(frozen=True)
class Shown:
    """What readers are shown of an update: its words and flags, or that it was removed. Never shown: `hidden`."""

    headline: str = ""
    text: str = ""
    note: str = ""
    pinned: bool = False
    key_event: bool = False
    closed: bool = False
    removal: Removal = ""
    hidden: bool = False


HIDDEN = Shown(hidden=True)


@dataclass(frozen=True)
class Words:
    """A headline and a body of whole sentences, each with a word that occurs nowhere else."""

    headline: str
    sentences: tuple[str, ...]

    def part(self, part: Part) -> str:
        """One of the texts that are changed by themselves."""
        return self.headline if part == "headline" else self.sentences[part]

    def with_part(self, part: Part, text: str) -> "Words":
        """The same with one part changed."""
        if part == "headline":
            return replace(self, headline=text)
        return replace(self, sentences=tuple(text if i == part else each for i, each in enumerate(self.sentences)))

    @property
    def html(self) -> str:
        """The body as it is sent."""
        return "".join(f"<p>{sentence}</p>" for sentence in self.sentences)


@dataclass(frozen=True)
class Version:
    """A version as its source sent it."""

    number: int
    words: Words
    note: str = ""
    picture: bool = False
    author: str = ""
    """The id that the directory gives to the name of its byline."""
    withheld: bool = False
    embargo_until: float | None = None
    expires_at: float | None = None


@dataclass(frozen=True)
class Input:
    """What was acknowledged about one update: a version, or an order or signal by its name."""

    kind: str
    """`version`, `correct`, `kill`, `takedown`, `cancel`, `withdraw`, `restore`, `expire`, `pin`, `unpin`, `key-event`,
    `close`; `repeat` is a version that was there before."""
    version: Version | None = None
    part: Part = "headline"
    text: str = ""
    """A correction's new text for `part`."""


@dataclass
class State:
    """One of the things that readers are shown in turn."""

    shown: Shown
    skippable: bool
    """What follows on it may be published in its stead."""


@dataclass
class Update:
    """The fold of one update."""

    source: str
    guid: str
    states: list[State] = field(default_factory=lambda: [State(HIDDEN, skippable=True)])
    current: Version | None = None
    held: Version | None = None
    expired: bool = False
    kept: bool = False
    """Whether a desk has restored it after it expired: then it stays."""
    corrected: dict[Part, str] = field(default_factory=dict)
    """What the desk made of each part that it corrected. It stands, whatever the source says of that part."""
    hidden_by_desk: Removal = ""
    flags: dict[str, bool] = field(default_factory=dict)
    final: Removal = ""
    killed_at: float | None = None
    """When a kill was acknowledged."""
    unsure: bool = False
    released: bool = False
    """It was once under embargo, or came out some other way than at once: nothing is said of its place."""
    inputs: list[tuple[float, float, str]] = field(default_factory=list)

    @property
    def update_id(self) -> str:
        """Its id."""
        return update_id_of(self.source, self.guid)

    @property
    def shown(self) -> Shown:
        """What readers must see now."""
        return self.states[-1].shown

    @property
    def moment(self) -> float | None:
        """When time next changes something: in seconds of the Unix epoch."""
        if self.final:
            return None
        expires_at = (
            self.current.expires_at
            if self.current and not self.expired and not self.kept and not self.shown.removal
            else None
        )
        moments = [each for each in (self.held and self.held.embargo_until, expires_at) if each]
        return min(moments, default=None)

    def pass_time(self, until: float) -> None:
        """What happens by itself up to a moment."""
        while (moment := self.moment) is not None and moment <= until:
            if self.held is not None and self.held.embargo_until == moment:
                self.current, self.held, self.expired, self.kept = self.held, None, False, False
            else:
                self.expired = True
            self._show(skippable=True)

    def take(self, given: Input, sent_at: float, answered_at: float) -> None:
        """An input that was first sent at one time, and acknowledged at another."""
        self.inputs.append((sent_at, answered_at, given.kind))
        self.pass_time(sent_at - DRAIN_S)
        own = (given.version.embargo_until, given.version.expires_at) if given.version is not None else ()
        for moment in (self.moment, *own):
            if moment is not None and moment < answered_at + DRAIN_S and given.kind != "repeat":
                self.unsure = True
        ends = self.current.expires_at if self.current is not None and given.kind == "restore" else None
        if ends is not None and sent_at - DRAIN_S <= ends <= answered_at + DRAIN_S:
            self.unsure = True
        self._take(given, answered_at)
        self._show(skippable=False)

    def _take(self, given: Input, answered_at: float) -> None:
        if given.kind in ("kill", "takedown", "cancel"):
            final: Removal = "taken-down" if given.kind == "takedown" else "killed"
            if self.final != "taken-down":
                self.final = final
            self.killed_at = self.killed_at or answered_at
        elif self.final or given.kind == "repeat":
            return
        elif given.kind == "version":
            assert given.version is not None
            self._take_version(given.version)
        elif given.kind == "correct":
            self.corrected[given.part] = given.text
        elif given.kind in ("withdraw", "expire"):
            self.hidden_by_desk = "withdrawn" if given.kind == "withdraw" else "expired"
        elif given.kind == "restore":
            self.hidden_by_desk = ""
            if self.current is not None and (self.current.expires_at or answered_at) < answered_at:
                self.expired, self.kept = False, True
        else:
            flag = {"pin": "pinned", "unpin": "pinned", "key-event": "key_event", "close": "closed"}[given.kind]
            self.flags[flag] = given.kind != "unpin"

    def _take_version(self, version: Version) -> None:
        if version.embargo_until is not None:
            self.held, self.released = version, True
            return
        self.released = self.released or version.withheld
        self.current, self.held, self.expired, self.kept, self.hidden_by_desk = version, None, False, False, ""

    def _show(self, *, skippable: bool) -> None:
        shown = self._compute()
        if shown != self.shown:
            self.states.append(State(shown, skippable))

    def _compute(self) -> Shown:
        if self.final:
            return Shown(removal=self.final)
        if self.current is None:
            return HIDDEN
        removal: Removal = self.hidden_by_desk or ("withdrawn" if self.current.withheld else "")
        if not removal and self.expired:
            removal = "expired"
        if removal:
            # What was never shown cannot be removed.
            return HIDDEN if self.shown.hidden else Shown(removal=removal)
        words = self.current.words
        for part, text in self.corrected.items():
            words = words.with_part(part, text)
        return Shown(
            words.headline, " ".join(words.sentences), self.current.note,
            **{name: self.flags.get(name, False) for name in ("pinned", "key_event", "closed")},
        )  # fmt: skip


@dataclass(frozen=True)
class Placed:
    """An update whose place is judged: when its first version was accepted."""

    request: int
    """Counts the requests of its source."""
    index: int
    """Its place in the request; -1 where the request was repeated, so that within it anything goes."""
    update_id: str


@dataclass
class Model:
    """All updates, and in which order each source's came."""

    updates: dict[str, Update] = field(default_factory=dict)
    order: dict[str, list[Placed]] = field(default_factory=dict)
    words_from: dict[str, float] = field(default_factory=dict)
    """By unique word: from when on it may be seen at all; what is not here may be seen once it was sent."""
    accepted: int = 0
    roles: dict[str, str] = field(default_factory=dict)
    """By author, the role that the directory was given last."""

    def update(self, source: str, guid: str) -> Update:
        """The update of that name."""
        update_id = update_id_of(source, guid)
        if update_id not in self.updates:
            self.updates[update_id] = Update(source, guid)
        return self.updates[update_id]

    def pass_time(self, until: float) -> None:
        """What happens by itself to all of them."""
        for update in self.updates.values():
            update.pass_time(until)

    def visible(self) -> Iterator[Update]:
        """Those that readers must see now."""
        return (each for each in self.updates.values() if not each.shown.hidden and not each.shown.removal)

    def placed(self, source: str) -> list[Placed]:
        """The updates of a source whose places are judged, in the order in which they were accepted."""
        return [each for each in self.order.get(source, ()) if not self.updates[each.update_id].released]


def shown_of(content: Mapping[str, object]) -> Shown:
    """What a revision shows, of its JSON in whatever channel: the members of the API, or the record of the log."""
    if content.get("removal"):
        return Shown(removal=str(content["removal"]))  # type: ignore[arg-type]
    flags = content.get("flags") or content
    assert isinstance(flags, Mapping)
    return Shown(
        str(content.get("headline", "")),
        " ".join(str(content.get("text", "")).split()),
        str(content.get("editors_note", "")),
        **{name: bool(flags.get(name)) for name in ("pinned", "key_event", "closed")},
    )
