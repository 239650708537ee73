"""The words of a picture, and whether readers may see it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from enrich.picture_index.embedded import Embedded
from enrich.picture_index.terms.captions import bans_in_caption, credit_in, shown_caption
from enrich.picture_index.terms.embargo import end_of_embargo, words_from
from enrich.picture_index.terms.reading import Ban, bans_in
from shared.messages import MediaReference
from shared.messages.digital_source import ai_share_of


@dataclass(frozen=True, slots=True)
class Newsroom:
    """Where the newsroom is, as terms mean it."""

    country: str = ""
    """ISO 3166-1 alpha-2; empty: restrictions to or against countries are not looked at."""
    zone: tzinfo = UTC
    """Taken for the time of an embargo that names no zone."""

    @classmethod
    def of(cls, country: str, time_zone: str) -> "Newsroom":
        """From the settings."""
        return cls(country.upper(), ZoneInfo(time_zone))


ANYWHERE = Newsroom()
"""A newsroom that has said neither."""


@dataclass(frozen=True, slots=True)
class Rights:
    """What a newsroom agreed with one source."""

    forbidden: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    credit: str = ""
    newsroom: Newsroom = ANYWHERE
    allowed_by: str = ""
    """The person who allowed one picture of one update against its terms; empty: nobody."""


@dataclass(frozen=True, slots=True)
class PictureWords:
    """The words that readers get with a picture."""

    caption: str
    credit: str
    copyright: str
    usage_terms: str
    creator: str
    terms_url: str
    licensor_url: str
    digital_source_type: str
    alt_text: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether readers may see a picture."""

    reason: str = ""
    """Why they must not; empty where they may."""
    opens_at: datetime | None = None
    """The end of the embargo that is the only reason."""


def words_of(reference: MediaReference, embedded: Embedded, rights: Rights) -> PictureWords:
    """The wire's words win, since a desk can correct them; the picture's own fill what is missing.

    What stands in a caption for desks, and a credit at its end, are not in the caption that readers get.
    """
    caption = _first(reference.caption, embedded.caption, reference.headline, embedded.headline)
    said, shown = credit_in(shown_caption(caption))
    sources = (reference.digital_source_type or "", embedded.digital_source)
    return PictureWords(
        caption=shown,
        usage_terms=_first(reference.usage_terms, embedded.usage_terms),
        creator=_first(reference.creator, embedded.creator),
        terms_url=_web(reference.terms_url, embedded.terms_url),
        licensor_url=_web(reference.licensor_url, embedded.licensor_url),
        # What a model made stays so, whoever else says otherwise.
        digital_source_type=next((each for each in sources if ai_share_of(each)), _first(*sources)),
        credit=_first(reference.credit, said, embedded.credit, embedded.creator, embedded.source, rights.credit),
        copyright=_first(reference.copyright, embedded.copyright),
        alt_text=_first(reference.alt_text, embedded.alt_text),
    )


def wire_words(reference: MediaReference) -> Embedded:
    """What the source says of a picture beside it, by the names of the words in it."""
    said, _ = credit_in(shown_caption(reference.caption or ""))
    return Embedded(
        credit=_first(reference.credit, said),
        creator=_first(reference.creator),
        copyright=_first(reference.copyright),
        usage_terms=_first(reference.usage_terms),
        terms_url=_web(reference.terms_url),
        licensor_url=_web(reference.licensor_url),
        digital_source=_first(reference.digital_source_type),
    )


def why_withheld(reference: MediaReference, embedded: Embedded, rights: Rights) -> str:
    """The reason why readers must not see a picture, were it there now; empty when they may."""
    now = datetime.now(UTC)
    return judge(reference, embedded, rights, came_at=now, now=now).reason


def judge(
    reference: MediaReference, embedded: Embedded, rights: Rights, *, came_at: datetime, now: datetime
) -> Judgement:
    """Whether readers may see a picture at the moment `now` that came at `came_at`."""
    if not words_of(reference, embedded, rights).credit:
        return Judgement("no credit")
    if rights.allowed_by:
        return Judgement()
    opens_at: datetime | None = None
    waits = ""
    for where, text, is_caption in _texts(reference, embedded):
        said = _without(text, rights.allowed)
        if phrase := _found(said, rights.forbidden):
            return Judgement(f"{where} forbid it: {phrase!r} in {text[:200]!r}")
        bans = (bans_in_caption if is_caption else bans_in)(said, rights.newsroom.country)
        for ban in bans:
            if ban.because != "embargo":
                return Judgement(_reason(where, ban))
            ends = end_of_embargo(words_from(said, ban.words), came_at, rights.newsroom.zone)
            if ends is None:
                return Judgement(f"{where} forbid it: an embargo without a time that can be read, {ban.words!r}")
            if ends > now and (opens_at is None or ends > opens_at):
                opens_at, waits = ends, f"{where} forbid it until {ends.isoformat(timespec='minutes')}: {ban.words!r}"
    return Judgement(waits, opens_at)


def _texts(reference: MediaReference, embedded: Embedded) -> Iterable[tuple[str, str, bool]]:
    """The texts in which terms stand: where, what, and whether it is a caption, which tells of the world."""
    several = (
        ("usage terms", reference.usage_terms, False),
        ("instructions", reference.instructions, False),
        ("copyright", reference.copyright, False),
        ("credit", reference.credit, True),
        ("caption", reference.caption, True),
        ("headline", reference.headline, True),
        ("embedded usage terms", embedded.usage_terms, False),
        ("embedded instructions", embedded.instructions, False),
        ("embedded copyright", embedded.copyright, False),
        ("embedded caption", embedded.caption, True),
        ("embedded headline", embedded.headline, True),
    )
    return ((where, text, is_caption) for where, text, is_caption in several if text)


def _reason(where: str, ban: Ban) -> str:
    what = "" if ban.because == "not to be used" else f" ({ban.because})"
    return f"{where} forbid it{what}: {ban.words!r}"


def _first(*candidates: str | None) -> str:
    return next((text.strip() for text in candidates if text and text.strip()), "")


def _web(*addresses: str | None) -> str:
    """The first whole web address."""
    return next((each for each in addresses if each and each.startswith(("https://", "http://"))), "")


def _without(text: str, allowed: Iterable[str]) -> str:
    """The text without the phrases that the newsroom has settled with the source."""
    for phrase in allowed:
        if words := re.findall(r"[^\W_]+", phrase):
            text = re.sub(r"\b" + r"[\W_]+".join(map(re.escape, words)) + r"\b", " ", text, flags=re.IGNORECASE)
    return text


def _found(text: str, phrases: Iterable[str]) -> str:
    if not phrases:
        return ""
    plain = _plain(text)
    return next((phrase for phrase in phrases if phrase.strip() and _plain(phrase) in plain), "")


def _plain(text: str) -> str:
    return " " + " ".join(re.findall(r"[^\W_]+", text.casefold())) + " "
