"""What a source may do beside sending copy: what its powers do not cover is taken out of its versions, kept for desks, and told."""

from collections.abc import Collection, Mapping
from typing import Final, get_args

from pydantic import JsonValue

from shared.messages.raw import Flags, Power, RawUpdate, Repair

POWERS: Final[tuple[Power, ...]] = get_args(Power)
OF_A_WIRE: Final[tuple[Power, ...]] = ("kill", "embargo")
"""Of a source that nothing else is said of: kills and embargoes of its own updates."""
NOT_PERMITTED: Final = "not-permitted"
"""The code of the repair."""
KEPT_AS: Final = "not_permitted"
"""The member of `extra` that keeps what was sent."""

_NO_FLAGS: Final = Flags()
_FLAGS: Final[Mapping[str, Power]] = {"pinned": "pin", "key_event": "key_event", "closed": "story"}
"""By flag, the power that it needs."""

_OLD: Final[tuple[Power, ...]] = ("alert", "kill", "embargo", "story")
"""Of a version by a release that knew no powers. What it does to the front page is not believed; an alert, a kill, an embargo and
a story that were sent before the upgrade still count."""


def permitted(raw: RawUpdate, may: Collection[Power]) -> RawUpdate:
    """The version with no more than its source's powers cover, and with the powers.

    A kill without the power withdraws: out of sight until a usable version comes. An embargo without it does not count.
    """
    noted = tuple(power for power in POWERS if power in may)
    if not _asks_for_power(raw):
        return raw if raw.may == noted else raw.model_copy(update={"may": noted})
    changes: dict[str, object] = {"may": noted}
    sent: dict[str, JsonValue] = {}
    repairs: list[Repair] = []

    def refuse(power: Power, field: str, value: JsonValue) -> None:
        sent[field] = value
        repairs.append(Repair(code=NOT_PERMITTED, place=f"/{field}", detail=f"its source may not: {power}"))

    flags = raw.flags
    for name, power in _FLAGS.items():
        if getattr(flags, name) and power not in may:
            flags = flags.model_copy(update={name: False})
            refuse(power, f"flags/{name}", value=True)
    if raw.story and "story" not in may:
        refuse("story", "story", raw.story)
        changes["story"] = None
    if raw.embargo_until is not None and "embargo" not in may:
        refuse("embargo", "embargo_until", raw.embargo_until.isoformat())
        changes["embargo_until"] = None
    if raw.signal in ("pin", "unpin") and "pin" not in may:
        refuse("pin", "signal", raw.signal)
        changes["signal"] = "update"
    elif (raw.status == "canceled" or raw.signal in ("kill", "takedown")) and "kill" not in may:
        refuse("kill", "status" if raw.status == "canceled" else "signal", raw.signal or raw.status)
        changes |= {"status": "withheld", "signal": None}
    if flags is not raw.flags:
        changes["flags"] = flags
    if sent:
        changes["extra"] = {**raw.extra, KEPT_AS: sent}
        changes["repairs"] = (*raw.repairs, *repairs)
    return raw.model_copy(update=changes)


def _asks_for_power(raw: RawUpdate) -> bool:
    """Whether there is anything in a version that its source may need a power for."""
    return bool(
        raw.story
        or raw.embargo_until is not None
        or raw.status == "canceled"
        or raw.signal in ("pin", "unpin", "kill", "takedown")
        or raw.flags != _NO_FLAGS
    )


def of_older_release(raw: RawUpdate) -> RawUpdate:
    """A version by a release that knew no powers, as far as it is believed now; any other as it is."""
    return raw if raw.may is not None else permitted(raw, _OLD)


def says_only_what_is_not_permitted(raw: RawUpdate) -> bool:
    """Whether nothing is left of a version: it was a signal without words, such as a pin."""
    left = raw.headline or raw.body_html or raw.summary or raw.media
    return not left and KEPT_AS in raw.extra and "signal" in _kept(raw) and raw.status == "usable"


def _kept(raw: RawUpdate) -> Collection[str]:
    kept = raw.extra.get(KEPT_AS)
    return kept.keys() if isinstance(kept, dict) else ()
