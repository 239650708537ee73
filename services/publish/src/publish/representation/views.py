"""What readers get of an update: as JSON, and as the HTML that page and stream share."""

import contextlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

import orjson
import structlog
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from publish.representation.fragment import fitting, web_address
from publish.settings import Settings
from publish.web.feed_store import UNPLACED, Applied, FeedEntry
from publish.web.omissions import Omissions, Omitted
from publish.web.routes.assets import Assets
from shared.messages import Author, Change, EnrichedUpdate, Media, Rendition

log = structlog.get_logger(__name__)

NOT_FOR_READERS = {
    "guid",
    "version",
    "degraded",
    "repairs",
    "fingerprint",
    "removal",
    "change",
    "flags",
    "tags",
    "path",
    "story",
    "story_label",
}
SHORT_WORDS = 150
"""Longer bodies are cut to their excerpt in a feed, with a link to the whole."""

LANGUAGES = (
    " aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en eo es "
    "et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki "
    "kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no "
    "nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te "
    "tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu fil yue ckb haw "
)
LANGUAGE_TAG = re.compile(r"^([A-Za-z]{2,3})(?:-([A-Za-z]{4}))?(?:-([A-Za-z]{2}|[0-9]{3}))?$")
DATA_IMAGE = re.compile(r"^data:image/(?:png|jpeg|webp|avif|gif);base64,[A-Za-z0-9+/=]{1,4000}$")
UNSEEN = re.compile(
    "[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufdd0-\ufdef\ufffe\uffff]|[\U0001fffe\U0001ffff]"
)


def seen(text: str) -> str:
    """The text without what neither HTML nor XML may hold: control characters, noncharacters and lone surrogates."""
    return UNSEEN.sub("", text.encode("utf-8", "replace").decode() if not text.isascii() else text)


def language_of(update: EnrichedUpdate) -> str:
    """The language for a `lang` attribute; empty where it is unknown, which HTML takes for just that."""
    match = LANGUAGE_TAG.match(update.language)
    return update.language if match and f" {match[1].lower()} " in LANGUAGES else ""


def title_of(update: EnrichedUpdate) -> str:
    """The headline; where the source sent none, the beginning of the text."""
    title = update.headline.strip() or update.excerpt.strip() or update.text.strip()
    return seen(title if len(title) <= 200 else title[:199].rstrip() + "…") or "Update"


def path_of(update: EnrichedUpdate) -> str:
    """The canonical path of the update's own page."""
    return f"/updates/{update.update_id}/{quote(update.slug or 'update', safe='')}"


def story_path(story: str) -> str:
    """The path of a story's page."""
    return f"/stories/{quote(story, safe='')}"


def story_name(story: str, label: str) -> str:
    """What readers call a story; one that only has an id is told by the id's words."""
    words = seen(label).strip() or seen(story).replace("-", " ").replace("_", " ").strip()
    return words[:1].upper() + words[1:] if words else story


def tag_path(code: str) -> str:
    """The path of a tag's page."""
    return f"/tags/{quote(code, safe=':')}"


def author_path(slug: str) -> str:
    """The path of an author's page."""
    return f"/authors/{quote(slug, safe='')}"


def modified_at(update: EnrichedUpdate) -> datetime:
    """When readers were last given other words; the first publication until then."""
    return update.updated_at or update.first_published_at


def reader_view(entry: FeedEntry, site_url: str) -> dict[str, Any]:
    """A visible update as the API gives it: all that is for readers and nothing of how we came by it."""
    update = entry.update
    view: dict[str, Any] = update.model_dump(exclude=NOT_FOR_READERS)
    view["tags"] = [tag.model_dump(exclude={"places"}) for tag in update.tags]
    view["story"] = (
        {"id": update.story, "label": update.story_label, "url": site_url + story_path(update.story)}
        if update.story
        else None
    )
    view["pinned"] = update.flags.pinned
    view["key_event"] = update.flags.key_event
    view["closed"] = update.flags.closed
    view["change"] = entry.change.model_dump()
    view["path"] = path_of(update)
    view["url"] = site_url + view["path"]
    view["position"] = None if entry.position == UNPLACED else str(entry.position)
    view["cursor"] = str(entry.cursor)
    view["removal"] = None
    return view


def removal_view(applied: Applied) -> dict[str, Any]:
    """The removal of an update as streams give it: no text."""
    update = applied.update
    return {
        "update_id": update.update_id,
        "revision": update.revision,
        "kind": update.kind,
        "removal": update.removal,
        "path": path_of(update),
        "cursor": str(applied.cursor),
        "passport": update.passport.model_dump(),
    }


def removal_bytes(applied: Applied) -> bytes:
    """The removal as JSON, whatever else the update may hold: nothing keeps a removal from readers."""
    try:
        return dump(removal_view(applied))
    except Exception:
        log.exception("a removal is told without its circumstances", update_id=applied.update.update_id)
        update = applied.update
        return dump({"update_id": update.update_id, "kind": "kill", "removal": update.removal or "killed"})


def dump(value: Any) -> bytes:
    """JSON; lone surrogates, which no UTF-8 can hold, are replaced."""
    try:
        return orjson.dumps(value, option=orjson.OPT_UTC_Z)
    except orjson.JSONEncodeError:
        return orjson.dumps(_encodable(value), option=orjson.OPT_UTC_Z)


def _encodable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_encodable(key): _encodable(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_encodable(each) for each in value]
    return value


@dataclass(frozen=True, slots=True)
class Source:
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
    alt: str
    caption: str
    credit: str
    placeholder: str
    focus: str
    sources: tuple[Source, ...]
    largest: str


PREFERRED = {"image/avif": 0, "image/webp": 1}
FALLBACK = ("image/jpeg", "image/png", "image/gif", "image/webp", "image/avif")


def _srcset(renditions: list[Rendition]) -> str:
    widths = {rendition.width: rendition for rendition in renditions}
    return ", ".join(f"{quote(widths[width].url, safe='/:%')} {width}w" for width in sorted(widths))


def picture_of(media: Media) -> Picture | None:
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
    focus = f"fx{min(10, max(0, round(x * 10)))} fy{min(10, max(0, round(y * 10)))}"
    return Picture(
        src=quote(middle.url, safe="/:%"),
        srcset=_srcset(plain),
        width=largest.width,
        height=largest.height,
        alt=seen(media.alt_text or media.caption),
        caption=seen(media.caption),
        credit=seen(media.credit),
        placeholder=media.placeholder if media.placeholder and DATA_IMAGE.match(media.placeholder) else "",
        focus=focus,
        sources=tuple(
            Source(mime, _srcset(types[mime])) for mime in sorted(PREFERRED, key=PREFERRED.__getitem__)
            if mime in types and types[mime] is not plain
        ),
        largest=quote(largest.url, safe="/:%"),
    )  # fmt: skip


def pictures_of(update: EnrichedUpdate) -> list[Picture]:
    """The pictures that readers can be shown, the lead picture first."""
    ordered = sorted(update.media, key=lambda media: media.role != "lead")
    return [picture for media in ordered if media.role != "thumbnail" and (picture := picture_of(media))]


def links_of(author: Author) -> list[tuple[str, str]]:
    """An author's own pages elsewhere: address and the host that is shown."""
    addresses = dict.fromkeys(web_address(link) for link in (author.url or "", *author.links))
    return [
        (address, urlsplit(address).hostname or address)
        for address in addresses
        if address.startswith(("http://", "https://"))
    ]


DiffPart = tuple[Literal["=", "-", "+", "…"], str]
CONTEXT_CHARS = 80


def shown_diff(change: Change) -> list[DiffPart]:
    """The word diff with long unchanged stretches cut to what stands beside a change."""
    parts: list[DiffPart] = []
    last = len(change.diff) - 1
    for number, (sign, raw) in enumerate(change.diff):
        text = seen(raw)
        if sign != "=" or len(text) <= 2 * CONTEXT_CHARS:
            parts.append((sign, text))
            continue
        if number > 0:
            parts.append(("=", text[:CONTEXT_CHARS]))
        parts.append(("…", " … "))
        if number < last:
            parts.append(("=", text[-CONTEXT_CHARS:]))
    return parts if any(sign in "-+" for sign, _ in parts) else []


def byline_of(update: EnrichedUpdate) -> str:
    """The byline as the source wrote it, else the names of the writers."""
    if update.byline.strip():
        return seen(update.byline.strip())
    return ", ".join(seen(author.name) for author in update.authors if author.contribution in ("writing", "reporting"))


class StreamViews(Mapping[str, bytes]):
    """The views of one revision for a stream, each made when it is first asked for and kept."""

    def __init__(self, views: "Views", applied: Applied) -> None:
        self._views = views
        self._applied = applied
        self._made: dict[str, bytes] = {}

    def __getitem__(self, name: str) -> bytes:
        made = self._made.get(name)
        if made is None:
            if name not in ("json", "page"):
                raise KeyError(name)
            made = self._made[name] = self._views.event(self._applied, page=name == "page")
        return made

    def __iter__(self) -> Iterator[str]:
        return iter(("json", "page"))

    def __len__(self) -> int:
        return 2


class Views:
    """Renders updates and pages for one site."""

    def __init__(
        self,
        settings: Settings,
        assets: Assets,
        *,
        fit: Callable[[str, int], str] = fitting,
        omissions: Omissions | None = None,
    ) -> None:
        """`fit` makes a body fit where a page puts it: (body, level of its first heading). `omissions` bounds what one
        update may take, and leaves out what cannot be shown."""
        self.settings = settings
        self.fit = fit
        self.omissions = omissions or Omissions()
        self.site_url = settings.publish_site_url
        self.zone = ZoneInfo(settings.publish_time_zone)
        self._templates = Environment(
            loader=PackageLoader("publish.web"),
            autoescape=select_autoescape(default=True, default_for_string=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            finalize=lambda value: seen(value) if type(value) is str else value,
        )
        self._templates.globals.update(
            site=settings,
            asset=assets.address,
            image_origins=settings.image_origins,
            pictures_of=pictures_of,
            shown_diff=shown_diff,
            byline_of=byline_of,
            title_of=title_of,
            path_of=path_of,
            story_path=story_path,
            story_name=story_name,
            tag_path=tag_path,
            author_path=author_path,
            links_of=links_of,
            language_of=language_of,
            SHORT_WORDS=SHORT_WORDS,
        )
        self._templates.filters.update(
            iso=self.iso, clock=self.clock, day=self.day, moment=self.moment, fitting=self.fitting, avatar=self.avatar
        )
        macros = vars(self._templates.get_template("update.html").module)
        self._item: Callable[[FeedEntry], str] = macros["feed_item"]
        self._article: Callable[..., str] = macros["article"]

    def iso(self, moment: datetime) -> str:
        """A time with its offset, to the second."""
        return moment.astimezone(self.zone).isoformat(timespec="seconds")

    def clock(self, moment: datetime) -> str:
        """`09:20 UTC`."""
        return moment.astimezone(self.zone).strftime("%H:%M %Z")

    def day(self, moment: datetime) -> str:
        """`23 November 2026`."""
        local = moment.astimezone(self.zone)
        return f"{local.day} {local:%B} {local.year}"

    def moment(self, moment: datetime) -> str:
        """`23 November 2026, 09:20 UTC`."""
        return f"{self.day(moment)}, {self.clock(moment)}"

    def avatar(self, author: Author) -> str:
        """The address of an author's picture, where this site may show it; else empty, and initials take its place."""
        url = author.avatar_url or ""
        if url.startswith("/media/"):
            return quote(url, safe="/:%")
        origin = "/".join(url.split("/", 3)[:3])
        return quote(url, safe="/:%?=&;,+~@") if origin in self.settings.image_origins else ""

    def json(self, entry: FeedEntry) -> bytes:
        """An update as one line of JSON, made once for each revision; `Omitted` where it cannot be made."""
        made = entry.made.get("json")
        if made is None:
            made = self.omissions.attempt(entry, "json", lambda: dump(reader_view(entry, self.site_url)))
            entry.made["json"] = made
        return made

    def pictures(self, entry: FeedEntry) -> list[Picture]:
        """The pictures of an update; none where they cannot be shown."""
        try:
            return pictures_of(entry.update)
        except Exception:  # noqa: BLE001 -- told with the update itself, which has the same pictures
            return []

    def jsons(self, entries: Iterable[FeedEntry]) -> bytes:
        """Updates as the elements of a JSON array, without those that cannot be shown."""
        made = []
        for entry in entries:
            with contextlib.suppress(Omitted):
                made.append(self.json(entry))
        return b",".join(made)

    def item(self, entry: FeedEntry) -> Markup:
        """An update as an item of a feed, made once for each revision; nothing where it cannot be shown."""
        made = entry.made.get("item")
        if made is None:
            try:
                made = self.omissions.attempt(entry, "item", lambda: self._item(entry).encode("utf-8", "replace"))
            except Omitted:
                return Markup()
            entry.made["item"] = made
        return Markup(made.decode())  # noqa: S704 -- the template escapes

    def article(self, entry: FeedEntry, *, link: bool = False) -> Markup:
        """An update in full; with `link` its headline leads to its own page. `Omitted` where it cannot be shown."""
        text = self.omissions.attempt(entry, "article", lambda: self._article(entry, link=link))
        return Markup(text)  # noqa: S704 -- the template escapes

    def fitting(self, html: str, heading: int = 4) -> Markup:
        """A body that was sanitised upstream, once more and so that it fits where a page puts it."""
        return Markup(self.fit(seen(html), heading))  # noqa: S704 -- sanitised

    def event(self, applied: Applied, *, page: bool) -> bytes:
        """What a stream sends of a revision; for a page with the item ready to put in."""
        if applied.entry is None:
            return removal_bytes(applied)
        made = self.json(applied.entry)
        if not page:
            return made
        channels = sorted(applied.channels)
        return made[:-1] + b"," + dump({"channels": channels, "html": str(self.item(applied.entry))})[1:]

    def render(self, template: str, **values: Any) -> bytes:
        """A whole page."""
        return self._templates.get_template(template).render(**values).encode("utf-8", "replace")


def now() -> datetime:
    """The time, with its offset."""
    return datetime.now(UTC)
