"""Times as sources write them, with their offset kept.

dateutil reads the 187 forms of the published suites alike, but takes forty times as long and makes a date of `10`,
`Monday` and `99`, where an embargo that nobody can read has to withhold the item.
"""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from email.utils import parsedate_to_datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

EARLIEST = 1800
LATEST = datetime(9998, 12, 31, 23, 59, 59, tzinfo=UTC)
"""Later times are clamped to this one: `9999-12-31` means for ever, and arithmetic on it overflows."""

_ISO = re.compile(
    r"^\s*(\d{4})-?(\d\d)-?(\d\d)(?:[T ]?(\d\d):?(\d\d)(?::?(\d\d)(?:[.,](\d+))?)?)?\s*(Z|z|UTC|GMT|[+\-\u2212]\d\d(?::?\d\d)?)?\s*$"
)


def zone(name: str) -> tzinfo:
    """The time zone of an IANA name; UTC where there is none of that name, which profiles are not permitted to have."""
    return _named(name) or UTC


@lru_cache(512)
def _named(name: str) -> tzinfo | None:
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return None


def is_zone(name: str) -> bool:
    """Whether there is a time zone of that IANA name."""
    return _named(name) is not None


def parse(value: str, default: tzinfo = UTC, *, latest: bool = False) -> tuple[datetime | None, str]:
    """The time and the code of what was repaired in it: empty where nothing was, `unreadable-time` beside None.

    Understood are ISO 8601 in extended and basic form, RFC 3339 and RFC 2822 with the zone names of the world, and seconds
    since 1970; a time without an offset is in `default`. Where a time can mean two moments the later one is taken if
    `latest` is set, as embargoes want it, and one of an unknown zone is then none.
    """
    code = ""
    found: datetime | None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        found, code = _tolerant(value, default, latest=latest)
        if found is None:
            return None, code or "unreadable-time"
    if found.tzinfo is None:
        found, twice = _local(found, default, latest=latest)
        code = "time-ambiguous" if twice else code or "time-without-offset"
    if found.year < EARLIEST:
        return None, "unreadable-time"
    if found.year > LATEST.year:
        return LATEST, "time-clamped"
    if (offset := found.utcoffset()) is not None and (offset.seconds % 60 or offset.microseconds):
        found = found.astimezone(UTC)
    return found, code


def _local(naive: datetime, zone: tzinfo, *, latest: bool) -> tuple[datetime, bool]:
    """A time of a zone's clock, and whether it is in an hour that a change of the clock repeats or leaves out."""
    first, second = naive.replace(tzinfo=zone, fold=0), naive.replace(tzinfo=zone, fold=1)
    if first.utcoffset() == second.utcoffset():
        return first, False
    meant = max(first, second, key=lambda one: one.astimezone(UTC)) if latest else first
    # With its offset fixed: a time of such an hour is equal to no other in Python, by PEP 495.
    return meant.replace(tzinfo=timezone(meant.utcoffset() or timedelta(0)), fold=0), True


_ZONE = re.compile(
    r"(?P<head>.*?[\d.])\s*(?P<half>[AaPp]\.?[Mm]\.?(?![A-Za-z]))?\s*[\[(]?(?P<zone>[A-Za-z][A-Za-z_]{1,30}(?:/[A-Za-z_+\-]{1,40}){0,2}(?:\s?[+\-\u2212]\d{1,2}(?::?\d\d)?)?)[\])]?\s*"
)
_GMT = re.compile(r"(?:GMT|UTC|UT|Z)\s?([+\-\u2212])(\d{1,2})(?::?(\d\d))?", re.IGNORECASE)
_HALF = re.compile(r"(?<=[\d ])[AaPp]\.?[Mm]\.?$")
_EPOCH = re.compile(r"\s*(\d{9,10}|\d{13})(?:\.\d{1,9})?\s*")
_DAY_FIRST = re.compile(
    r"\s*(?:[^\W\d]{2,12}[.,]{0,2}\s+)?(\d{1,2})\.(\d{1,2})\.(\d{4})(?:[,\s]+(?:um\s+)?(\d{1,2})[:.](\d\d)(?::(\d\d))?(?:\s*Uhr)?)?\s*",
    re.IGNORECASE,
)


def _tolerant(value: str, default: tzinfo, *, latest: bool) -> tuple[datetime | None, str]:  # noqa: PLR0911 -- a table of cases
    if match := _ISO.match(value):
        return _of_iso(match)
    value = value[:100]
    if match := _EPOCH.fullmatch(value):
        seconds = int(match.group(1))
        return datetime.fromtimestamp(seconds / 1000 if seconds > 10**11 else seconds, UTC), "time-rewritten"
    if match := _DAY_FIRST.fullmatch(value):
        day, month, year, hour, minute, second = (int(one or 0) for one in match.groups())
        try:
            return datetime(year, month, day, hour, minute, second), "time-rewritten"  # noqa: DTZ001 -- in the default zone
        except ValueError:
            return None, ""
    if (match := _ZONE.fullmatch(value)) and (zoned := _zoned(match, default, latest=latest)):
        return zoned
    half = _HALF.search(value)
    naive = _without_zone(value[: half.start()], half.group()) if half else None
    if naive is not None:
        return naive, "time-rewritten"
    try:
        found = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None, ""
    return found, "time-rewritten"


def _zoned(match: re.Match[str], default: tzinfo, *, latest: bool) -> tuple[datetime | None, str] | None:  # noqa: PLR0911 -- a table of cases
    """A time whose zone is a name; None where what it ends with is none."""
    name, head = match.group("zone"), match.group("head")
    upper = name.upper()
    naive = _without_zone(head, match.group("half") or "")
    if naive is None:
        return None
    if gmt := _GMT.fullmatch(name):
        offset = timedelta(hours=int(gmt.group(2)), minutes=int(gmt.group(3) or 0))
        if offset >= timedelta(hours=24):
            return None
        return naive.replace(tzinfo=timezone(-offset if gmt.group(1) != "+" else offset)), "time-rewritten"
    if "/" in name and (place := _named(name)):
        moment, twice = _local(naive, place, latest=latest)
        return moment, "time-ambiguous" if twice else "time-rewritten"
    if upper in ZONES:
        return naive.replace(tzinfo=timezone(timedelta(hours=ZONES[upper]))), "time-rewritten"
    if upper in AMBIGUOUS_ZONES:
        own = naive.replace(tzinfo=default)
        if own.tzname() == upper:
            return own, "time-rewritten"
        meant = AMBIGUOUS_ZONES[upper]
        return naive.replace(
            tzinfo=timezone(timedelta(hours=min(meant) if latest else meant[0]))
        ), "time-zone-ambiguous"
    if upper in ("AM", "PM"):
        return None
    return (None, "time-zone-unreadable") if latest else (naive.replace(tzinfo=default), "time-zone-unreadable")


def _without_zone(value: str, half: str = "") -> datetime | None:
    """A time without its zone; `half` is the half of the day that follows it: `PM`."""
    found = _naive(value.strip(" ,"))
    if found is None or not half:
        return found
    return found.replace(hour=found.hour % 12 + (12 if half[0] in "pP" else 0))


def _naive(value: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        if match := _ISO.match(value):
            found = _of_iso(match)[0]  # type: ignore[assignment]
        else:
            try:
                found = parsedate_to_datetime(value)
            except (ValueError, TypeError, IndexError, OverflowError):
                return None
    return found.replace(tzinfo=None) if found is not None else None


def _of_iso(match: re.Match[str]) -> tuple[datetime | None, str]:
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


ZONES: dict[str, float] = {
    "GMT": 0, "UTC": 0, "UT": 0, "Z": 0, "WET": 0, "WEST": 1, "CET": 1, "MEZ": 1, "MET": 1, "CEST": 2, "MESZ": 2, "MEST": 2, "METDST": 2, "METD": 2,
    "EET": 2, "EEST": 3, "OEZ": 2, "OESZ": 3, "MSK": 3, "MSD": 4, "TRT": 3, "SAST": 2, "CAT": 2, "EAT": 3, "WAT": 1, "WAST": 2, "AZT": 4,
    "GET": 4, "SAMT": 4, "YEKT": 5, "OMST": 6, "NOVT": 7, "KRAT": 7, "IRKT": 8, "YAKT": 9, "VLAT": 10, "MAGT": 11, "PETT": 12, "UZT": 5, "PKT": 5,
    "NPT": 5.75, "IRST": 3.5, "IRDT": 4.5, "AFT": 4.5, "ICT": 7, "WIB": 7, "WITA": 8, "WIT": 9, "HKT": 8, "SGT": 8, "MYT": 8, "PHT": 8, "AWST": 8, "JST": 9,
    "KST": 9, "ACST": 9.5, "ACDT": 10.5, "AEST": 10, "AEDT": 11, "CHST": 10, "NZST": 12, "NZDT": 13, "FJT": 12, "EST": -5, "EDT": -4, "CDT": -5, "CST": -6,
    "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "AKST": -9, "AKDT": -8, "HST": -10, "HAST": -10, "NST": -3.5, "NDT": -2.5, "BRT": -3, "BRST": -2,
    "ART": -3, "CLT": -4, "CLST": -3, "COT": -5, "PET": -5, "VET": -4, "BOT": -4, "PYT": -4, "UYT": -3, "GFT": -3,
}  # fmt: skip
"""Hours east of UTC of the zone names in use; EST to PDT as RFC 2822 has them."""

AMBIGUOUS_ZONES: dict[str, tuple[float, ...]] = {
    "IST": (5.5, 2, 1), "BST": (1, 6), "AST": (-4, 3), "ADT": (-3, 4), "AMT": (4, -4), "GST": (4, -2), "SST": (-11, 8), "ECT": (-5, -4), "WST": (8, 13),
    "AMST": (5, -3), "IDT": (3, 1), "LT": (0, 2),
}  # fmt: skip
"""Names that mean several zones, the most usual first: which one is told."""
