"""What one source and its desk send next: drawn by a seed, about updates that the model knows.

Every word that matters occurs once in a run, so that whoever sees it anywhere knows which version it is of.
"""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from oracle.model import SENTENCES, Input, Model, Part, Update, Version, Words, update_id_of

VOCABULARY = [
    "harbour",
    "council",
    "bridge",
    "ferry",
    "market",
    "tram",
    "school",
    "river",
    "museum",
    "budget",
    "strike",
    "verdict",
    "orchard",
    "storm",
    "valley",
    "rail",
    "vote",
    "mayor",
    "hospital",
    "engine",
    "library",
    "winter",
    "contract",
    "ceasefire",
    "inquiry",
    "festival",
    "glacier",
    "refinery",
    "minister",
    "tunnel",
    "senate",
    "lantern",
    "quarry",
]
AUTHORS = {
    "ada-quill": "Ada Quill",
    "ben-harbour": "Ben Harbour",
    "cleo-marsh": "Cleo Marsh",
    "dan-orchard": "Dan Orchard",
}
"""Names of bylines by the ids that the directory gives them, once it knows them."""
PICTURES = 0.04
"""Of the new updates have one."""
LEAST_MARGIN_S = 2.5
"""Nothing is sent about an update so shortly before a moment of it comes, lest nobody know which was first."""

WRITTEN_S = 3.0
"""Before it is sent, a version was written."""
Item = tuple[Update, Input]


@dataclass(frozen=True)
class Request:
    """One request: what is posted, and what it says about which updates."""

    path: str
    body: Any
    items: Sequence[Item]
    by_desk: bool = False
    anew: bool = False
    """Whether it is none of what was sent before, so that nothing of it may be a duplicate."""
    places: Sequence[Update] = ()
    """The updates that are new with it and public at once, in order."""
    hidden_until: dict[str, float] = field(default_factory=dict)
    """By unique word, the moment before which it must not be seen."""


def moment(at: float) -> str:
    """A time as it is sent."""
    return datetime.fromtimestamp(at, UTC).isoformat()


class Wire:
    """What comes of one source."""

    def __init__(self, model: Model, source: str, prefix: int, *, seed: int, pictures: str = "") -> None:
        self.source = source
        self._model = model
        self._prefix = prefix
        self._random = random.Random(f"{seed}:{source}")
        self._pictures = pictures
        self._words = 0
        self._guids = 0
        self._updates: list[Update] = []
        self._sent: dict[str, list[dict[str, Any]]] = {}
        """By update id, the documents of its versions as they were sent."""

    def next(self) -> Request:
        """The next request; what it is about is told to the model once it was acknowledged."""
        kinds: dict[Callable[[], Request | None], float] = {
            self._new: 26, self._batch: 12, self._version: 22, self._repeat: 5, self._older: 3, self._correct: 8,
            self._flag: 7, self._note: 2, self._withdraw: 3, self._restore: 5, self._withhold: 3, self._kill: 5,
            self._kill_first: 1, self._embargo: 4, self._expiry: 4, self._after_kill: 2, self._future: 2, self._after_future: 3,
        }  # fmt: skip
        while True:
            [kind] = self._random.choices(list(kinds), list(kinds.values()))
            if (request := kind()) is not None:
                return request

    # Words

    def _word(self) -> str:
        self._words += 1
        return f"zq{self._prefix}{self._words:06d}"

    def _sentence(self) -> str:
        said = self._random.choices(VOCABULARY, k=10)
        said.insert(5, self._word())
        return " ".join(said).capitalize() + "."

    def _new_words(self) -> Words:
        return Words(self._sentence(), tuple(self._sentence() for _ in range(SENTENCES)))

    def _edited(self, text: str) -> str:
        """The text with its unique word replaced by another."""
        return " ".join(f"{self._word()}" if word.startswith("zq") else word for word in text.split(" "))

    def _part(self) -> Part:
        parts: list[Part] = ["headline", 0, 1, 2]
        return self._random.choice(parts)

    # Documents

    def _document(self, update: Update, version: Version, **more: Any) -> dict[str, Any]:
        document = {
            "guid": update.guid, "version": str(version.number), "headline": version.words.headline,
            "body_html": version.words.html,
        }  # fmt: skip
        if _is_dated(update):
            document["version_created"] = moment(time.time() - WRITTEN_S)
        document |= more
        if version.author:
            document["byline"] = f"By {AUTHORS[version.author]}"
        if version.picture:
            name = f"{self._pictures}/{update.update_id}.jpg"
            document["media"] = [{"url": name, "credit": "A. Quill", "caption": "A photo"}]
        if version.note:
            document["editors_note"] = version.note
        if version.withheld:
            document["status"] = "withheld"
        if version.embargo_until is not None:
            document["embargo_until"] = moment(version.embargo_until)
        if version.expires_at is not None:
            document["expires_at"] = moment(version.expires_at)
        self._sent.setdefault(update.update_id, []).append(document)
        return document

    def _create(self) -> Update:
        self._guids += 1
        update = self._model.update(self.source, f"{self.source}-{self._guids}")
        self._updates.append(update)
        return update

    def _push(self, update: Update, version: Version, **more: Any) -> Request:
        is_new = version.number == 1
        public = is_new and not version.withheld and version.embargo_until is None
        return Request(
            "/v1/updates", self._document(update, version, **more), [(update, Input("version", version))],
            anew=True, places=[update] if public else (),
        )  # fmt: skip

    def _order(self, update: Update, given: Input, **more: Any) -> Request:
        body = {"order": given.kind, "by": "night editor", **more}
        return Request(f"/v1/updates/{update.update_id}/orders", body, [(update, given)], by_desk=True)

    # Which update

    def _some(self, condition: Callable[[Update], bool]) -> Update | None:
        """One of the latest updates that fits, and of which no moment is near."""
        near = time.time() + LEAST_MARGIN_S
        latest = self._updates[-60:]
        self._random.shuffle(latest)
        for update in latest:
            if condition(update) and ((at := update.moment) is None or at > near):
                return update
        return None

    def _visible(self) -> Update | None:
        return self._some(lambda each: not each.shown.hidden and not each.shown.removal and each.held is None)

    # Kinds of request

    def _new(self) -> Request:
        return self._push(self._create(), self._first_version())

    def _first_version(self) -> Version:
        author = self._random.choice(list(AUTHORS)) if self._random.random() < 0.3 else ""
        has_picture = bool(self._pictures) and self._random.random() < PICTURES
        return Version(1, self._new_words(), author=author, picture=has_picture)

    def _batch(self) -> Request:
        updates = [self._create() for _ in range(self._random.randint(4, 20))]
        versions = [self._first_version() for _ in updates]
        documents = [self._document(*pair) for pair in zip(updates, versions, strict=True)]
        items = [(update, Input("version", version)) for update, version in zip(updates, versions, strict=True)]
        return Request("/v1/updates", documents, items, anew=True, places=updates)

    def _version(self) -> Request | None:
        """The source changes one of its sentences; where a desk has corrected that one, its correction stands."""
        update = self._visible()
        if update is None or update.current is None:
            return None
        before, part = update.current, self._part()
        words = before.words.with_part(part, self._edited(before.words.part(part)))
        return self._push(update, replace(_plain(before), number=self._number(update), words=words))

    def _number(self, update: Update) -> int:
        return len(self._sent.get(update.update_id, ())) + 1

    def _repeat(self) -> Request | None:
        update = self._visible()
        if update is None:
            return None
        return Request("/v1/updates", self._sent[update.update_id][-1], [(update, Input("repeat"))])

    def _older(self) -> Request | None:
        update = self._some(lambda each: len(self._sent.get(each.update_id, ())) > 1)
        if update is None:
            return None
        return Request("/v1/updates", self._sent[update.update_id][0], [(update, Input("repeat"))])

    def _correct(self) -> Request | None:
        update = self._visible()
        if update is None or update.current is None:
            return None
        part, words = self._part(), update.current.words
        for known, text in update.corrected.items():
            words = words.with_part(known, text)
        text = self._edited(words.part(part))
        changed = words.with_part(part, text)
        field = {"headline": changed.headline} if part == "headline" else {"body_html": changed.html}
        return self._order(update, Input("correct", part=part, text=text), reason="A wrong word", **field)

    def _flag(self) -> Request | None:
        update = self._visible()
        if update is None:
            return None
        return self._order(update, Input(self._random.choice(["pin", "pin", "unpin", "key-event", "close"])))

    def _note(self) -> Request | None:
        update = self._visible()
        if update is None or update.current is None:
            return None
        return self._push(update, Version(self._number(update), update.current.words, note=self._sentence()))

    def _withdraw(self) -> Request | None:
        update = self._visible()
        if update is None:
            return None
        kind = self._random.choice(["withdraw", "withdraw", "expire"])
        return self._order(update, Input(kind), reason="Not ours to publish")

    def _restore(self) -> Request | None:
        update = self._some(lambda each: each.hidden_by_desk == "withdrawn" and not each.final)
        return self._order(update, Input("restore")) if update is not None else None

    def _withhold(self) -> Request | None:
        """The source withholds an update; another time it gives it free again, by its next version."""
        hidden = self._some(lambda each: each.current is not None and each.current.withheld and not each.final)
        if hidden is not None and hidden.current is not None:
            return self._push(hidden, Version(self._number(hidden), hidden.current.words))
        update = self._visible()
        if update is None or update.current is None:
            return None
        return self._push(update, Version(self._number(update), update.current.words, withheld=True))

    def _kill(self) -> Request | None:
        update = self._some(lambda each: not each.final and bool(each.inputs))
        if update is None:
            return None
        kind = self._random.choice(["kill", "kill", "kill", "takedown", "cancel"])
        if kind == "cancel":
            document = {"guid": update.guid, "version": str(self._number(update)), "status": "canceled"}
            return Request("/v1/updates", document, [(update, Input("cancel"))], anew=True)
        return self._order(update, Input(kind), reason="Legal")

    def _kill_first(self) -> Request:
        """A kill that overtakes its update, whose id a desk can know."""
        update = self._create()
        assert update.update_id == update_id_of(self.source, update.guid)
        return self._order(update, Input("kill"), reason="Legal, before it came")

    def _after_kill(self) -> Request | None:
        update = self._some(lambda each: bool(each.final))
        if update is None:
            return None
        return self._push(update, Version(self._number(update) + 10, self._new_words()))

    def _embargo(self) -> Request:
        update, until = self._create(), time.time() + self._random.uniform(4, 9)
        version = Version(1, self._new_words(), embargo_until=round(until, 3))
        request = self._push(update, version)
        texts = (version.words.headline, *version.words.sentences)
        request.hidden_until.update({word: until for text in texts for word in unique_words(text)})
        return request

    def _expiry(self) -> Request:
        until = round(time.time() + self._random.uniform(6, 14), 3)
        return self._push(self._create(), Version(1, self._new_words(), expires_at=until))

    def _future(self) -> Request | None:
        """A version dated a day ahead by mistake; what the source says after it counts all the same."""
        update = self._visible()
        if update is None or update.current is None or self._number(update) > 2:
            return None
        words = update.current.words.with_part(0, self._edited(update.current.words.part(0)))
        ahead = (datetime.now(UTC) + timedelta(days=1)).isoformat()
        return self._push(update, Version(self._number(update), words), version_created=ahead)

    def _after_future(self) -> Request | None:
        """What the source says next; where it is dated, it may have been written before the wrong one was received."""
        now = moment(time.time())
        update = self._some(
            lambda each: not each.final and not each.shown.hidden and not each.shown.removal
            and self._sent[each.update_id][-1].get("version_created", "") > now
        )  # fmt: skip
        if update is None or update.current is None:
            return None
        words = update.current.words.with_part(1, self._edited(update.current.words.part(1)))
        return self._push(update, replace(_plain(update.current), number=self._number(update), words=words))


def _is_dated(update: Update) -> bool:
    """Whether its source says of each version when it was written."""
    return int(update.guid.rpartition("-")[2]) % 2 == 0


def _plain(version: Version) -> Version:
    """A version without what holds for that version alone."""
    return replace(version, note="", withheld=False, embargo_until=None, expires_at=None)


def unique_words(text: str) -> list[str]:
    """The words of a text that occur nowhere else in the run."""
    return [word for part in text.split() if (word := part.strip(".,").lower()).startswith("zq")]
