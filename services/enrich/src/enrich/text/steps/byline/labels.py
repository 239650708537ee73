"""The words before a colon by which newsrooms of many countries say what somebody did: `Zdjęcia: …`, `Tekst og foto: …`, `Laporan: …`."""

import re
from collections.abc import Mapping

from enrich.text.steps.byline.patterns import PLURAL_ASIDE

LABELS: Mapping[str, str] = {
    "photos by": r"""
        fot phot fotograf pict bild(?!schirm) zdj kuva valokuva ảnh hình camera kamera cámara câmera ilustra illustra infogra graf gráf graphic dessin dibujo disegn tekening v[ií]d[eé]o video imagen imágen imagem immagin beeld
        billed bilete fénykép snímk фото ілюстрац иллюстрац инфограф видео відео съ[её]мка зйомка φωτογραφ تصوير صور צילו ภาพ
    """,
    "translation by": r"""
        translat traduc traduz traduç tradui traduz übersetz vertal vertaling oversett oversæt översätt käännö suomen tłumacz přel překlad preklad prijevod prevod fordít перев перекл çevir dịch terjemah μετάφραση ترجمة תרגום แปล adapta
    """,
    "editing by": r"""
        edit(?!ori) éditi edici edição edizione revis redig redak(?!t?eur) bearbeit korrektur lektorat szerkeszt opracowa редактор редактур editör biên\stập penyunting επιμέλεια تحرير עריכה เรียบเรียง eindredact redaktør redaktör
    """,
    "reporting by": r"""
        research recherche mitarbeit collabora colabora medewerk bijdrag contribut współprac spoluprác additional\sreporting
    """,
    "words by": r"""
        text tekst texto testo teks szöveg szerző words? story report interview entrevista intervista entretien intervju interjú wywiad rozmow rozhovor haber röportaj yaz kirjoit toimittaja haastatt autor auteur auteure autore
        autrice author writer scris napsal napisa автор текст интервью інтервю інтерв'ю беседова записал підготу подготов материал laporan penulis oleh bài thực\shiện tác\sgiả κείμενο γράφ ρεπορτάζ συνέντευξη إعداد تقرير كتب بقلم حوار
        كتابة כתב מאת เรื่อง โดย ผู้เขียน protokoll aufgezeichnet kommentar comment opinion analysis analyse análisis análise analisi colum crónic script voice presenter host producer moderat moderación moderação pi[šs]e muhabir novinar jornalista periodista journaliste giornalista phóng\sviên redactie
    """,
}
"""By the contribution, as English bylines call it, how its words begin."""
STEMS = {role: "|".join(stems.split()) for role, stems in LABELS.items()}
WORD = "(?:" + "|".join(STEMS.values()) + r")[\w-]*"
BARE = r"(?:^|(?<=[\s,;|/]))(?P<label>te(?:k|x)st[io]?|texte|testo|szöveg|текст|fotos?|kuvat?|bild(?:er)?|zdjcia|fotók?|photos?|billeder|beeld|фото|fot\.|zdj\.|ill\.|ph\.) (?=(?-i:[A-ZÀ-Þ\u0100-\u017f\u0410-\u042f][\w'’-]+ [A-ZÀ-Þ\u0100-\u017f\u0410-\u042f]))"
"""`Teksti Heikki Koski, kuvat Juhani Niemi`: labels without a colon."""
BARE_LABEL = re.compile(BARE, re.IGNORECASE)
LABEL = re.compile(
    rf"(?:^|(?<=[\s,;|/•.(\[]))(?P<label>{WORD}(?:(?: (?:og|och|y|e|et|und|and|i|en|in|và|ve|ja|és|и|та|& )|\s?[&+/]\s?) ?{WORD})?(?: (?-i:[a-zà-ÿ]+)){{0,3}}(?: (?-i:[A-Z])[a-z]+en)?)\s?[:：]\s*(?=[^\W\d_])",
    re.IGNORECASE,
)
ROLE_OF = re.compile(
    "|".join(f"(?P<role{number}>{stems})" for number, stems in enumerate(STEMS.values())), re.IGNORECASE
)
ROLES = tuple(LABELS)


def with_labels_read(text: str) -> str:
    """The text with each label in the words of English bylines, on a line of its own; one for words and pictures is for pictures."""
    if text.count(" ") > 1:
        text = BARE_LABEL.sub(_read, text).strip("\n ")
    if ":" not in text and "：" not in text:
        return text
    text = PLURAL_ASIDE.sub("", text)
    return LABEL.sub(_read, text).strip("\n ")


def _read(found: re.Match[str]) -> str:
    roles = {int((each.lastgroup or "role4")[4:]) for each in ROLE_OF.finditer(found["label"])}
    return f"\n{ROLES[min(roles, default=len(ROLES) - 1)]} "
