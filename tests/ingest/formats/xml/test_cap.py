"""CAP 1.2: what is for the public, and what an Update and a Cancel do to the alerts that they name."""

import pytest

from conformance.documents import read_document
from ingest.formats import ReadResult, SourceProfile

INFO = (
    "<info><language>{language}</language><category>Met</category><event>Flood</event><urgency>Immediate</urgency><severity>Severe</severity><certainty>Likely</certainty>"
    "<effective>2026-11-23T08:00:00-05:00</effective><expires>2026-11-24T08:00:00-05:00</expires><senderName>Weather office</senderName><headline>{headline}</headline>"
    "<description>Water rises.\n\nFast.</description><instruction>Go up.</instruction><web>https://example.org/a</web>"
    "<resource><resourceDesc>Map</resourceDesc><mimeType>image/png</mimeType><uri>https://example.org/map.png</uri></resource>"
    "<area><areaDesc>Boulder</areaDesc><geocode><valueName>SAME</valueName><value>008013</value></geocode></area></info>"
)


def alert(
    identifier: str,
    *,
    kind: str = "Alert",
    status: str = "Actual",
    scope: str = "Public",
    references: str = "",
    info: str = "",
) -> ReadResult:
    """What a CAP message becomes."""
    pointed = f"<references>{references}</references>" if references else ""
    body = info or INFO.format(language="en-US", headline="Flood warning")
    return read_document(
        f'<?xml version="1.0"?><cap:alert xmlns:cap="urn:oasis:names:tc:emergency:cap:1.2"><cap:identifier>{identifier}</cap:identifier><cap:sender>w@example.org</cap:sender>'
        f"<cap:sent>2026-11-23T08:00:00-05:00</cap:sent><cap:status>{status}</cap:status><cap:msgType>{kind}</cap:msgType><cap:scope>{scope}</cap:scope>"
        + f"{pointed}{body}".replace("</", "</cap:").replace("<", "<cap:").replace("<cap:/cap:", "</cap:")
        + "</cap:alert>"
    )


def triple(identifier: str, day: int) -> str:
    """One reference."""
    return f"w@example.org,{identifier},2026-11-{day}T08:00:00-05:00"


def test_an_alert_is_an_update() -> None:
    """Headline, text, instruction, area, expiry, credit, map and codes."""
    update = alert("A").updates[0]
    assert (update.guid, update.headline, update.credit, update.located, update.urgency) == (
        "A",
        "Flood warning",
        "Weather office",
        "Boulder",
        1,
    )
    assert update.body_html == "<p>Water rises.</p><p>Fast.</p><p>Go up.</p>"
    assert (update.link, update.language, str(update.expires_at)) == (
        "https://example.org/a",
        "en-US",
        "2026-11-24 08:00:00-05:00",
    )
    assert [(media.url, media.caption) for media in update.media] == [("https://example.org/map.png", "Map")]
    assert {(subject.code, subject.name, subject.kind) for subject in update.subjects} == {
        ("capcat:Met", None, "subject"),
        (None, "Flood", "event"),
        ("SAME:008013", "Boulder", "place"),
    }


def test_an_update_is_a_version_of_the_first_alert_that_it_names() -> None:
    """The earliest reference is the identity, the message's own id is an alias of it."""
    reading = alert("C", kind="Update", references=f"{triple('B', 22)} {triple('A', 21)}")
    assert [(update.guid, update.signal) for update in reading.updates] == [("A", "update")]
    assert reading.aliases == (("C", "A"), ("B", "A"))


def test_a_cancel_kills_every_alert_that_it_names() -> None:
    """One kill for each reference, and no text of the cancel itself."""
    reading = alert("D", kind="Cancel", references=f"{triple('A', 21)} {triple('B', 22)}")
    assert [(update.guid, update.status, update.headline) for update in reading.updates] == [
        ("A", "canceled", ""),
        ("B", "canceled", ""),
    ]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"status": "Test"}, "not-for-publication"),
        ({"status": "Exercise"}, "not-for-publication"),
        ({"status": "Draft"}, "not-for-publication"),
        ({"status": ""}, "not-for-publication"),
        ({"scope": "Private"}, "not-for-publication"),
        ({"scope": "Restricted"}, "not-for-publication"),
        ({"kind": "Ack"}, "not-news"),
        ({"kind": "Cancel"}, "missing-field"),
    ],
)
def test_only_actual_public_alerts_are_published(changes: dict[str, str], code: str) -> None:
    """An exercise on a news page is a scare: everything else is refused with a reason."""
    reading = alert("A", **changes)
    assert not reading.updates
    assert [refused.code for refused in reading.refused] == [code]


def test_the_info_in_the_sources_language_is_taken() -> None:
    """An alert in several languages is one update, which a Cancel can reach for certain; the others are noted."""
    both = INFO.format(language="en-CA", headline="Flood") + INFO.format(language="fr-CA", headline="Crue")
    update = alert("A", info=both).updates[0]
    assert (update.headline, update.language) == ("Flood", "en-CA")
    assert update.extra["translations"]["fr-CA"]["headline"] == "Crue"
    text = f'<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>A</identifier><sent>2026-11-23T08:00:00Z</sent><status>Actual</status><msgType>Alert</msgType><scope>Public</scope>{both}</alert>'
    assert read_document(text, profile=SourceProfile(language="fr")).updates[0].headline == "Crue"


def test_several_infos_in_one_language_are_told_together() -> None:
    """Other events and areas of one alert: each under its headline, in force until the last ends; what is over leads not."""
    ended = INFO.format(language="en-CA", headline="Flood ended").replace(
        "<urgency>Immediate</urgency>", "<responseType>AllClear</responseType><urgency>Past</urgency>"
    )
    wind = (
        INFO.format(language="en-CA", headline="Wind")
        .replace("Boulder", "Aspen")
        .replace("<expires>2026-11-24", "<expires>2026-11-25")
    )
    update = alert("A", info=ended + wind).updates[0]
    assert (update.headline, update.urgency, update.located) == ("Wind", 1, "Boulder; Aspen")
    assert str(update.expires_at) == "2026-11-25 08:00:00-05:00"
    assert update.body_html == (
        "<h3>Flood ended</h3><p>Boulder</p><p>Water rises.</p><p>Fast.</p><p>Go up.</p>"
        "<h3>Wind</h3><p>Aspen</p><p>Water rises.</p><p>Fast.</p><p>Go up.</p>"
    )


def test_an_info_that_is_only_repeated_is_told_once() -> None:
    """Some senders repeat an info for each of its categories or areas."""
    one = INFO.format(language="en-CA", headline="Flood")
    update = alert("A", info=one + one.replace("Boulder", "Aspen")).updates[0]
    assert (update.body_html, update.located) == ("<p>Water rises.</p><p>Fast.</p><p>Go up.</p>", "Boulder; Aspen")


def test_texts_with_bullets_or_html_keep_their_form() -> None:
    """A weather office sets lists by asterisks; another writes HTML into plain text."""
    info = INFO.format(language="en-US", headline="Flood")
    bullets = info.replace("Water rises.\n\nFast.", "Watch for\n* the river\nin town\n* the bridge")
    assert alert("A", info=bullets).updates[0].body_html == (
        "<p>Watch for</p><p>* the river in town</p><p>* the bridge</p><p>Go up.</p>"
    )
    document = (
        '<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>A</identifier><sent>2026-11-23T08:00:00Z</sent><status>Actual</status><msgType>Alert</msgType><scope>Public</scope>'
        "<info><event>Fire</event><description>LEVEL: low&lt;br /&gt;PLACE: Oslo</description></info></alert>"
    )
    assert read_document(document).updates[0].body_html == "<p>LEVEL: low<br />PLACE: Oslo</p>"


def test_a_note_to_those_who_relay_alerts_is_not_for_readers() -> None:
    """Weather offices write notices of service into it."""
    update = alert("A", info="<note>Service notice</note>" + INFO.format(language="en", headline="Flood")).updates[0]
    assert (update.private_note, update.editors_note) == ("Service notice", "")
