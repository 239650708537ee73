"""Times as sources write them, with their offset kept.

dateutil reads the 187 forms of the published suites alike, but takes forty times as long and makes a date of `10`,
`Monday` and `99`, where an embargo that nobody can read has to withhold the item.
"""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo

EARLIEST = 1800
LATEST = datetime(9998, 12, 31, 23, 59, 59, tzinfo=UTC)
"""Later times are clamped to this one: `9999-12-31` means for ever, and arithmetic on it overflows."""

_ISO = re.compile(
    r"^\s*(\d{4})-?(\d\d)-?(\d\d)(?:[T ]?(\d\d):?(\d\d)(?::?(\d\d)(?:[.,](\d+))?)?)?\s*(Z|z|UTC|GMT|[+\-\u2212]\d\d(?::?\d\d)?)?\s*$"
)


def zone(name: str) -> tzinfo:
    """The time zone of an IANA name; UTC where there is none of that name."""
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ValueError, OSError):
        return UTC


def parse(value: str, default: tzinfo = UTC) -> tuple[datetime | None, str]:
    """The time and the code of what was repaired in it: empty where nothing was, `unreadable-time` beside None.

    Understood are ISO 8601 in extended and basic form, RFC 3339 and RFC 2822; a time without an offset is in `default`.
    """
    code = ""
    found: datetime | None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        found, code = _tolerant(value)
        if found is None:
            return None, "unreadable-time"
    if found.tzinfo is None:
        found = found.replace(tzinfo=default)
        code = code or "time-without-offset"
    if found.year < EARLIEST:
        return None, "unreadable-time"
    if found.year > LATEST.year:
        return LATEST, "time-clamped"
    if (offset := found.utcoffset()) is not None and (offset.seconds % 60 or offset.microseconds):
        found = found.astimezone(UTC)
    return found, code


def _tolerant(value: str) -> tuple[datetime | None, str]:
    if match := _ISO.match(value):
        year, month, day, hour, minute, second, fraction, offset = match.groups()
        leap = second == "60"
        clean = f"{year}-{month}-{day}T{hour or '00'}:{minute or '00'}:{'59' if leap else second or '00'}"
        if fraction:
            clean += "." + fraction[:6].ljust(6, "0")
        if offset:
            clean += "+00:00" if offset in ("Z", "z", "UTC", "GMT") else offset.replace("\u2212", "-")
        midnight = hour == "24"
        if midnight:
            clean = clean.replace("T24:", "T00:")
        try:
            found = datetime.fromisoformat(clean)
            return found + timedelta(days=midnight, seconds=leap), "time-rewritten" if midnight or leap else ""
        except (ValueError, OverflowError):
            return None, ""
    try:
        return parsedate_to_datetime(value[:100]), "time-rewritten"
    except (ValueError, TypeError, IndexError, OverflowError):
        return None, ""
