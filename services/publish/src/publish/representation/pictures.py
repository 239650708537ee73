"""The pictures of an update: which files they are, and how a page shows them.

A picture is named by the folder of its renditions in the object store, which is the digest of the original's bytes: the
same photograph in two updates is one picture. Portraits of authors that enrich made belong to the author and are always
served (`is_portrait`); others go with the updates that name them.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from urllib.parse import quote

from publish.representation.fragment import MARK
from publish.representation.origin import credentials_line, label_of
from publish.representation.reader_update import ReaderMedia, ReaderRendition, ReaderUpdate
from publish.representation.words import printable
from shared.messages import EnrichedUpdate

MEDIA_PREFIX = "/media/"
PORTRAIT_PREFIX = "avatar-"
DATA_IMAGE = re.compile(r"^data:image/(?:png|jpeg|webp|avif|gif);base64,[A-Za-z0-9+/=]{1,4000}$")


def picture_of(path: str) -> str:
    """The picture that a path in the object store is a rendition of."""
    return path.rpartition("/")[0] or path


def is_portrait(path: str) -> bool:
    """Whether a path in the object store is the portrait of an author."""
    return path.rpartition("/")[2].startswith(PORTRAIT_PREFIX)


def renditions_shown(update: EnrichedUpdate | ReaderUpdate) -> dict[str, tuple[str, ...]]:
    """The pictures of an update and the paths of their renditions; of a removal none."""
    found: dict[str, list[str]] = {}
    if update.is_removal:
        return {}
    urls = [rendition.url for media in update.media for rendition in media.renditions]
    # A portrait that was put into the store by hand has a name like any other picture's.
    urls += [author.avatar_url for author in update.authors if author.avatar_url]
    for url in urls:
        if url.startswith(MEDIA_PREFIX):
            path = url.removeprefix(MEDIA_PREFIX)
            found.setdefault(picture_of(path), []).append(path)
    return {picture: tuple(paths) for picture, paths in found.items()}


@dataclass(frozen=True, slots=True)
class PictureSource:
    """The renditions of one type, for a `source` element."""

    type: str
    srcset: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as the page shows it."""

    src: str
    srcset: str
    width: int
    height: int
    shown_width: int
    """CSS pixels of a page wide enough for it, and no more than it has."""
    shown_height: int
    cropped: bool
    """Whether it fills a frame of 3 to 2: only where somebody or something said what must stay in sight."""
    alt: str
    caption: str
    credit: str
    origin: str
    """What readers are told of how it came to be: "Made with AI"."""
    credentials: str
    """What its content credentials say, in one line."""
    media: ReaderMedia
    placeholder: str
    focus: str
    sources: tuple[PictureSource, ...]
    largest: str


WIDEST = 960
TALLEST = 576
"""CSS pixels of a picture on a page; a portrait that is higher than a screen would hide the words below it."""
CROPPABLE = (1.2, 2.2)
"""Width to height: what is higher or longer loses too much to a frame of 3 to 2."""
FRAME = 1.5
MARGINS = 48
"""CSS pixels beside a column, both sides together."""

PREFERRED = {"image/avif": 0, "image/webp": 1}
FALLBACK = ("image/jpeg", "image/png", "image/gif", "image/webp", "image/avif")


def _srcset(renditions: list[ReaderRendition]) -> str:
    widths = {rendition.width: rendition for rendition in renditions}
    return ", ".join(f"{quote(widths[width].url, safe='/:%')} {width}w" for width in sorted(widths))


def shown_as(media: ReaderMedia) -> Picture | None:
    """How a picture is shown; None for what is no picture or has no rendition of ours."""
    own = [each for each in media.renditions if each.url.startswith("/media/") and each.width > 0 and each.height > 0]
    if media.kind not in ("picture", "graphic") or not own:
        return None
    types = {mime: [each for each in own if each.mime_type == mime] for mime in {each.mime_type for each in own}}
    plain = next((types[mime] for mime in FALLBACK if mime in types), None)
    if plain is None:
        return None
    largest = max(plain, key=lambda each: each.width)
    middle = min(plain, key=lambda each: abs(each.width - 960))
    x, y = media.focal_point or (0.5, 0.5)
    cropped = media.focal_point is not None and CROPPABLE[0] <= largest.width / largest.height <= CROPPABLE[1]
    scale = min(1.0, WIDEST / largest.width, 1.0 if cropped else TALLEST / largest.height)
    focus = f"fx{min(10, max(0, round(x * 10)))} fy{min(10, max(0, round(y * 10)))}"
    return Picture(
        src=quote(middle.url, safe="/:%"),
        srcset=_srcset(plain),
        width=largest.width,
        height=largest.height,
        shown_width=max(1, round(largest.width * scale)),
        shown_height=max(1, round(largest.height * scale)),
        cropped=cropped,
        alt=printable(media.alt_text or media.caption),
        caption=printable(media.caption),
        credit=printable(media.credit),
        origin=label_of(media.digital_source_type),
        credentials=credentials_line(media.content_credentials),
        media=media,
        placeholder=media.placeholder if media.placeholder and DATA_IMAGE.match(media.placeholder) else "",
        focus=focus,
        sources=tuple(
            PictureSource(mime, _srcset(types[mime])) for mime in sorted(PREFERRED, key=PREFERRED.__getitem__)
            if mime in types and types[mime] is not plain
        ),
        largest=quote(largest.url, safe="/:%"),
    )  # fmt: skip


def sizes_of(picture: Picture, column: int) -> str:
    """The `sizes` of a picture in a column of so many CSS pixels: how wide it is drawn, so that the browser takes what it needs."""
    width = min(column, picture.shown_width)
    drawn = round(width * max(1.0, picture.width / picture.height / FRAME)) if picture.cropped else width
    return f"(min-width: {width + MARGINS}px) {drawn}px, {round(100 * drawn / width)}vw"


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the pictures of an update are shown."""

    lead: Picture | None
    """Opens the update, wherever it stood in the text."""
    standing: Mapping[str, Picture]
    """Those in the text, by their anchors."""
    others: tuple[Picture, ...]


def laid_out(update: ReaderUpdate) -> Layout:
    """Where each picture is shown: the first above the text, as ever."""
    pictures = pictures_of(update)
    standing: dict[str, Picture] = {}
    others: list[Picture] = []
    for picture in pictures[1:]:
        here = [anchor for anchor in picture.media.anchors if anchor in update.body_html]
        standing.update(dict.fromkeys(here, picture))
        if not here:
            others.append(picture)
    return Layout(pictures[0] if pictures else None, standing, tuple(others))


def with_pictures(body: str, layout: Layout, figure: Callable[[Picture], str]) -> str:
    """A body that fits, with `figure` of each picture in its place; none is shown twice, and of what cannot be shown nothing is left.

    A picture is shown with its caption, so what its source wrote below it is left out then.
    """
    if "data-picture" not in body:
        return body
    above = layout.lead.media.anchors if layout.lead is not None and layout.lead.caption else ()
    shown: set[str] = set()

    def put(mark: re.Match[str]) -> str:
        picture = layout.standing.get(mark[1])
        words = f"<p>{mark[2]}</p>" if mark[2] and mark[1] not in above else ""
        if picture is None or picture.media.id in shown:
            return words
        shown.add(picture.media.id)
        return figure(picture) + ("" if picture.caption else words)

    return MARK.sub(put, body)


def figure_elsewhere(site_url: str, picture: Picture, said: Callable[[str], str] = str) -> str:
    """A picture as feed readers and clients of agencies show one; `said` says how it came to be."""
    words = escape(" ".join(filter(None, (picture.caption, picture.credit, picture.origin and said(picture.origin)))))
    return (
        f'<figure><img src="{escape(site_url + picture.src)}" alt="{escape(picture.alt)}" '
        f'width="{picture.width}" height="{picture.height}"><figcaption>{words}</figcaption></figure>'
    )


def pictures_of(update: ReaderUpdate) -> list[Picture]:
    """The pictures that readers can be shown, the lead picture first."""
    ordered = sorted(update.media, key=lambda media: media.role != "lead")
    return [picture for media in ordered if media.role != "thumbnail" and (picture := shown_as(media))]
