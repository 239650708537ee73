"""The site that updates are shown on: its addresses, its clock's zone, what it may load."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from urllib.parse import quote
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_skeleton

from publish.representation.reader_update import ReaderAuthor


def poll_path(update_id: str, poll: str) -> str:
    """The path of a poll's results, to which votes are sent."""
    return f"/polls/{update_id}/{quote(poll, safe='')}"


def story_path(story: str) -> str:
    """The path of a story's page."""
    return f"/stories/{quote(story, safe='')}"


def tag_path(code: str) -> str:
    """The path of a tag's page."""
    return f"/tags/{quote(code, safe=':')}"


def author_path(slug: str) -> str:
    """The path of an author's page."""
    return f"/authors/{quote(slug, safe='')}"


ENGLISH = Locale.parse("en_GB")
DATES_KEPT = 2000
"""Formatted dates that are kept: to write one takes as long as the rest of a small update."""


@lru_cache(DATES_KEPT)
def _day(day: date, locale: Locale) -> str:
    return str(format_date(day, "long", locale))


@lru_cache(DATES_KEPT)
def _weekday(day: date, locale: Locale) -> str:
    if locale.language == "en":
        return f"{day:%A}, {_day(day, locale)}"
    return str(format_date(day, "full", locale))


@lru_cache(DATES_KEPT)
def _short_day(day: date, locale: Locale) -> str:
    return str(format_skeleton("MMMd", datetime(day.year, day.month, day.day), locale=locale))  # noqa: DTZ001 -- a day


@dataclass(frozen=True, slots=True)
class Site:
    """One site: what it is called, where it is, and how it writes times."""

    name: str
    url: str
    zone: ZoneInfo
    image_origins: Sequence[str] = ()
    logo: str = ""
    """Address of the publisher's logo; empty for none."""
    share_image: str = ""
    """Address of the picture that a page is shared with which has none of its own; empty for none."""
    locale: Locale = ENGLISH

    def iso(self, moment: datetime) -> str:
        """A time with its offset, to the second."""
        return moment.astimezone(self.zone).isoformat(timespec="seconds")

    def clock(self, moment: datetime) -> str:
        """`09:20 UTC`."""
        return moment.astimezone(self.zone).strftime("%H:%M %Z")

    def day(self, moment: datetime) -> str:
        """`23 November 2026`."""
        return _day(moment.astimezone(self.zone).date(), self.locale)

    def short(self, moment: datetime) -> str:
        """`23 Nov, 09:20`."""
        local = moment.astimezone(self.zone)
        return f"{_short_day(local.date(), self.locale)}, {local:%H:%M}"

    def date(self, moment: datetime) -> str:
        """`2026-11-23`, the day on this site's clock."""
        return moment.astimezone(self.zone).date().isoformat()

    def weekday(self, moment: datetime) -> str:
        """`Monday, 23 November 2026`."""
        return _weekday(moment.astimezone(self.zone).date(), self.locale)

    def moment(self, moment: datetime) -> str:
        """`23 November 2026, 09:20 UTC`."""
        return f"{self.day(moment)}, {self.clock(moment)}"

    def avatar(self, author: ReaderAuthor) -> str:
        """The address of an author's picture where this site may show it; else empty, and initials take its place."""
        url = author.avatar_url or ""
        if url.startswith("/media/"):
            return quote(url, safe="/:%")
        origin = "/".join(url.split("/", 3)[:3])
        return quote(url, safe="/:%?=&;,+~@") if origin in self.image_origins else ""
