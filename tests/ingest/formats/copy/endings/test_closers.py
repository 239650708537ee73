"""What agencies of the world close a text with, and what only looks like it."""

import pytest

from conformance.documents import read_document
from ingest.formats.copy.endings import closers, sign_offs
from ingest.formats.copy.names import people
from shared.messages import RawUpdate

TEXT = "<p>The port reopened on Friday after a week of storms, the ministry said.</p>"


def nitf(*lines: str) -> RawUpdate:
    """An item whose text ends with some lines."""
    body = TEXT + "".join(f"<p>{line}</p>" for line in lines)
    document = f"<nitf><head><docdata><doc-id id-string='1'/></docdata></head><body><body.head><hedline><hl1>Port reopens</hl1></hedline></body.head><body.content>{body}</body.content></body></nitf>"
    (update,) = read_document(document).updates
    return update


@pytest.mark.parametrize(
    "lines",
    [
        ["责任编辑：赵六"],
        ["（参与记者：王五）"],
        ["graceoh@yna.co.kr", "(END)"],
        ["hong@yna.co.kr", "(끝)", "&lt;저작권자(c) 연합뉴스, 무단 전재-재배포 금지&gt;"],
        ["◎공감언론 뉴시스 hong@newsis.com"],
        ["YRM-VN", "03-OTT-26 12:30 NNN"],
        ["(Xxx/Adnkronos)"],
        ["jnk mha"],
        ["(Beta, 03.10.2026)"],
        ["(Hina) xabc yxyz"],
        ["ABC (DEF/GHI) // JKL", "Lusa/Fim"],
        ["1011234", "abc/def", "(Recursos de archivo en www.lafototeca.com código 123456)"],
        ["KVK KVK"],
        ["(This story has not been edited by THE WEEK and is auto-generated from PTI)"],
        ["AB/CDE", "======", "Edited by Ann Other"],
        ["Vilnius newsroom, +370 5 205 85 13, politika@bns.lt"],
        ["// انتهى //", "12:30 ت م", "0045"],
        ["Source text for Eikon: [ID:nABC123]", "Further company coverage: [ACME.LS]", "(Gdansk Newsroom)"],
        ["ISIN DE0008032004", "AXC0123 2026-10-03/12:30"],
        ["Служба финансово-экономической информации", "business@interfax.ru"],
        ["FOTOĞRAFLI"],
        ["(AVISO: Ab 12.30 Uhr Pressekonferenz)"],
        ["Notiz: Bilder dazu auf dem Visual-Kanal."],
        ["Фото: Укрінформ"],
        ["-0-"],
        ["//Petra// AB", "03/10/2026 12:30:15"],
        ["9417**1416"],
        ["teleSUR-abc-def"],
        ["(FIN) ABC/DEF", "GRM", "Publicado: 3/10/2026"],
        ["Edição: Ana Silva"],
        ["(Web editor: Ann Other, Jo Bloggs)"],
        ["OTS0123 2026-10-03/12:30"],
        ["Lars Hansen/ritzau/"],
    ],
)
def test_closing_lines_are_not_for_readers(lines: list[str]) -> None:
    assert nitf(*lines).body_html == TEXT


@pytest.mark.parametrize(
    "line",
    [
        "The new number is 1011234.",
        "It opens in 2026",
        "See you out there",
        "not yet",
        "New York, New York",
        "Write to us at letters@paper.example, and say who you are.",
        "He was edited by nobody.",
        "This story has two sides, the ministry said.",
        "NATO AND EU",
        "The desk was made of oak.",
        "Isin was a city of Sumer.",
    ],
)
def test_words_that_look_like_closing_lines_stay(line: str) -> None:
    assert line in nitf(line).body_html


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("贸易将很快恢复。（完）", "（完）"),
        ("船舶可以再次進港。（編輯：陳大文）1151003", "（編輯：陳大文）1151003"),
        ("船舶は再び入港できる。（2026/10/03-12:30）", "（2026/10/03-12:30）"),
        ("Trade will recover. PTI KVK SKL ZMN", " PTI KVK SKL ZMN"),
        ("Brodovi uplovljavaju. (Kraj)", " (Kraj)"),
        ("Il porto riapre. POL NG01 abc 031230 OTT 26", " POL NG01 abc 031230 OTT 26"),
        (
            "Navele intră. AGERPRES/(AS - autor: Ana Ionescu, editor: Mihai Pop)",
            " AGERPRES/(AS - autor: Ana Ionescu, editor: Mihai Pop)",
        ),
        ("wie das Ministerium mitteilte./em/DP/max", "/em/DP/max"),
        ("Trade will recover./.", "/."),
        ("Trade will recover. UNI ABC DEF 1230", " UNI ABC DEF 1230"),
        ("Trade will recover. (end) abc.def", " (end) abc.def"),
        ("dijo el ministerio. EFE abc/def", " EFE abc/def"),
        ("ist wieder offen. (Folgt mehr)", " (Folgt mehr)"),
        ("He told us to see the end) today", ""),
        ("He joined PTI KVK later on", ""),
        ("It was the end (of a story)", ""),
        ("他说（完全）可以。", ""),
        ("It costs 5/10 or 7/AB", ""),
    ],
)
def test_what_stands_behind_the_last_sentence(words: str, said: str) -> None:
    assert closers.behind(words) == said


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("Anna Andersson/TT", "Anna Andersson"),
        ("WAM/Ann Other", "Ann Other"),
        ("وام/أحمد علي", "أحمد علي"),
        ("STT, Maija Meikäläinen", "Maija Meikäläinen"),
        ("Ann Other, La Presse Canadienne", "Ann Other"),
        ("—By Ann Other, AP", "Ann Other"),
        ("Autor: Jan Kowalski (PAP)", "Jan Kowalski"),
        ("Z Gdańska Jan Kowalski (PAP)", "Jan Kowalski"),
        ("Pewarta: Budi Santoso", "Budi Santoso"),
        ("TT/AFP", ""),
        ("Autor: em/max", ""),
        ("Rock/Pop", ""),
        ("Anna Andersson/Moderaterna", ""),
        ("Z Gdańska Jan Kowalski (lekarz)", ""),
    ],
)
def test_who_wrote_a_text_where_it_says_so_at_its_end(line: str, name: str) -> None:
    assert closers.writer(line) == name


def test_a_writer_at_the_end_is_the_byline_and_no_line_of_the_text() -> None:
    update = nitf("Pewarta: Budi Santoso", "Copyright © ANTARA 2026")
    assert (update.byline, update.credit, update.body_html) == ("Budi Santoso", "ANTARA", TEXT)


def test_houses_marks() -> None:
    assert sign_offs.bare_mark("(©NTB)") == "NTB"
    assert people.is_agency("Télam")
    assert people.is_agency("La Presse Canadienne")
