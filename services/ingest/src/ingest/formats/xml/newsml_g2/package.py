"""`groupSet` of NewsML-G2: what a package refers to."""

from html import escape

from ingest.formats import media
from ingest.formats.fields import AboutMedia, append
from ingest.formats.xml.document import Element, child, words
from ingest.formats.xml.newsml_g2.item import NewsItem, remote_offer, title_of
from shared.messages.limits import MOST


def read_groups(item: NewsItem, section: Element) -> None:
    """What a package refers to: pictures that can be fetched are its own, of the rest the titles are listed."""
    titles: list[str] = []
    for one in section.iter("{*}itemRef"):
        target = one.get("residref") or one.get("href") or ""
        mime = one.get("contenttype") or ""
        url = media.absolute(one.get("href"), item.profile.media_base_url)
        if one.get("residref"):
            item.refers.append(target)
        if url and mime.startswith(("image/", "video/", "audio/")):
            about: AboutMedia = {
                "caption": words(child(one, "description")),
                "headline": title_of(one),
                "guid": one.get("residref"),
            }
            found = media.reference([remote_offer(one, url)], media.kind_of(mime), about)
            pictures = item.fields.setdefault("media", [])
            if found and len(pictures) <= MOST["media"]:
                pictures.append(found)
            continue
        title = title_of(one)
        if title:
            titles.append(title)
        append(item.extra, "members", {"target": target[:2000], "title": title})
    if titles:
        item.fields["body_html"] = "<ul>" + "".join(f"<li>{escape(one, quote=False)}</li>" for one in titles) + "</ul>"
