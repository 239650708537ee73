"""Kinds that stood around the texts of agencies, papers and content systems which nobody here had seen before."""

import json
from html import escape

import pytest

from conformance.documents import read_document
from ingest.formats import SourceProfile
from ingest.formats.copy import captions, headlines
from ingest.formats.copy.desks import scripts
from ingest.formats.copy.endings import footers, sign_offs
from ingest.formats.copy.markup import escapes
from ingest.formats.copy.names import people
from ingest.formats.languages import tag_of
from shared.messages import RawUpdate

TEXT = "The port reopened on Friday after a week of storms, the ministry said."


def only(document: str, **settings: object) -> RawUpdate:
    """The one update of a document, read with a profile."""
    profile = SourceProfile.model_validate(settings)
    (update,) = read_document(document.encode(), profile=profile.completed()).updates
    return update


def newsml_1(lines: str, described: str, content: str, party: str = "<Party FormalName='afp.com'/>") -> str:
    """A NewsML 1 item as AFP and EFE send it."""
    return (
        "<NewsML><NewsItem><Identification><NewsIdentifier><ProviderId>w</ProviderId><NewsItemId>1</NewsItemId></NewsIdentifier></Identification>"
        f"<NewsComponent><NewsLines>{lines}</NewsLines><AdministrativeMetadata><Provider>{party}</Provider></AdministrativeMetadata>"
        f"<DescriptiveMetadata>{described}</DescriptiveMetadata>{content}</NewsComponent></NewsItem></NewsML>"
    )


def nitf_content(body: str) -> str:
    """A content item of NewsML 1 with NITF."""
    return f"<ContentItem><DataContent><nitf><body><body.content>{body}</body.content></body></nitf></DataContent></ContentItem>"


def rss(body: str, inside: str = "", headline: str = "Port reopens") -> str:
    """An RSS feed of one entry."""
    return f"<rss><channel><item><guid>g</guid><title>{headline}</title><description>{escape(body)}</description>{inside}</item></channel></rss>"


@pytest.mark.parametrize(
    "words", ["كام/ص ك", "ا ف ب/جص", "سب-لال/نور-كام/سام", "ففف/ح س/كام", "(ТАСС)", "新华社", "ab/cd/ef"]
)
def test_initials_and_marks_of_any_script_are_sign_offs(words: str) -> None:
    assert sign_offs.is_sign_off(words)


def test_arabic_words_are_no_sign_off() -> None:
    assert not sign_offs.is_sign_off("قالت الوزارة إن الميناء فتح")
    assert people.kind_of_name("فيصل كمال") == "person"


def test_an_alert_of_an_arabic_wire_is_its_headline_alone() -> None:
    document = newsml_1(
        "<SlugLine>x</SlugLine>", "", nitf_content("<p>إعادة فتح الميناء بعد أسبوع من العواصف</p><p>ماب/ب ق</p>")
    )
    update = only(document, extends="afp")
    assert (update.headline, update.body_html, update.credit) == ("إعادة فتح الميناء بعد أسبوع من العواصف", "", "AFP")
    assert update.headline_from_text
    assert update.status == "usable"


@pytest.mark.parametrize(
    "described",
    ["<Genre FormalName='TextProgram'/>", "<Property FormalName='Keyword' Value='توقعات'/>"],
)
def test_planned_coverage_of_an_arabic_wire_waits(described: str) -> None:
    document = newsml_1("<HeadLine>موضوع متوقع</HeadLine>", described, nitf_content(f"<p>{TEXT}</p>"))
    assert only(document, extends="afp").status == "held"


@pytest.mark.parametrize(
    ("city", "country", "name", "code"),
    [("Oslo", "NOR", "Oslo", None), ("-", "NORGE", "NORGE", None), ("", "NOR", None, "NOR"), ("", "USA", "USA", None)],
)
def test_a_place_goes_without_the_code_of_its_country(
    city: str, country: str, name: str | None, code: str | None
) -> None:
    properties = "".join(
        f"<Property FormalName='{kind}' Value='{value}'/>"
        for kind, value in (("City", city), ("Country", country))
        if value
    )
    document = newsml_1(
        "<HeadLine>Port reopens</HeadLine>", f"<Location>{properties}</Location>", nitf_content(f"<p>{TEXT}</p>")
    )
    (place,) = (one for one in only(document).subjects if one.kind == "place")
    assert (place.name, place.code) == (name, code)


def test_a_picture_that_cannot_be_had_is_told_by_its_caption() -> None:
    content = (
        "<NewsComponent><Role FormalName='Caption'/><ContentItem><MediaType FormalName='Text'/><DataContent><nitf><body><body.content>"
        "<p>Boats leave the port on Friday. The storm had lasted a week. AFP PHOTO / ANN OTHER<br/><br/>RESTRICTED TO EDITORIAL USE. No use in games.</p>"
        "</body.content></body></nitf></DataContent></ContentItem></NewsComponent>"
        "<NewsComponent><Role FormalName='main'/><ContentItem Href='one.jpg'><MediaType FormalName='Photo'/></ContentItem></NewsComponent>"
    )
    update = only(newsml_1("<HeadLine>569697231</HeadLine>", "", content))
    assert update.headline == "Boats leave the port on Friday."
    assert update.body_html == "<p>The storm had lasted a week.</p>"
    assert update.usage_terms == "RESTRICTED TO EDITORIAL USE. No use in games."
    assert update.byline == ""


@pytest.mark.parametrize(
    ("caption", "parted"),
    [
        ("The bridge opens. / AFP / ANN OTHER", ("The bridge opens.", "ANN OTHER/AFP", "")),
        ("The bridge opens. AFP PHOTO / Ann Other", ("The bridge opens.", "Ann Other/AFP", "")),
        ("He / she won.", ("He / she won.", "", "")),
    ],
)
def test_credit_and_terms_behind_a_caption(caption: str, parted: tuple[str, str, str]) -> None:
    assert captions.parted(caption) == parted


@pytest.mark.parametrize(
    ("headline", "shown"),
    [
        ("569697231", ""),
        ("DV2209430.jpg", ""),
        ("ANDALUCÍA.-Córdoba.- El puerto abre sus puertas", "El puerto abre sus puertas"),
        ("2026: what comes next", "2026: what comes next"),
        ("U.S. port reopens", "U.S. port reopens"),
    ],
)
def test_headlines_of_archives_and_desks(headline: str, shown: str) -> None:
    assert headlines.bare(headline)[0] == shown


def test_efes_mark_and_slug_are_no_text() -> None:
    document = newsml_1(
        "<HeadLine>El puerto reabre</HeadLine><SubHeadLine>(Avance) PUERTO OSLO</SubHeadLine>",
        "",
        nitf_content("<p>Oslo, 3 oct (EFE).- El puerto reabrió el viernes tras una semana de tormentas.EFE</p>"),
        "<Party FormalName='Agencia EFE'/>",
    )
    update = only(document)
    assert update.body_html.endswith("tormentas.</p>")
    assert update.summary == ""


@pytest.mark.parametrize(
    "footer",
    [
        '<p>The post <a href="https://x.example/1">Port reopens</a> appeared first on <a href="https://x.example">Example</a>.</p>',
        "<p>The post Port reopens first appeared on Example.</p>",
        "<p>Der Beitrag Hafen offen erschien zuerst auf Beispiel.</p>",
        "<p>La entrada Puerto abierto se publicó primero en Ejemplo.</p>",
        "<p>L’article Le port rouvre est apparu en premier sur Exemple.</p>",
        "<p>O post Porto reabre apareceu primeiro em Exemplo.</p>",
        "<p>Запись Порт открыт впервые появилась Пример.</p>",
        '<p><a href="https://x.example/1">Continue reading Port reopens</a></p>',
        '<a href="https://x.example/1">Weiterlesen</a>',
        '<div class="feedflare"><a href="https://f.example"><img src="https://f.example/a.png"></a></div>',
        '<img src="https://feeds.feedburner.com/~r/x/~4/abc" alt="">',
        '<img src="https://x.example/c.png" width="1" height="1">',
        '<p><a href="https://x.example/1#comments">3 Comments</a></p>',
    ],
)
def test_what_content_systems_add_is_no_text(footer: str) -> None:
    update = only(rss(f"<p>{TEXT}</p>{footer}"))
    assert update.body_html == f"<p>{TEXT}</p>"
    assert not update.media


@pytest.mark.parametrize(
    "kept",
    [
        f'<p>{TEXT}</p><img style="line-height:1" src="https://x.example/boat.jpg">',
        f"<p>{TEXT}</p><p>More people came than the first time.</p>",
        f"<p>{TEXT}</p><p>The post office reopened, too.</p>",
    ],
)
def test_what_only_looks_like_it_stays(kept: str) -> None:
    assert footers.without_footers(kept) == (kept, [])


def test_an_excerpt_over_several_paragraphs_is_the_text_once_more() -> None:
    first, second = "The port reopened on Friday, said a spokeswoman.", "Boats left for the islands in the evening."
    document = (
        '<rss xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><item><guid>g</guid><title>Boats leave</title>'
        f"<description>{first} {second[:20]} [&#8230;]</description><content:encoded>{escape(f'<p>{first}</p><p>{second}</p>')}</content:encoded></item></channel></rss>"
    )
    assert only(document).summary == ""


def test_tags_of_content_systems_are_not_shown() -> None:
    names = ("Uncategorized", "Women at sea", "women-at-sea", "Ports", "PORTS", "Sin categoría")
    update = only(rss(f"<p>{TEXT}</p>", "".join(f"<category>{one}</category>" for one in names)))
    assert [one.name for one in update.subjects] == ["Women at sea", "Ports"]


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Don&rsquo;t", "Don’t"),
        ("A &#8217;s", "A ’s"),
        ("R&D; more", "R&D; more"),
        ("a &lt; b", "a &lt; b"),
        ("AT&T", "AT&T"),
    ],
)
def test_references_that_were_escaped_twice(written: str, shown: str) -> None:
    assert escapes.read_once_more(written) == shown


def test_a_body_that_was_escaped_as_a_whole_is_html() -> None:
    assert (
        escapes.body_read_once_more(
            "<p>&amp;lt;p&amp;gt;One&amp;lt;/p&amp;gt; &amp;lt;p&amp;gt;Two&amp;lt;/p&amp;gt;</p>"
        )
        == "<p>One</p> <p>Two</p>"
    )
    assert escapes.body_read_once_more("<p>It&amp;rsquo;s open</p>") == "<p>It&rsquo;s open</p>"
    code = "<p>Write it:</p><pre>&lt;p&gt;&amp;rsquo;&lt;/p&gt;</pre>"
    assert escapes.body_read_once_more(code) == code


def test_of_a_videos_script_readers_get_the_story() -> None:
    html = f"<p>RESTRICTIONS: No use after 30 days</p><p>SHOTLIST: Oslo, 3 May</p><p>1. Boats</p><p>STORYLINE:</p><p>{TEXT}</p>"
    assert scripts.without_script(html) == (
        f"<p>{TEXT}</p>",
        "RESTRICTIONS: No use after 30 days\nSHOTLIST: Oslo, 3 May\n1. Boats",
    )
    told = f"<p>Story: how it began</p><p>{TEXT}</p>"
    assert scripts.without_script(told) == (told, "")


@pytest.mark.parametrize(
    ("written", "tag"),
    [("English", "en"), ("en_US", "en-US"), ("deu", "de"), ("日本語", "ja"), ("pt-BR", "pt-BR"), ("Kielen kuvaus", "")],
)
def test_languages_by_name(written: str, tag: str) -> None:
    assert tag_of(written) == tag


def test_an_alert_that_has_nothing_to_say_says_nothing() -> None:
    alert = (
        '<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>i</identifier><sender>s</sender><sent>2026-05-03T10:00:00-00:00</sent>'
        "<status>Actual</status><msgType>Alert</msgType><scope>Public</scope><info><category>Met</category><event>Flood</event><urgency>Future</urgency>"
        "<severity>Minor</severity><certainty>Likely</certainty><description>The river rises. $$</description><instruction>None</instruction>"
        f"<area><areaDesc>Polk</areaDesc></area><area><areaDesc>{'Far away county, ' * 12}</areaDesc></area></info></alert>"
    )
    update = only(alert)
    assert update.body_html == "<p>The river rises.</p>"
    assert update.located == "Polk"


def ans(**more: object) -> str:
    """A story of Arc XP's."""
    return json.dumps(
        {
            "_id": "ABC",
            "type": "story",
            "version": "0.10.7",
            "headlines": {"basic": "Port reopens"},
            "subheadlines": {"basic": "Boats leave again"},
            "canonical_url": "/news/port",
            "content_elements": [
                {"type": "text", "content": TEXT},
                {"type": "header", "level": 2, "content": "What comes next"},
                {"type": "interstitial_link", "content": "Read our guide", "url": "https://x.example"},
                {"type": "list", "list_type": "unordered", "items": [{"type": "text", "content": "Boats"}]},
                {
                    "type": "image",
                    "url": "https://x.example/a.jpg",
                    "caption": "Boats on Friday",
                    "credits": {"by": [{"name": "Ann Other"}], "affiliation": [{"name": "AP"}]},
                },
                {"type": "text", "content": "&lt;br/&gt;"},
            ],
            "credits": {"by": [{"_id": "jd", "type": "author", "name": "Jane Doe"}]},
            "taxonomy": {"tags": [{"text": "Ports"}], "sections": [{"name": "News"}]},
            "distributor": {"name": "Example Post"},
            "first_publish_date": "2026-05-03T10:00:00Z",
            "language": "English",
            **more,
        }
    )


def test_a_story_of_arc_xp() -> None:
    update = only(ans())
    assert update.body_html == f"<p>{TEXT}</p><h2>What comes next</h2><ul><li>Boats</li></ul>"
    assert (update.headline, update.summary, update.byline, update.credit) == (
        "Port reopens",
        "Boats leave again",
        "Jane Doe",
        "Example Post",
    )
    assert (update.language, [one.name for one in update.subjects]) == ("en", ["Ports", "News"])
    (picture,) = update.media
    assert (picture.caption, picture.credit) == ("Boats on Friday", "Ann Other/AP")


def test_a_draft_of_arc_xp_is_withheld() -> None:
    assert only(ans(revision={"published": False})).status == "withheld"


@pytest.mark.parametrize(
    ("creator", "names"),
    [
        ("Ann Other and Jo Bloggs", ["Ann Other", "Jo Bloggs"]),
        ("Ann Other, Jo Bloggs", ["Ann Other", "Jo Bloggs"]),
        ("Other, Ann", ["Other, Ann"]),
        ("Simon St.Laurent (mailto:)", ["Simon St.Laurent"]),
        ("The Islander", []),
        ("DER INSELBOTE", []),
        ("Radio Oslo S.A.", []),
        ("José Ortega y Gasset", ["José Ortega y Gasset"]),
        ("Karl von und zu Guttenberg", ["Karl von und zu Guttenberg"]),
    ],
)
def test_each_author_has_a_card_and_no_paper_has_one(creator: str, names: list[str]) -> None:
    document = f'<rss xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><item><guid>g</guid><title>Port reopens</title><description>{TEXT}</description><dc:creator>{creator}</dc:creator></item></channel></rss>'
    assert [one.name for one in only(document).creators] == names


@pytest.mark.parametrize(
    "line",
    [
        "EMBARGADO HASTA las 12:00 del 3 de mayo",
        "Sous embargo jusqu'au 3 mai à 12h",
        "Sperret til kl. 12.00",
        "Klausuleret til 3. maj kl. 12",
        "Får ej publiceras före kl 12",
        "Ei saa julkaista ennen klo 12",
        "Onder embargo tot 12.00 uur",
        "Embargo do 3 maja, godz. 12",
        "Эмбарго до 12.00",
        "محظور النشر حتى 12:00",
        "엠바고: 5월 3일 12시",
        "解禁：5月3日",
        "Frei ab 12.00 Uhr",
    ],
)
def test_an_embargo_in_the_languages_of_agencies_withholds(line: str) -> None:
    document = newsml_1("<HeadLine>Port reopens</HeadLine>", "", nitf_content(f"<p>{line}</p><p>{TEXT}</p>"))
    update = only(document)
    assert update.status == "withheld"
    assert line not in update.body_html


@pytest.mark.parametrize(
    "line",
    [
        "The embargo on arms was extended until May.",
        "Embargot mot landet förlängs.",
        "Sous embargo depuis des années, l’île manque de tout.",
        "El embargo de armas sigue en vigor.",
        "Эмбарго на поставки оружия продлено.",
        "Frei ab sofort sind die Strassen.",
        "Julkaistavissa heti.",
    ],
)
def test_an_embargo_on_arms_withholds_nothing(line: str) -> None:
    document = newsml_1("<HeadLine>Port reopens</HeadLine>", "", nitf_content(f"<p>{line}</p><p>{TEXT}</p>"))
    assert only(document).status == "usable"


def test_columns_of_an_anpa_message_are_a_table_however_they_are_indented() -> None:
    message = (
        "\x16\x16\x01W2870\x1f_asian\nf l\x13\x11 BC-Standings     11-13 0040\n\x02^BC-Standings<\n^Standings of the league=\n"
        "\t   OSLO (AP) _ How the clubs stand on Friday:\n\t   ;W;L;GB<\n\t   Oslo;23;13;_<\n\x08Bergen;21;15;3{\x10 \n\t   Boats left; trains ran; all was well; it said.\n\t   AP-WF-11-13-26 0713GMT<\n\x03"
    )
    update = only(message)
    rows = "<tr><td></td><td>W</td><td>L</td><td>GB</td></tr><tr><td>Oslo</td><td>23</td><td>13</td><td>–</td></tr><tr><td>Bergen</td><td>21</td><td>15</td><td>3½</td></tr>"
    assert f"<table>{rows}</table>" in update.body_html
    assert "<p>Boats left; trains ran; all was well; it said.</p>" in update.body_html


def test_what_an_item_of_newsml_g2_was_translated_from() -> None:
    document = (
        '<newsItem xmlns="http://iptc.org/std/nar/2006-10-01/" guid="g"><itemMeta><itemClass qcode="ninat:text"/><link rel="irel:translatedFrom" residref="urn:x:1"/></itemMeta>'
        f"<contentMeta><headline>Port reopens</headline></contentMeta><contentSet><inlineXML><html xmlns='http://www.w3.org/1999/xhtml'><body><p>{TEXT}</p></body></html></inlineXML></contentSet></newsItem>"
    )
    assert only(document).translation_of == "urn:x:1"


def test_notes_over_several_lines_and_tables_of_bars_in_iptc_7901() -> None:
    message = (
        "\x01bdt0001 3 vm 40  dpa 0001\n\nSport/Liga/\n\x02(Berichtigung: In der ersten Fassung hieß es,\nOslo habe gewonnen. Richtig ist aber Bergen.)\n(Bericht)\nBergen gewinnt =\n\n"
        "Bergen (dpa) - So steht die Liga:\n\n| Bergen | 21 | 15 |\n| --- | --- | --- |\n| Oslo   | 20 | 16 |\n\n\x03dpa ab yysw a1 cd\n031200 Mai 26\n\x04"
    )
    update = only(message, extends="dpa")
    assert update.headline == "Bergen gewinnt"
    assert "Richtig ist aber Bergen.)" in update.private_note
    assert (
        "<table><tr><td>Bergen</td><td>21</td><td>15</td></tr><tr><td>Oslo</td><td>20</td><td>16</td></tr></table>"
        in update.body_html
    )


def test_what_dpa_lists_for_desks_waits() -> None:
    document = json.dumps(
        {
            "urn": "u",
            "pubstatus": "usable",
            "headline": "Folgende Lesestücke sind weiter aktuell",
            "article_html": f"<p>{TEXT}</p>",
        }
    )
    assert only(document, extends="dpa-digitalwires").status == "held"


def test_a_sites_icon_is_no_picture() -> None:
    item = {
        "id": "1",
        "title": "Port reopens",
        "content_html": f"<p>{TEXT}</p><div><a href='https://x.example/1'>★</a></div>",
        "image": "https://x.example/favicon-192x192.png",
    }
    update = only(json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": [item]}))
    assert not update.media
    assert update.body_html == f"<p>{TEXT}</p>"


def test_several_topics_in_one_category_and_a_path_of_them() -> None:
    names = ("Rap,Podcast,Oslo", "Business/Industries/Ports/", "Washington, D.C.", "Arts, Music, Theatre, Film")
    update = only(rss(f"<p>{TEXT}</p>", "".join(f"<category>{one}</category>" for one in names)))
    assert [one.name for one in update.subjects] == [
        "Rap", "Podcast", "Oslo", "Ports", "Washington, D.C.", "Arts", "Music", "Theatre", "Film",
    ]  # fmt: skip


def test_the_description_of_a_video_is_not_its_caption_too() -> None:
    document = (
        '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:media="http://search.yahoo.com/mrss/"><entry><id>1</id><title>Boats</title><media:group><media:title>Boats</media:title>'
        f'<media:thumbnail url="https://x.example/a.jpg" width="480" height="360"/><media:description>{TEXT}</media:description></media:group></entry></feed>'
    )
    update = only(document)
    assert update.body_html == f"<p>{TEXT}</p>"
    assert not update.media[0].caption


def test_figures_for_machines_are_no_text() -> None:
    document = (
        '<newsItem xmlns="http://iptc.org/std/nar/2006-10-01/" guid="g"><itemMeta><itemClass qcode="ninat:text"/></itemMeta><contentMeta><headline>Oslo wins http://x.example/1</headline></contentMeta>'
        "<contentSet><inlineXML><sports-content xmlns='http://iptc.org/std/SportsML/2008-04-01/'><team><name>Oslo</name><score>3</score></team></sports-content></inlineXML></contentSet></newsItem>"
    )
    update = only(document)
    assert (update.headline, update.body_html) == ("Oslo wins", "")
    assert "unreadable-content" in [one.code for one in update.repairs]


def test_areas_of_an_alert_are_places_and_descriptions_are_not() -> None:
    alert = (
        '<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>i</identifier><sender>s</sender><sent>2026-05-03T10:00:00-00:00</sent>'
        "<status>Actual</status><msgType>Alert</msgType><scope>Public</scope><info><category>Met</category><event>Quake</event><urgency>Past</urgency>"
        "<severity>Minor</severity><certainty>Observed</certainty><description>It shook.</description>"
        f"<area><areaDesc>North Fjord; South Fjord</areaDesc></area><area><areaDesc>47 miles (76 km) SSW of {'a village and of ' * 6}</areaDesc></area></info></alert>"
    )
    update = only(alert)
    assert [one.name for one in update.subjects if one.kind == "place"] == ["North Fjord", "South Fjord"]
    assert update.located == "North Fjord; South Fjord"
