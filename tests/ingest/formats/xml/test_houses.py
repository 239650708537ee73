"""XML of houses that follow no standard: Ritzau, press releases, Europa Press."""

from datetime import UTC, datetime
from html import escape

from conformance.documents import outcome, read_document
from ingest.formats import Unreadable

TEXT = "<p>The port reopened on Friday after a week of storms, the ministry said.</p><p>Boats left in the evening.</p>"


def rbnews(**more: str) -> str:
    """A text of Ritzau's."""
    members = {
        "NewsID": "n1", "PublishDate": "2026-05-03T12:00:00.397", "headline": "Port reopens", "town": "Oslo", "origin": "/ritzau/", "section": "Udland", "version": "2",
        "content": escape(TEXT), "byLine": "Ann Other", "byLineEmail": "udland@example.org", "TilRedaktionen": "Kommer igen", "Annuleret": "false", "Korrektion": "true", **more,
    }  # fmt: skip
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in members.items())
    return f'<RBNews xmlns="">{inner}<IPTCList xmlns:a="http://a.example"><a:int>4000000</a:int></IPTCList></RBNews>'


def test_a_text_of_ritzau() -> None:
    (update,) = read_document(rbnews()).updates
    assert (update.guid, update.version, update.headline, update.byline) == ("n1", "2", "Port reopens", "Ann Other")
    assert (update.located, update.credit, update.private_note) == ("Oslo", "ritzau", "Kommer igen")
    assert update.body_html == TEXT
    assert update.version_created == datetime(2026, 5, 3, 10, 0, 0, 397000, tzinfo=UTC)
    assert update.signal == "correction"
    assert "subj:04000000" in [one.code for one in update.subjects]
    assert "udland@example.org" not in update.model_dump_json()


def test_a_flash_of_ritzau_without_a_headline_and_one_that_is_cancelled() -> None:
    (flash,) = read_document(rbnews(headline="")).updates
    assert flash.headline_from_text
    (cancelled,) = read_document(rbnews(Annuleret="true")).updates
    assert cancelled.status == "canceled"


def release(**more: str) -> str:
    """A press release of a site of Solita's."""
    members = {
        "longurl": "https://info.example/1",
        "title": "Port reopens",
        "leadtext": "Boats leave again",
        "body": escape(TEXT),
        "publicationDate": "03.05.2026 12:00",
        "contactsAsText": "Ann Other, +47 55",
        **more,
    }
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in members.items())
    picture = "<images><image><url>https://info.example/a.jpg</url><caption>Boats</caption></image></images>"
    return f'<release id="17" lang="no">{inner}{picture}<publisher><name>The Port</name></publisher></release>'


def test_a_press_release() -> None:
    (update,) = read_document(release()).updates
    assert (update.guid, update.headline, update.credit, update.language) == ("17", "Port reopens", "The Port", "no")
    assert update.private_note == "Ann Other, +47 55"
    assert (update.media[0].url, update.media[0].caption) == ("https://info.example/a.jpg", "Boats")
    assert update.version_created == datetime(2026, 5, 3, 10, 0, tzinfo=UTC)
    (later,) = read_document(release(embargo="04.05.2026 09:00")).updates
    assert later.embargo_until == datetime(2026, 5, 4, 7, 0, tzinfo=UTC)


def test_a_text_of_europa_press() -> None:
    document = (
        "<NOTICIA><CODIGO>2026</CODIGO><FECHA>03/05/2026</FECHA><HORA>12:00:00</HORA><ANTETITULO>Mar</ANTETITULO><TITULAR>El puerto reabre</TITULAR>"
        f"<ENTRADILLA>Salen barcos</ENTRADILLA><CONTENIDO>{escape(TEXT)}</CONTENIDO><FIRMA2>Ana Otra</FIRMA2></NOTICIA>"
    )
    (update,) = read_document(document).updates
    assert (update.headline, update.summary, update.byline) == ("El puerto reabre", "Salen barcos", "Ana Otra")
    assert update.version_created == datetime(2026, 5, 3, 10, 0, tzinfo=UTC)


def test_what_only_has_the_root_element_is_of_no_format_that_is_read() -> None:
    failure = outcome("<release><name>1.0</name></release>")
    assert isinstance(failure, Unreadable)
    assert failure.code == "unknown-format"
