"""Pure rules: first whether an update is an alert and how pressing, then whether a reader gets it now or in a digest."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import orjson
from pydantic import BaseModel, ConfigDict, Field

from publish.representation.position import channels_of
from publish.representation.reader_update import ReaderUpdate

TOP = 1
LOWEST = 3


class Rule(BaseModel):
    """Updates for which all that is given holds are alerts of this level."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    level: int = Field(ge=TOP, le=LOWEST)
    urgency_at_most: int | None = Field(default=None, ge=1, le=9)
    sources: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    key_event: bool | None = None

    def holds(self, update: ReaderUpdate, *, trusts_urgency: bool = True) -> bool:
        """Whether an update is meant. An urgency that is not trusted counts only in a rule that names its source."""
        if self.urgency_at_most is not None and not (trusts_urgency or self.sources):
            return False
        return (
            (self.urgency_at_most is None or (update.urgency is not None and update.urgency <= self.urgency_at_most))
            and (not self.sources or update.source in self.sources)
            and (not self.channels or not channels_of(update).isdisjoint(self.channels))
            and (self.key_event is None or update.key_event == self.key_event)
        )

    @property
    def words(self) -> str:
        """The rule in words, for the reason of an alert."""
        parts = [
            f"urgency up to {self.urgency_at_most}" if self.urgency_at_most is not None else "",
            f"source {' or '.join(self.sources)}" if self.sources else "",
            f"channel {' or '.join(self.channels)}" if self.channels else "",
            {True: "key event", False: "no key event", None: ""}[self.key_event],
        ]
        return ", ".join(part for part in parts if part) or "every update"


class AlertRules(BaseModel):
    """The newsroom's rules; of those that hold, the most pressing level counts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rules: tuple[Rule, ...] = (
        Rule(level=1, urgency_at_most=1),
        Rule(level=2, urgency_at_most=2),
        Rule(level=3, key_event=True),
    )
    max_age_s: float = Field(default=900.0, gt=0)
    """An update that was enriched longer ago is no news any more."""
    story_hours: float = Field(default=12.0, ge=0)
    """One alert for a story in so many hours, unless the level rises."""
    top_level_people: int = Field(default=2, ge=1)
    """How many people an alert of the top level needs."""
    approval_s: float = Field(default=3600.0, gt=0)
    """How long it waits for them; what nobody has approved by then is no news any more."""
    per_hour: int = Field(default=4, ge=1)
    per_day: int = Field(default=12, ge=1)
    """What a reader gets at most, unless the reader wants less."""
    ttl_s: int = Field(default=14_400, ge=0)
    """How long a push service keeps an alert for a device that is away."""

    def level_of(self, update: ReaderUpdate, *, trusts_urgency: bool = True) -> tuple[int, str] | None:
        """The level of an update and why; None where it is no alert. `trusts_urgency`: its source may ask for alerts."""
        holding = sorted(
            (rule.level, rule.words) for rule in self.rules if rule.holds(update, trusts_urgency=trusts_urgency)
        )
        return holding[0] if holding else None


def read_rules(path: Path | None) -> AlertRules:
    """The rules of a JSON file, or the built-in ones."""
    return AlertRules() if path is None else AlertRules.model_validate(orjson.loads(path.read_bytes()))


@dataclass(frozen=True, slots=True)
class AlertDecision:
    """What a candidate becomes: `state` of the alert, and the reason for it."""

    state: Literal["sending", "unreadable", "awaiting-approval", "suppressed"]
    reason: str


@dataclass(frozen=True, slots=True)
class EarlierAlert:
    """An alert that went out or is about to."""

    update_id: str
    story: str | None
    level: int
    created_at: datetime


def decide_alert(
    update: ReaderUpdate,
    level: int,
    why: str,
    *,
    rules: AlertRules,
    earlier: Sequence[EarlierAlert],
    people: int,
    readable: bool,
    now: datetime,
    muted: str | None = None,
) -> AlertDecision:
    """Whether an alert of this level leaves.

    `earlier` are those of the update and of its story; `people` have asked for it; `muted` says by which mute it stays.
    """
    if muted is not None:
        return AlertDecision("suppressed", muted)
    enriched_at = update.passport.enriched_at or update.passport.received_at
    if people == 0 and now - enriched_at > timedelta(seconds=rules.max_age_s):
        return AlertDecision("suppressed", f"too old: enriched more than {rules.max_age_s:.0f} s ago")
    of_update = [each.level for each in earlier if each.update_id == update.update_id]
    if of_update and level >= min(of_update):
        return AlertDecision("suppressed", "this update was alerted already, at this level or a more pressing one")
    since = now - timedelta(hours=rules.story_hours)
    of_story = [
        each.level for each in earlier if update.story and each.story == update.story and each.created_at > since
    ]
    if of_story and level >= min(of_story):
        return AlertDecision("suppressed", "its story was alerted already, at this level or a more pressing one")
    if level == TOP and people < rules.top_level_people:
        return AlertDecision("awaiting-approval", f"{why}; the top level needs {rules.top_level_people} people")
    return AlertDecision("sending" if readable else "unreadable", why)


@dataclass(frozen=True, slots=True)
class Reader:
    """What a reader has asked for, and has had."""

    time_zone: str
    quiet_from: time | None
    quiet_to: time | None
    break_through: int
    per_hour: int
    per_day: int
    sent_hour: int = 0
    sent_day: int = 0


def is_quiet(reader: Reader, now: datetime) -> bool:
    """Whether it is within the reader's quiet hours, by the clock where the reader is, also over midnight."""
    if reader.quiet_from is None or reader.quiet_to is None or reader.quiet_from == reader.quiet_to:
        return False
    local = now.astimezone(ZoneInfo(reader.time_zone)).time()
    if reader.quiet_from < reader.quiet_to:
        return reader.quiet_from <= local < reader.quiet_to
    return local >= reader.quiet_from or local < reader.quiet_to


@dataclass(frozen=True, slots=True)
class ReaderDecision:
    """What a reader gets of an alert, and the reason if it is not the alert itself."""

    result: Literal["send", "digest"]
    reason: str = ""


def decide_for_reader(reader: Reader, level: int, now: datetime) -> ReaderDecision:
    """Now, or in the next digest: nothing is dropped for a reader."""
    if is_quiet(reader, now) and level > reader.break_through:
        return ReaderDecision("digest", "quiet hours")
    # The top level is what an alert is for: a cap that is used up by lesser ones does not hold it back.
    if level > TOP and reader.sent_hour >= reader.per_hour:
        return ReaderDecision("digest", f"cap of {reader.per_hour} an hour")
    if level > TOP and reader.sent_day >= reader.per_day:
        return ReaderDecision("digest", f"cap of {reader.per_day} a day")
    return ReaderDecision("send")
