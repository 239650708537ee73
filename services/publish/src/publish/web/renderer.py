"""Renders updates and pages for one site: JSON, HTML items and articles, whole pages, the events of streams."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Protocol
from zoneinfo import ZoneInfo

import structlog
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from publish.representation import origin, pictures, site, words
from publish.representation.fragment import fitting
from publish.representation.pictures import Picture
from publish.representation.reader_blocks import attribution
from publish.representation.reader_json import dump, members, removal_members
from publish.representation.reader_update import ReaderUpdate
from publish.representation.site import Site
from publish.representation.words import printable
from publish.settings import Settings
from publish.web.feed_store import Applied, FeedEntry
from publish.web.interface.interface import Interface, name_of_language
from publish.web.omissions import Omissions, Omitted
from publish.web.page_parts.filters import subjects_of
from publish.web.page_parts.story_cards import StoryCard
from publish.web.routes.assets import SCRIPTS, Assets
from publish.web.stream.event import StreamEvent

log = structlog.get_logger(__name__)

SHORT_WORDS = 150
"""Longer bodies are cut to their excerpt on a page of many updates, with a link to the whole."""

BODY_COLUMN = 640
"""CSS pixels of a picture in a text, at most."""

Fit = Callable[[str, int], str]
"""Makes a body fit where a page puts it: (body, level of its first heading)."""


def _is_short(update: ReaderUpdate) -> bool:
    """Whether a page of many updates shows the whole text; the second bound is for scripts without spaces."""
    return update.word_count <= SHORT_WORDS and len(update.text) <= SHORT_WORDS * 12


class _Article(Protocol):
    def __call__(self, update: ReaderUpdate, *, link: bool) -> str:
        """The macro that shows an update in full."""


class _Blocks(Protocol):
    def __call__(self, update: ReaderUpdate, url: str = "") -> str:
        """The macro that shows typed blocks; `url` is this site's address where they are shown elsewhere."""


def site_of(settings: Settings) -> Site:
    """The site of the settings."""
    return Site(
        settings.publish_site_name,
        settings.publish_site_url,
        ZoneInfo(settings.publish_time_zone),
        settings.image_origins,
        settings.whole(settings.publish_logo_url),
        settings.whole(settings.publish_share_image_url),
    )


class Renderer:
    """Renders for one site; what was made of a revision is kept with its entry."""

    def __init__(
        self,
        settings: Settings,
        assets: Assets,
        *,
        fit: Fit = fitting,
        omissions: Omissions | None = None,
        find_card: Callable[[str], StoryCard | None] = lambda _: None,
    ) -> None:
        """`omissions` bounds what one update may take, and leaves out what cannot be shown; `find_card` knows stories."""
        self._find_card = find_card
        self.interface = Interface(settings.publish_language, SCRIPTS)
        self.site = replace(site_of(settings), locale=self.interface.locale)
        self.fit = fit
        self.omissions = omissions or Omissions()
        self._templates = Environment(
            loader=PackageLoader("publish.web"),
            autoescape=select_autoescape(default=True, default_for_string=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            extensions=["jinja2.ext.i18n"],
            finalize=lambda value: printable(value) if type(value) is str else value,
        )
        self._templates.install_gettext_callables(  # type: ignore[attr-defined]
            self.interface.gettext, self.interface.ngettext, newstyle=True
        )
        self._provide(settings, assets)
        macros = vars(self._templates.get_template("update.html").module)
        self._blocks: _Blocks = vars(self._templates.get_template("blocks.html").module)["blocks"]
        self._item: Callable[[ReaderUpdate], str] = macros["feed_item"]
        self._figure: Callable[[Picture, int], str] = macros["figure"]
        self._article: _Article = macros["article"]
        self._story_card: Callable[[StoryCard], str] = macros["story_card"]

    def _provide(self, settings: Settings, assets: Assets) -> None:
        """What templates can call."""
        self._templates.globals.update(
            interface=self.interface,
            site=settings,
            asset=assets.address,
            image_origins=settings.image_origins,
            pictures_of=pictures.pictures_of,
            sizes_of=pictures.sizes_of,
            other_pictures=lambda update: pictures.laid_out(update).others,
            body_of=self.body,
            label_of=origin.label_of,
            shown_diff=words.shown_diff,
            byline_of=words.byline_of,
            headline_of=words.headline_of,
            title_of=words.title_of,
            story_name=words.story_name,
            links_of=words.links_of,
            language_of=words.language_of,
            attribution=attribution,
            story_path=site.story_path,
            poll_path=site.poll_path,
            tag_path=site.tag_path,
            author_path=site.author_path,
            is_short=_is_short,
            subjects_of=subjects_of,
            name_of_language=name_of_language,
        )
        self._templates.filters.update(
            iso=self.site.iso,
            clock=self.site.clock,
            day=self.site.day,
            weekday=self.site.weekday,
            date=self.site.date,
            moment=self.site.moment,
            short=self.site.short,
            avatar=self.site.avatar,
            fitting=self.fitting,
        )

    def json(self, entry: FeedEntry) -> bytes:
        """An update as one line of JSON, made once for each revision; `Omitted` where it cannot be made."""
        made = entry.made.get("json")
        if made is None:
            made = self.omissions.attempt(entry, "json", lambda: dump(members(entry.update, self.site.url)))
            entry.made["json"] = made
        return made

    def json_list(self, entries: Iterable[FeedEntry]) -> list[bytes]:
        """Updates as JSON, without those that cannot be shown."""
        made = []
        for entry in entries:
            with contextlib.suppress(Omitted):
                made.append(self.json(entry))
        return made

    def json_array(self, entries: Iterable[FeedEntry]) -> bytes:
        """Updates as the elements of a JSON array, without those that cannot be shown."""
        return b",".join(self.json_list(entries))

    def pictures(self, entry: FeedEntry) -> list[Picture]:
        """The pictures of an update; none where they cannot be shown."""
        try:
            return pictures.pictures_of(entry.update)
        except Exception:  # noqa: BLE001 -- logged with the update itself, which has the same pictures
            return []

    def share_image(self, pictures: Sequence[Picture]) -> dict[str, object] | None:
        """What those show who link to a page: its first picture, else the site's; None without one."""
        if not pictures:
            address = self.site.share_image
            return {"url": address, "width": 1200, "height": 630, "alt": ""} if address else None
        picture = pictures[0]
        return {
            "url": self.site.url + picture.largest,
            "width": picture.width,
            "height": picture.height,
            "alt": picture.alt,
        }

    def item(self, entry: FeedEntry) -> Markup:
        """An update as an item of a feed, made once for each revision; nothing where it cannot be shown."""
        made = entry.made.get("item")
        if made is None:
            try:
                made = self.omissions.attempt(
                    entry, "item", lambda: self._item(entry.update).encode("utf-8", "replace")
                )
            except Omitted:
                return Markup()
            entry.made["item"] = made
        return Markup(made.decode())  # noqa: S704 -- the template escapes

    def make_items(self, entries: Iterable[FeedEntry]) -> None:
        """Make what `item` gives of these entries, under one alarm: to set one for each takes a tenth of their time."""
        unmade = [entry for entry in entries if "item" not in entry.made]
        for entry, made in self.omissions.those(
            unmade, "item", lambda entry: self._item(entry.update).encode("utf-8", "replace")
        ):
            entry.made["item"] = made

    def article(self, entry: FeedEntry, *, link: bool = False) -> Markup:
        """An update in full; with `link` its headline leads to its own page. `Omitted` where it cannot be shown."""
        text = self.omissions.attempt(entry, "article", lambda: self._article(entry.update, link=link))
        return Markup(text)  # noqa: S704 -- the template escapes

    def body(self, update: ReaderUpdate, heading: int, figure: Callable[[Picture], str] | None = None) -> Markup:
        """The body of an update as it fits, with its pictures but the lead where they stand, each as `figure` shows it."""
        made = self.fitting(update.body_html, heading)
        if "data-picture" not in made:
            return made
        show = figure or (lambda picture: str(self._figure(picture, BODY_COLUMN)))
        return Markup(pictures.with_pictures(str(made), pictures.laid_out(update), show))  # noqa: S704 -- of what fits, and our own

    def blocks(self, update: ReaderUpdate) -> str:
        """The typed blocks of an update for where no form of ours is, as in a feed."""
        return str(self._blocks(update, self.site.url)).strip() if update.blocks else ""

    def fitting(self, html: str, heading: int = 4) -> Markup:
        """A body that was sanitised upstream, once more and so that it fits where a page puts it."""
        return Markup(self.fit(printable(html), heading))  # noqa: S704 -- sanitised

    def event_data(self, applied: Applied, *, page: bool) -> bytes:
        """What a stream sends of a revision; for a page with the item ready to put in."""
        if applied.entry is None:
            return removal_bytes(applied.update)
        made = self.json(applied.entry)
        if not page:
            return made
        update, channels = applied.update, sorted(applied.channels)
        stories = [channel.partition(":")[2] for channel in channels if channel.startswith("story:")]
        more: dict[str, object] = {"channels": channels, "html": str(self.item(applied.entry))}
        if stories:
            more["cards"] = {story: self._card_for(story) for story in stories}
        if update.story_profile is not None:
            more["edition"] = update.story_profile.edition
        return made[:-1] + b"," + dump(more)[1:]

    def _card_for(self, story: str) -> str:
        """The card of a story as an open page puts it in; empty where there is none to show."""
        try:
            card = self._find_card(story)
            return self._story_card(card).strip() if card is not None else ""
        except Exception:
            log.exception("the card of a story cannot be shown", story=story)
            return ""

    def render(self, template: str, **values: object) -> bytes:
        """A whole page."""
        return self._templates.get_template(template).render(**values).encode("utf-8", "replace")


def removal_bytes(update: ReaderUpdate) -> bytes:
    """The removal as JSON, whatever else the update may hold: nothing keeps a removal from readers."""
    try:
        return dump(removal_members(update))
    except Exception:
        log.exception("a removal is sent without its circumstances", update_id=update.update_id)
        return dump({"update_id": update.update_id, "kind": "kill", "removal": update.removal or "killed"})


class EventViews(Mapping[str, bytes]):
    """The views of one revision for a stream, each made when it is first asked for and kept."""

    def __init__(self, renderer: Renderer, applied: Applied) -> None:
        self._renderer = renderer
        self._applied = applied
        self._made: dict[str, bytes] = {}

    def __getitem__(self, name: str) -> bytes:
        made = self._made.get(name)
        if made is None:
            if name not in ("json", "page"):
                raise KeyError(name)
            made = self._made[name] = self._renderer.event_data(self._applied, page=name == "page")
        return made

    def __iter__(self) -> Iterator[str]:
        return iter(("json", "page"))

    def __len__(self) -> int:
        return 2


def stream_event(renderer: Renderer, applied: Applied) -> StreamEvent:
    """A revision as streams carry it; its views are made when they are asked for."""
    update = applied.update
    enriched_at = update.passport.enriched_at
    return StreamEvent(
        epoch=update.cursor.epoch,
        offset=update.cursor.offset,
        kind="kill" if update.is_removal else update.kind,
        channels=applied.channels,
        views=EventViews(renderer, applied),
        enriched_at=enriched_at.timestamp() if enriched_at else 0.0,
    )
