"""What was made with AI says so, wherever it is shown."""

from zoneinfo import ZoneInfo

import pytest

from publish.representation import linked_data, ninjs
from publish.representation.origin import credentials_line, label_of, text_label
from publish.representation.pictures import shown_as
from publish.representation.position import Position
from publish.representation.reader_update import ReaderCredentials, ReaderUpdate, reader_update
from publish.representation.site import Site
from shared.messages import ContentCredentials, EnrichedUpdate, Media, Rendition
from support.revisions import revision

pytestmark = pytest.mark.unit
SITE = Site("Newsroom", "https://news.example", ZoneInfo("UTC"))
AI = "trainedAlgorithmicMedia"
URI = f"http://cv.iptc.org/newscodes/digitalsourcetype/{AI}"


def made_with_ai(**changes: object) -> EnrichedUpdate:
    """An update whose text and picture were made with AI."""
    picture = Media(
        id="a", caption="A flooded square", credit="Harbour Wire", copyright="(c) Harbour", creator="Robot", usage_terms="Free",
        terms_url="https://wire.example/terms", licensor_url="https://wire.example/buy", digital_source_type=AI,
        content_credentials=ContentCredentials(state="valid", signer="Harbour", tool="Model", actions=("c2pa.created",)),
        renditions=(Rendition(url="/media/aa/a/640.jpg", mime_type="image/jpeg", width=640, height=480),),
    )  # fmt: skip
    return revision("ai", digital_source_type=AI, media=(picture,), **changes)


def read(update: EnrichedUpdate) -> ReaderUpdate:
    """The update as readers get it."""
    return reader_update(update, cursor=Position(1, 1), position=Position(1, 1))


def test_the_label_names_ai_and_who_is_responsible_without_a_name() -> None:
    """A person who took responsibility is told of, but not named to readers."""
    assert text_label(read(made_with_ai())) == "Made with AI"
    checked = read(made_with_ai(responsible="Erika Muster"))
    assert text_label(checked) == "Made with AI · Checked by an editor"
    assert "Erika" not in repr(checked)
    assert label_of("compositeWithTrainedAlgorithmicMedia") == "Partly made with AI"
    assert label_of("digitalCapture") == label_of("") == ""


def test_rights_and_origin_are_in_linked_data_and_ninjs() -> None:
    """What Google's image metadata and ninjs 3.1 have fields for."""
    update = read(made_with_ai())
    article = linked_data.news_article(SITE, update)
    assert article["digitalSourceType"] == URI
    [image] = article["image"]  # type: ignore[misc]
    assert {name: image[name] for name in ("creditText", "copyrightNotice", "license", "acquireLicensePage", "digitalSourceType")} == {
        "creditText": "Harbour Wire", "copyrightNotice": "(c) Harbour", "license": "https://wire.example/terms",
        "acquireLicensePage": "https://wire.example/buy", "digitalSourceType": URI,
    }  # fmt: skip
    assert image["creator"] == {"@type": "Person", "name": "Robot"}
    item = ninjs.ninjs(SITE, update)
    assert item["digitalSourceType"] == URI
    [association] = item["associations"]  # type: ignore[misc]
    assert (association["by"], association["copyrightNotice"]) == ("Robot", "(c) Harbour")
    assert (association["usageTerms"], association["digitalSourceType"]) == ("Free", URI)


def test_content_credentials_are_one_line() -> None:
    """Who signed, whether that was checked, and what was done."""
    picture = shown_as(read(made_with_ai()).media[0])
    assert picture is not None
    assert picture.origin == "Made with AI"
    assert picture.credentials == "Content credentials: signed by Harbour (signer not verified) with Model; created."
    altered = ReaderCredentials("invalid", "Harbour", "", "", (), 0, False)
    assert credentials_line(altered) == "The picture's content credentials do not match it."
    assert credentials_line(None) == ""
