"""When an embargo ends that is written in words: "SPERRFRIST 18.00 Uhr", "EMBARGOED UNTIL 0001 GMT 29 NOVEMBER 2026".

Nothing is guessed: a time of a zone that nobody knows, a weekday, or an hour that had passed when the picture came, have no end that a
machine can tell, and the picture waits for a person.
"""

import re
from datetime import date, datetime, time, timedelta, timezone, tzinfo

from enrich.picture_index.terms.vocabulary import plain

_ZONES: dict[str, float] = {
    "gmt": 0, "utc": 0, "z": 0, "wet": 0, "bst": 1, "cet": 1, "mez": 1, "cest": 2, "mesz": 2, "eet": 2, "eest": 3, "msk": 3,
    "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7, "jst": 9, "kst": 9, "aest": 10, "aedt": 11,
}  # fmt: skip
"""Hours ahead of UTC. Zones of one name on two continents (IST) are not here: nobody could tell."""
_MONTHS = {
    word: number
    for number, words in enumerate(
        (
            "january jan januar janvier enero gennaio janeiro januari tammikuuta stycznia січня января",
            "february feb februar fevrier febrero febbraio fevereiro februari helmikuuta lutego лютого февраля",
            "march mar marz mars marzo marco maart maaliskuuta marca березня марта",
            "april apr avril abril aprile huhtikuuta kwietnia квітня апреля",
            "may mai mayo maggio maio mei maj toukokuuta maja травня мая",
            "june jun juni juin junio giugno junho kesakuuta czerwca червня июня",
            "july jul juli juillet julio luglio julho heinakuuta lipca липня июля",
            "august aug aout agosto augustus augusti elokuuta sierpnia серпня августа",
            "september sep sept septembre septiembre settembre setembro syyskuuta wrzesnia вересня сентября",
            "october oct oktober okt octobre octubre ottobre outubro lokakuuta pazdziernika жовтня октября",
            "november nov novembre noviembre novembro marraskuuta listopada листопада ноября",
            "december dec dezember dez decembre diciembre dicembre dezembro desember joulukuuta grudnia грудня декабря",
        ),
        1,
    )
    for word in words.split()
}
_CLOCK = re.compile(
    r"(?<![\d.:/-])(?P<hour>\d{1,2})\s?(?:[:.h](?P<minute>\d{2})(?![\d.]\d)(?::\d{2})?\s?(?P<half>[ap]\.?m\b\.?)?|(?P<only>[ap]\.?m\b\.?|uhr|hrs?\b|h\b))"
    r"|(?<![\d.:/-])(?P<four>[0-2]\d[0-5]\d)(?P<behind>\s?(?:hrs?|hours|uhr|gmt|utc|z|b?st|c?es?t|m[se]z|e[sd]t|msk|local)\b)"
)
_BEHIND = re.compile(r"^\s*(?:uhr|hrs?|hours|h)?\s*(?:\(?(?P<offset>[+-]\d{2}:?\d{2})|\(?(?P<name>[a-z]{1,4})\b)?")
_LOCAL = re.compile(r"\b(?:ortszeit|local time|local|hora local|heure locale|ora locale|kyiv time|за київським)\b")
_ISO = re.compile(r"\b(\d{4})-(\d\d)-(\d\d)(?:[t ](\d\d):(\d\d)(?::\d\d)?\s?(z|[+-]\d\d:?\d\d)?)?")
_NUMBERS = re.compile(r"(?<!\d)(\d{1,2})[./](\d{1,2})[./](\d{4}|\d{2})(?!\d)")
_DAY_MONTH = re.compile(
    r"\b(\d{1,2})(?:st|nd|rd|th|er|\.)?\s+(?:de\s+|of\s+)?([^\W\d_]{3,14})\.?(?:[\s,]+(?:de\s+)?(\d{4}))?"
)
_MONTH_DAY = re.compile(r"\b([^\W\d_]{3,10})\.?\s+(\d{1,2})(?:st|nd|rd|th)?\b(?!\s?[:.h]\d)(?:,?\s+(\d{4}))?")
_WEEKDAY = re.compile(
    r"\b(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day|montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonnabend|sonntag|tomorrow|morgen|"
    r"lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|demain|lunes|martes|jueves|viernes|sabado|domingo|manana)\b"
)
_ENDS = re.compile(r"[.;!?](?=\s|$)|[\n\r|)\]]|\+\+|\s[-\u2013\u2014]\s")
_AM = re.compile(r"\b[ap]\.m\.$|\b[ap]\.$", re.IGNORECASE)
LEAST_AHEAD = timedelta(minutes=-10)
_READ_CHARS = 200


def end_of_embargo(text: str, came_at: datetime, zone: tzinfo) -> datetime | None:
    """The moment when an embargo ends; None where the words do not tell one that can be relied upon.

    `came_at`: when the picture came, by which an hour without a day and a day without a year are meant. `zone`: the newsroom's,
    taken for a time that names none.
    """
    said = plain(text[:_READ_CHARS])
    if _LOCAL.search(said):
        return None
    day, rest = _day_in(said, came_at.astimezone(zone).date())
    if isinstance(day, datetime):
        return day if day.tzinfo is not None else day.replace(tzinfo=zone)
    clock = _clock_in(rest, zone)
    if clock is None:
        if day is None or any(letter.isdecimal() for letter in rest):
            return None
        # A day alone: when it is over, nobody can have meant a later moment.
        return datetime.combine(day + timedelta(days=1), time(0), zone)
    moment, at_zone = clock
    ends = datetime.combine(day or came_at.astimezone(at_zone).date(), moment, at_zone)
    if day is None and (_WEEKDAY.search(said) or ends - came_at <= LEAST_AHEAD):
        return None
    return ends


def words_from(text: str, beginning: str) -> str:
    """The sentence of a text that begins with these words; "28. November" and "18.00" do not end it."""
    tail = text[max(text.find(beginning), 0) :][:_READ_CHARS]
    for end in _ENDS.finditer(tail):
        behind = plain(tail[end.end() :]).split(maxsplit=1)
        is_date = tail[: end.start()][-1:].isdecimal() and bool(behind) and behind[0].strip(".,") in _MONTHS
        if not is_date and not _AM.search(tail[: end.end()]):
            return tail[: end.start()]
    return tail


def _day_in(said: str, today: date) -> tuple[date | datetime | None, str]:
    """The day that is named, and the text without it."""
    if (iso := _ISO.search(said)) is not None:
        year, month, number, hour, minute, offset = iso.groups()
        if hour:
            return _moment(f"{year}-{month}-{number}T{hour}:{minute}{(offset or '').upper()}"), ""
        return _date(int(year), int(month), int(number)), said[: iso.start()] + said[iso.end() :]
    if (numbers := _NUMBERS.search(said)) is not None:
        first, second, year = (int(each) for each in numbers.groups())
        year += 2000 if year < 100 else 0
        # 5/6: the later of the two readings, where both are days.
        several = [_date(year, second, first), _date(year, first, second) if "/" in numbers.group() else None]
        return max((one for one in several if one), default=None), said[: numbers.start()] + said[numbers.end() :]
    for pattern, swapped in ((_DAY_MONTH, False), (_MONTH_DAY, True)):
        for found in pattern.finditer(said):
            number, word, year = found.groups()
            if swapped:
                number, word = word, number
            if (month := _MONTHS.get(word)) is not None:
                named = _date(int(year), month, int(number)) if year else _nearest(today, month, int(number))
                return named, said[: found.start()] + " " + said[found.end() :]
    return None, said


def _clock_in(said: str, zone: tzinfo) -> tuple[time, tzinfo] | None:
    found = _CLOCK.search(said)
    if found is None:
        return None
    if four := found["four"]:
        hour, minute, behind = int(four[:2]), int(four[2:]), said[found.start("behind") :]
    else:
        hour, minute, behind = int(found["hour"]), int(found["minute"] or 0), said[found.end() :]
        half = (found["half"] or found["only"] or "")[:1]
        if half in ("a", "p"):
            if not 1 <= hour <= 12:
                return None
            hour = hour % 12 + (12 if half == "p" else 0)
    if hour > 23 or minute > 59:
        return None
    named = _BEHIND.match(behind)
    if named is not None and named["offset"]:
        sign = -1 if named["offset"][0] == "-" else 1
        digits = named["offset"][1:].replace(":", "")
        return time(hour, minute), timezone(sign * timedelta(hours=int(digits[:2]), minutes=int(digits[2:])))
    if named is not None and named["name"] in _ZONES:
        return time(hour, minute), timezone(timedelta(hours=_ZONES[named["name"]]))
    return time(hour, minute), zone


def _moment(written: str) -> datetime | None:
    try:
        return datetime.fromisoformat(written)
    except ValueError:
        return None


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day) if 2000 <= year <= 2200 else None
    except ValueError:
        return None


def _nearest(today: date, month: int, day: int) -> date | None:
    """The day of this year, or of the next where it was more than a week ago."""
    this = _date(today.year, month, day)
    return this if this is None or (today - this).days <= 7 else _date(today.year + 1, month, day)
