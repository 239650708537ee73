"""The authors step: a byline as newsrooms write it, read into names, and the names into authors."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from enrich.reference.directory import HONORIFICS, MOST_REMEMBERED, Directory, name_key
from enrich.text.steps.budget import Budget
from enrich.text.steps.limits import LONGEST, LONGEST_NAME, cut
from enrich.text.steps.text import ANY_TAG, line_of, tidy
from shared.messages import Author, Creator

Contribution = Literal["writing", "reporting", "editing", "photography", "translation"]

LONGEST_BYLINE = LONGEST["byline"]
MOST_NAMES = 40

AGENCIES = {
    "reuters", "thomson reuters", "thomson reuters foundation", "ap", "the associated press", "associated press", "afp", "agence france presse", "dpa", "deutsche presse agentur", "dpa afx",
    "epd", "kna", "sid", "apa", "sda", "keystone sda", "ansa", "efe", "agencia efe", "lusa", "pa", "pa media", "press association", "pa news agency", "upi", "united press international",
    "tass", "itar tass", "ria novosti", "interfax", "interfax ukraine", "ukrinform", "xinhua", "xinhuanet", "kyodo", "kyodo news", "jiji", "jiji press", "yonhap", "yonhap news agency", "ani", "pti", "press trust of india",
    "ians", "antara", "bernama", "anadolu", "anadolu agency", "aa", "wafa", "petra", "spa", "saudi press agency", "tt", "tt news agency", "ntb", "ritzau", "stt", "belga", "anp", "pap", "ctk", "mti", "agerpres", "bta",
    "bloomberg", "bloomberg news", "dow jones", "dow jones newswires", "canadian press", "the canadian press", "aap", "australian associated press", "europa press", "adnkronos", "agi", "laPresse".casefold(), "notimex", "telam", "agencia brasil",
    "getty", "getty images", "apn", "cna", "nhk", "bbc", "bbc news", "cnn", "rfi", "rferl", "rfe rl", "voa", "dw", "deutsche welle", "al jazeera", "интерфакс", "тасс", "риа новости", "укринформ", "укрінформ", "уніан", "新华社", "中新社", "共同社", "时事社", "zuma", "nurphoto", "imago", "alamy", "tassr", "unian", "dpa infocom", "ard", "zdf", "orf", "srf", "čtk", "agencia lusa", "agência lusa", "рейтер", "рейтерз", "рбк",
    "رويترز", "أ ف ب", "أف ب", "فرانس برس", "د ب أ", "الأناضول", "سانا", "واس", "وكالات", "רויטרס", "新华网", "法新社", "路透社", "美联社",
}  # fmt: skip
STAFF = {
    "staff", "staff reporter", "staff reporters", "staff writer", "staff writers", "our staff", "our foreign staff", "our correspondent", "our correspondents", "our reporter", "our own correspondent", "our special correspondent", "agencies", "agency", "news agencies",
    "wire", "wires", "wire services", "wire reports", "newsroom", "news desk", "newsdesk", "web desk", "online desk", "foreign desk", "sports desk", "city desk", "editorial board", "the editorial board", "editorial staff", "editors", "the editors", "correspondents", "foreign staff",
    "redaktion", "online redaktion", "unserer redaktion", "eigener bericht", "agenturen", "la redaction", "redaction", "notre correspondant", "nos correspondants", "de notre correspondant", "agences", "avec agences", "redaccion", "agencias", "nuestro corresponsal", "corresponsal",
    "redazione", "la redazione", "agenzie", "redacao", "redactie", "from correspondents", "a staff reporter", "a correspondent", "special correspondent", "contributor", "contributors", "guest contributor", "various", "admin", "editor", "anonymous", "unknown", "n a",
}  # fmt: skip
TITLE_NOUN = (
    r"(?:editor|editors|correspondent|correspondents|reporter|reporters|writer|writers|journalist|bureau chief|columnist|critic|commentator|analyst|producer|photographer|contributor|"
    r"fellow|director|professor|editor-in-chief|editor-at-large|chief|anchor|presenter|intern|trainee|blogger|redakteur(?:in)?|korrespondent(?:in|en)?|reporterin|journaliste|"
    r"correspondant|correspondante|correspondente|envoy[ée]e? sp[ée]cial(?:e|es|s)?|grand reporter|corresponsal|redactor|redactora|periodista|enviad[oa] especial|inviat[oa]|corrispondente|giornalista|redattore|redattrice|redator|redatora|rep[óo]rter|jornalista|verslaggever|redacteur|redaktionsmitglied|mitarbeiter(?:in)?|корреспондент|кореспондент|спецкор|корр|обозреватель|оглядач)"
)
TITLE_ITEM = re.compile(
    rf"(?:[\w’'&/.-]+ ){{0,6}}{TITLE_NOUN}(?: (?:for|of|at|in|to|der|des|für|pour|de|del|di|da|aus|en|em|a|à|w|в)\b.*)?",
    re.IGNORECASE,
)
TITLE_BEFORE = re.compile(
    rf"^(?:(?:the|our|an?|and|notre|unser\w*|nuestr[oa]|dal nostro|dalla nostra|nostr[oa]|nosso|nossa) )?(?:[\w’'&/-]+ ){{0,4}}?{TITLE_NOUN}(?: (?:à|en|in|a|au|em|aus) [^\W\d_]+(?=,| [^\W\d_]+ ))?,? (?=[^\W\d_]+[.]? [^\W\d_])",
    re.IGNORECASE,
)
TITLE_AFTER = re.compile(rf"\s*[,–—-]?\s+(?:(?:AP|Reuters|AFP|BBC|PA|Associated Press|Staff|Senior|Chief|Political|Foreign|Sports?|Business|Science|Health|Special|World|Night|Deputy|Diplomatic|Defen[cs]e|Court|Crime|White House|Washington|Economics?|Environment|Technology|Education|National|Legal|Royal|Europe|Asia|Africa|Middle East|News|Arts|Culture|Travel|Food|Energy|Markets|Religion|Media|Home Affairs|Transport|Personal Finance|Investigations?)\s+)+{TITLE_NOUN}s?$", re.IGNORECASE)  # fmt: skip

ROLES: tuple[tuple[Contribution, str], ...] = (
    (
        "translation",
        r"translat(?:ed|ion) (?:from [\w ]{3,30} )?by|translation|(?:aus dem [\w]+ )?übersetzt von|übersetzung(?: von)?|tradu[ij]t (?:de [\w' ]{3,20} )?par|traduction(?: de)?|traducido por|traducción(?: de)?|tradotto da|traduzione di|traduzido por|tradução de|vertaald door|перев[её]л|перевод|翻译|译",
    ),
    (
        "photography",
        r"(?:texto y fotos|texte et photos|text und fotos|testo e foto|texto e fotos|tekst en foto)(?=:)|(?:story|text|words|reporting) and (?:photos?|photographs|pictures?|video) by|(?:photographs|photos|pictures|fotos|immagini|bilder)(?=:? (?-i:[A-ZÀ-ÝА-Я]))|图(?=\s)|(?:photos?|photographs|photography|pictures?|images?|video|illustrations?|graphics?)(?: and video)? by|(?:photos?|photographs|pictures?|images?|fotos?|photographies|fotografien|fotografie|fotografía|fotografías|immagini|bilder|bild|фото|摄影|图)(?: von| de| di| par| por|:)|photographer|摄影|фото",
    ),
    (
        "editing",
        r"(?:additional )?(?:compil(?:ed|ing)|edit(?:ed|ing)) by|editing|editors?(?=:)|redigiert von|bearbeitet von|redaktion(?=:)|édité par|édition(?: de)?|editado por|edición(?: de)?|edição(?: de)?|a cura di|geredigeerd door|редактор|под редакцией|підготу(?:вав|вала)|подготовила?|oprac(?:owała?|owanie)?\b\.?|编辑|责编|责任编辑|校对",
    ),
    (
        "reporting",
        r"(?:additional |with |further |extra |local )*(?:reporting|research|contributions?|input|files|additional material)(?: and writing| and research| assistance)? (?:by|from)|(?:with )?(?:additional |further |extra )?reporting|avec(?= (?:l['’])?(?:AFP|Reuters|AP|agences?)\b)|with (?:additional )?(?:reporting|contributions|files) (?:by|from)|mit material von|mitarbeit(?: von)?|unter mitarbeit von|avec (?:la contribution de|les contributions de|le concours de)|con información de|con la colaboración de|con reportes de|ha collaborato|com informações de|com colaboração de|m\.? ?m\.? von|при участии",
    ),
    (
        "writing",
        r"as told to|(?:analysis|interview|words|story|opinion|comment|protokoll|kommentar|haber|źródło|zdroj|текст|джерело|источник|كتب|كتبت)(?=:)|words(?= (?-i:[A-ZÀ-Ý]))|文(?=\s)|(?:eine? )?(?:analyse|kommentar|interview|bericht|gastbeitrag|reportage|glosse|essay) von|(?:une? |una )?(?:entretien|entrevista|reportage|reportaje|análisis|crónica|analyse|chronique) (?:de|par|por)|(?:written|text|words|story|analysis|comment|commentary|opinion|interview|report|review|compiled|as told to|from|article|blog|exclusive|explainer|essay)?:? ?by|writing by|texte?(?=:)|text(?:e)? (?:de|par|von)|von|par|por|di|da|door|av|af|autor(?:a|es|en|in)?(?=:)|auteurs?(?=:)|autore(?=:)|автор(?:ы)?:?|tekst(?:y)?(?=:)|przez|napsal[a]?|propos recueillis par|escrito por|scritto da|écrit par|texto(?: de|:)|testo(?: di|:)|bericht von|ein bericht von|本报记者|新华社记者|央视记者|实习记者|特约记者|通讯员|记者|作者|文(?=[/／:：])|بقلم|كتب|כתב|מאת|yazan(?=:)|oleh|dari",
    ),
)
ROLE = re.compile(
    r"(?:(?<=^)|(?<=[\s;,.|/(（•·–—-]))(?:" + "|".join(f"(?P<{role}>{pattern})" for role, pattern in ROLES) + r")\s*(?:[:：/／]\s*|(?=\s)|(?=$)|(?<=[\u4e00-\u9fff]))",
    re.IGNORECASE,
)  # fmt: skip
WEAK = {"von", "par", "por", "di", "da", "av", "af", "door", "dari", "oleh"}
"""Words of a byline that are parts of names as well: they open a byline only at its beginning."""
CONTRIBUTED = re.compile(r"\s+(?:also )?contributed(?: (?:reporting|research|to (?:this|the) (?:report|story|article)))?(?: to (?:this|the) (?:report|story|article))?|\s+reported(?= from| in)|\s+haben? (?:zu diesem (?:bericht|artikel|text) )?(?:beigetragen|mitgearbeitet)|\s+ont contribu[ée].*|\s+contribuy(?:ó|eron).*|\s+ha(?:nno)? contribuito.*", re.IGNORECASE)  # fmt: skip
SEGMENT = re.compile(r"\s*(?:[;|•·\n]|\s[–—-]\s|(?<=[a-z\u0430-\u044f)]{3})\.\s+(?=[A-ZÀ-Ý\u0410-\u042f])|\s//\s)\s*")
SEPARATOR = re.compile(r"\s*(?:,|、|，|/|\+|&|\s(?:and|und|et|y|e|ed|i|och|og|ve|dan|и|та|和|with|mit|avec|con|com|med)\s|(?<=[\u4e00-\u9fff])\s+(?=[\u4e00-\u9fff]{2,4}(?:\s|$)))\s*(?:(?:and|und|et|y|e|with)\s+)?", re.IGNORECASE)  # fmt: skip
PLACE = re.compile(r"^(?P<name>.*?)(?:^|\s+|(?<=[)]))(?:reporting )?(?:in|from|at|aus|à|a|en|em|из|в|aus dem|nella|w|i|près de)\s+(?P<place>(?:the |la |le |los |las |el |l'|den |der )?[A-ZÀ-ÝĀ-ŽА-Я\u0600-\u06ff].*)$")  # fmt: skip
STRONG_PLACE = re.compile(r"\s(?:in|from|at|aus|à|из|в)\s", re.IGNORECASE)
PARENTHESIS = re.compile(r"\s*[(（\[]([^()（）\[\]]{0,80})[)）\]]")
ADDRESS = re.compile(r"(?:^|(?<=\s))@\w+|https?://\S+|\bwww\.\S+|twitter\.com/\S+")
HONORIFIC = re.compile(r"^(?:(?:the )?(?:dr|prof|professor|maj|rt hon|hon|msgr|freiherr|sir|dame|lord|lady|mr|mrs|ms|miss|rev|capt|col|gen|lt|sgt|herr|frau|mme|dott|dott\.ssa|ing|don|doña|sr|sra)\b\.?\s+)+(?=[^\W\d_]+\.?[\s-])", re.IGNORECASE)  # fmt: skip
INITIALS = re.compile(r"(?:[A-Z]\.){2,}|(?:[A-Z]\.)+[A-Z]")
POSTED = re.compile(
    r"(?P<name>(?!(?:Chief|Senior|Deputy|Foreign|Political|Special|National|Our|The|Staff|World|Home|White|Middle)\b)[A-ZÀ-Ý][\w'’-]+ [A-ZÀ-Ý][\w'’-]+) "
    r"(?:[A-ZÀ-Ý]\w+ ){1,2}(?:correspondent|editor|reporter)(?: in .*)?"
)
"""`Rory Carroll Ireland correspondent`: a name and a post without a comma between them."""
ABBREVIATED = re.compile(r"\b(Rev|Prof|Gen|Maj|Capt|Col|Sgt|Hon|Msgr|Dott|Ing|Sen|Gov|oprac|Oprac|Корр|корр)\.\s+")
"""Abbreviations whose point ends no sentence."""
TRAILER = re.compile(
    r"\s*(?:[,|–—-]\s*)?\b(?:special (?:for|to) .*|from (?:agency|wire|staff) (?:reports|services|dispatches).*|via [A-Z].*|on \d{1,2} \w+.*|(?:last )?(?:updated|published):? .*\d.*)$",
    re.IGNORECASE | re.MULTILINE,
)
"""What newsrooms put behind the names that names nobody."""
PLACED_ASIDE = re.compile(r"\s*[(（](?:in|from|aus|à|en) ([^()（）]{2,60})[)）]")
TWO_PLACES = re.compile(
    r"^(?P<names>.*[^\W\d_]+ [^\W\d_]+), ?(?P<place>[A-ZÀ-Ý][\w’'-]*[a-zß-ÿ]/[A-ZÀ-Ý][\w’'-]*[a-zß-ÿ])$"
)
POST_PLACE = re.compile(r"(?:à|a|en|em|in|aus|au) ")
"""What is left of a post and its place once the post is taken away."""
JOINTS = re.compile(r"(?<= )(?:In|From|And|At|For|Und|Aus|With)(?= )")
PLACE_FIRST = re.compile(r"^(?P<place>[^\W\d_]{3,})\s+[–—-]\s+(?P<names>[^\W\d_]{2,} [^\W\d_].*)$")
JOINED_AND = re.compile(r"(?<=\S) [وו](?=[^\W\d_]{2,} )")
"""Arabic and Hebrew write `and` together with the name behind it; names that begin with that letter are left alone where
what stands before is no whole name."""
HAN_REPORT = re.compile(r"(?P<name>[\u4e00-\u9fff]{2,3})(?P<place>[\u4e00-\u9fff]{2,4})报道")
FOR = re.compile(r"(?<=\w)\s+(?:for|für|pour|para|per)\s+(?:the |la |le |il |el )?[A-ZÀ-Ý].*$")
SUFFIXES = {"jr", "sr", "ii", "iii", "iv", "phd", "ph d", "md", "obe", "mbe", "cbe", "qc", "kc", "mp", "esq"}
NAME_PARTS = {"van", "von", "der", "den", "de", "del", "della", "di", "da", "dos", "das", "do", "la", "le", "bin", "ibn", "al", "el", "ter", "ten", "zu", "zum", "af", "av", "st", "mac", "mc", "y", "e", "abu", "ben", "bint", "du", "des", "'t"}  # fmt: skip
NOT_A_NAME = re.compile(
    r"[\d=<>{}#*%$€£]|https?:|(?:^|[\s-])(?:the|this|that|for|was|were|who|has|updated|published|posted|contributed|exclusive|breaking|university|universität|université|universidad|università|institute|college|studio|ministry|photos?|video|live|live updates|news|today|says?|report|service|correspondents in)(?:\s|$)",
    re.IGNORECASE,
)
BARE_PLACE = re.compile(r"[A-ZÀ-ÝĀ-ŽА-Я][\w’'-]*[a-zà-ÿа-я]|[\u0621-\u064a]{3,}")
HAN_ROLE = re.compile(r"^(?:新华社|央视|中新社|人民网|中新网)?(?:记者|编辑|作者|摄影)\s*")
PLAIN = re.compile(
    r"(?:By )?(?P<name>[A-ZÀ-Þ][a-zß-ÿ]+(?:-[A-ZÀ-Þ][a-zß-ÿ]+)?(?: [A-Z]\.)? [A-ZÀ-Þ][a-zß-ÿ]+(?:-[A-ZÀ-Þ][a-zß-ÿ]+)?)"
    r"(?: in (?P<place>[A-ZÀ-Þ][a-zß-ÿ]+(?: [A-ZÀ-Þ][a-zß-ÿ]+)?))?"
)
"""The plainest byline, as most are: one name, and where it is."""
MEANT = frozenset(
    word
    for said in (*AGENCIES, *STAFF, *SUFFIXES, *NAME_PARTS, *HONORIFICS, *(pattern for _, pattern in ROLES), *(
        pattern.pattern for pattern in (TITLE_ITEM, TITLE_BEFORE, TITLE_AFTER, CONTRIBUTED, SEPARATOR, HONORIFIC, POSTED, NOT_A_NAME)
    ))
    for word in re.findall(r"[^\W\d_]+", said.casefold())
)  # fmt: skip
"""Every word that means something in a byline: with one of them it is not plain."""
PLAIN_WORD = re.compile(r"[^\W\d_]+")


@dataclass(slots=True)
class Name:
    """One name of a byline."""

    name: str
    contribution: Contribution = "writing"
    located: str | None = None
    kind: Literal["person", "agency", "staff"] = "person"


@dataclass(frozen=True, slots=True)
class Authorship:
    """What the step makes of a version."""

    authors: tuple[Author, ...] = ()
    unknown: tuple[str, ...] = ()
    because: tuple[str, ...] = ()
    missed: bool = False


def attach_authors(
    byline: str, creators: Sequence[Creator], directory: Directory, budget: Budget | None = None
) -> Authorship:
    """The authors of a version: the byline's names against the directory; the source's creators where it has no byline."""
    budget = budget or Budget()
    byline, creators = byline[:LONGEST_BYLINE], creators[:MOST_NAMES]
    known: tuple[Name, ...] | None = directory.bylines.get(byline)
    if known is None:
        known = tuple(read_byline(byline, directory))
        if len(directory.bylines) < MOST_REMEMBERED:
            directory.bylines[byline] = known
    names = list(known)
    uris = {name_key(creator.name[:LONGEST_NAME]): creator.uri for creator in creators if creator.uri}
    if not any(name.kind == "person" for name in names):
        names = [*_named(creators), *names]
    people = any(name.kind == "person" for name in names)
    authors: list[Author] = []
    unknown: list[str] = []
    because: list[str] = []
    seen: set[tuple[str, str]] = set()
    for name in names:
        if budget.spent:
            break
        if name.kind != "person" and people:
            because.append(f"{name.name}: an affiliation, since people are named")
            continue
        found = directory.resolve(name.name, uris.get(name_key(name.name)))
        key = (found.profile.id if found.profile else name_key(name.name), name.contribution)
        if key in seen:
            continue
        seen.add(key)
        located = cut(name.located, LONGEST["located"]) if name.located else None
        if found.profile is not None:
            authors.append(_as(found.profile.author, name.contribution, located))
        else:
            authors.append(Author(name=cut(name.name, LONGEST_NAME), contribution=name.contribution, located=located))
            if name.kind == "person":
                unknown.append(name.name)
        because.append(
            f"{name.name}: {found.because if name.kind == 'person' else 'an agency or a desk, kept as text'}"
        )
    return Authorship(tuple(authors), tuple(unknown), tuple(because), budget.missed)


def _as(author: Author, contribution: Contribution, located: str | None) -> Author:
    if contribution == "writing" and located is None:
        return author
    return author.model_copy(update={"contribution": contribution, "located": located})


def _named(creators: Sequence[Creator]) -> list[Name]:
    roles: dict[str, Contribution] = {
        "editor": "editing",
        "photographer": "photography",
        "translator": "translation",
        "reporter": "reporting",
    }
    names = []
    for creator in creators[:MOST_NAMES]:
        name = line_of(creator.name, LONGEST_NAME)
        if not name:
            continue
        said = (creator.role or "").strip().casefold()[-LONGEST_NAME:]
        contribution: Contribution = next((value for word, value in roles.items() if said.endswith(word)), "writing")
        names.append(Name(name, contribution, None, _kind_of(name)))
    return names


def read_byline(byline: str, directory: Directory | None = None) -> list[Name]:
    """The names of a byline, in order, with what each contributed and from where."""
    directory, byline = directory or Directory(), byline[:LONGEST_BYLINE]
    if plain := PLAIN.fullmatch(byline):
        name, place = plain.groups()
        if MEANT.isdisjoint(PLAIN_WORD.findall(f"{name} {place or ''}".casefold())):
            return [Name(name, "writing", place)]
    lines = [ADDRESS.sub("", _without_mail(tidy(ANY_TAG.sub("", line)))) for line in byline.splitlines()]
    # Blanks of every kind become one: the expressions look again and again at a run of them.
    text = "\n".join(" ".join(line.split()) for line in lines)
    text = _undotted(text.strip(" \n,:;-–—*").lstrip(". ")).strip(" \n,:;-–—*")
    if not text:
        return []
    if text.isupper() and len(text.title()) == len(text):
        # Capitals tell nothing where all letters are; the names are given back as they stand.
        titled = _read(JOINTS.sub(lambda found: found[0].lower(), text.title()), directory)
        for each in titled:
            each.name = _as_written(each.name, text)
            each.located = _as_written(each.located, text) if each.located else None
        return titled
    return _read(text, directory)


def _without_mail(text: str) -> str:
    """Without words such as `ada@example.org`."""
    return re.sub(r"\S+", lambda found: "" if _is_mail(found[0]) else found[0], text) if "@" in text else text


def _is_mail(word: str) -> bool:
    at = word.find("@", 1)
    return at > 0 and word.rfind(".", at + 2, len(word) - 1) > 0


def _as_written(words: str, text: str) -> str:
    at = text.lower().find(words.lower()) if len(text.lower()) == len(text) else -1
    return text[at : at + len(words)] if at >= 0 else words


def _read(text: str, directory: Directory) -> list[Name]:
    text = re.sub(r" +(?=[:：])", "", text)
    if directory.knows(text) and text.casefold().split()[0] != "by":
        return [Name(text)]
    text = TRAILER.sub("", ABBREVIATED.sub(r"\1 ", PLACED_ASIDE.sub(r" in \1", text))).strip(" ,|")
    if text.casefold().startswith("door "):
        text = text.replace(" en ", " & ")
    if found := TWO_PLACES.match(text) or PLACE_FIRST.match(text):
        place, rest = found["place"], found["names"]
        if _kind_of(place) == "person" and not directory.knows(place) and place.casefold() not in MEANT:
            placed = _read(rest, directory)
            _locate([name for name in placed if name.located is None], place)
            return placed
    names: list[Name] = []
    contribution: Contribution = "writing"
    for number, segment in enumerate(SEGMENT.split(text)):
        for place, (role, part) in enumerate(_parts(segment, directory)):
            if role is not None:
                contribution = role
            elif number > 0 and place == 0 and _kind_of(part) == "person" and contribution != "writing":
                contribution = "writing"
            if number > 0 and role is None and names and not names[-1].located and _is_dateline(part, directory):
                _locate([name for name in names if name.located is None], part)
                continue
            names.extend(_people(part, contribution, directory))
    return names[:MOST_NAMES]


def _is_dateline(part: str, directory: Directory) -> bool:
    """`Ben Marsh – Kyiv`: a place behind a dash."""
    if directory.knows(part) or _kind_of(part) != "person":
        return False
    return BARE_PLACE.fullmatch(part) is not None and not TITLE_ITEM.fullmatch(part)


def _parts(segment: str, directory: Directory) -> list[tuple[Contribution | None, str]]:
    """A segment cut where words tell another contribution."""
    if found := CONTRIBUTED.search(segment):
        return [("reporting", segment[: found.start()] + segment[found.end() :].removeprefix("."))]
    cuts: list[tuple[int, int, Contribution]] = []
    for found in ROLE.finditer(segment):
        word = found[0].strip(" :：/／").casefold()
        if word in WEAK and (found.start() > 0 or not _opens(segment, found.end(), directory)):
            continue
        role: Contribution = found.lastgroup  # type: ignore[assignment]
        cuts.append((found.start(), found.end(), role))
    if not cuts:
        return [(None, segment)]
    parts: list[tuple[Contribution | None, str]] = []
    if before := _undotted(segment[: cuts[0][0]].strip(" ,(")):
        parts.append((None, before))
    for index, (_, end, role) in enumerate(cuts):
        until = cuts[index + 1][0] if index + 1 < len(cuts) else len(segment)
        parts.append((role, _undotted(segment[end:until].strip(" ,("))))
    return [(role, _without_joint(part)) for role, part in parts if part]


def _without_joint(part: str) -> str:
    return re.sub(r"(?:^(?:and|und|et|y|e)\s+)|(?:[\s,]+(?:and|with|und|et|y|e)$)", "", part, flags=re.IGNORECASE)


def _opens(segment: str, end: int, directory: Directory) -> bool:
    """Whether a word such as Von or Di opens the byline, and is not the beginning of a name such as Von Miller."""
    rest = segment[end:].strip()
    first = SEPARATOR.split(rest)[0]
    if directory.knows(segment):
        return False
    return len(first.split()) > 1 or _kind_of(first) != "person"


def _people(part: str, contribution: Contribution, directory: Directory) -> list[Name]:
    """The names of one list, with the places behind them."""
    asides = [aside.strip() for aside in PARENTHESIS.findall(part)]
    part = PARENTHESIS.sub(" ", part)
    if han := HAN_REPORT.fullmatch(part):
        return [Name(han["name"], contribution, han["place"])]
    names: list[Name] = []
    waiting: list[Name] = []
    last_place: Name | None = None
    items = [_trimmed(item) for each in SEPARATOR.split(part) for item in _unjoined(each)]
    items = _uninverted([item for item in items if item], directory)
    for number, item in enumerate(items):
        name, place = _placed(item, directory)
        if names and place is None and _is_bare_place(item, names[-1], part, directory, last=number == len(items) - 1):
            name, place = "", re.sub(r"^(?:de|da|do|di|d')\s*", "", item)
        if not name and place:
            _locate(waiting, place)
            last_place = waiting[-1] if waiting else last_place
            waiting = []
            continue
        read = _read_name(name, directory)
        if read is None:
            if names and name_key(name) in SUFFIXES:
                names[-1].name += f", {name}"
            elif last_place is not None and last_place.located and _is_region(name):
                last_place.located += f", {name}"
            continue
        if (
            place is None
            and last_place is not None
            and read.kind == "person"
            and len(read.name.split()) == 1
            and not directory.knows(read.name)
        ):
            last_place.located = f"{last_place.located}, {read.name}"
            continue
        names.append(Name(read.name, contribution, None, read.kind))
        waiting.append(names[-1])
        if place is not None:
            _locate(waiting, place)
            last_place = names[-1]
            waiting = []
    for aside in asides:
        names = _aside(aside, names)
    return names


def _unjoined(item: str) -> list[str]:
    """Names that a letter for `and` joins, where a whole name stands on either side."""
    found = JOINED_AND.search(item) if not item.isascii() else None
    if found is None or len(item[: found.start()].split()) < 2:
        return [item]
    return [item[: found.start()], item[found.end() :]]


def _trimmed(item: str) -> str:
    item = item.strip()
    if item.endswith(("Jr.", "Sr.")) or re.fullmatch(r"(?:[A-Z]\.){2,}", item):
        return item
    return item.strip(" .:–—-*“”\"'")


def _is_bare_place(item: str, before: Name, part: str, directory: Directory, *, last: bool) -> bool:
    """`Peter Müller, Berlin`: one capitalised word behind the comma after a whole name, at the end of the list."""
    if last and before.kind != "person":
        # An agency or a desk, and where it writes from: `Agencias / Madrid`.
        return "/" in part and _is_dateline(item, directory)
    if not last or len(before.name.split()) < 2 or directory.knows(item):
        return False
    if re.fullmatch(r"(?:de|da|do|di)\s+[A-ZÀ-Ý]\w+", item):
        return True
    if TITLE_ITEM.fullmatch(item):
        return False
    comma = re.search(r",\s*" + re.escape(item) + r"\W*$", part) is not None
    return (
        comma
        and BARE_PLACE.fullmatch(item) is not None
        and _kind_of(item) == "person"
        and name_key(item) not in SUFFIXES
    )


def _locate(names: Sequence[Name], place: str) -> None:
    people = [name for name in names if name.kind == "person"]
    for name in people or names[-1:]:
        name.located = place


def _undotted(place: str) -> str:
    return place if re.search(r"(?:^|\s)(?:[A-Z]\.){2,}$", place) else place.rstrip(".")


def _is_region(word: str) -> bool:
    return bool(re.fullmatch(r"(?:[A-Z]\.){2,3}|[A-Z]{2}|[A-Z][a-z]+(?: [A-Z][a-z]+)?", word))


def _aside(aside: str, names: list[Name]) -> list[Name]:
    """What stands in parentheses behind the names: an agency is an affiliation, a place is a place, a role a role."""
    kind = _kind_of(aside)
    if kind != "person":
        return names or [Name(aside, kind=kind)]
    word = aside.casefold()
    roles: tuple[tuple[str, Contribution], ...] = (
        ("photo", "photography"),
        ("foto", "photography"),
        ("edit", "editing"),
        ("report", "reporting"),
        ("transl", "translation"),
        ("text", "writing"),
    )
    for beginning, contribution in roles:
        if word.startswith(beginning) and names:
            names[-1].contribution = contribution
            return names
    place = re.sub(r"^(?:in|from|aus|à|en|a)\s+", "", aside)
    if names and names[-1].located is None and place != aside:
        names[-1].located = place
    return names


def _uninverted(items: list[str], directory: Directory) -> list[str]:
    """`Smith, Jane` read the right way round, where the directory knows her."""
    read: list[str] = []
    index = 0
    while index < len(items):
        if (
            index + 1 < len(items)
            and len(items[index].split()) == 1
            and directory.knows(f"{items[index + 1]} {items[index]}")
        ):
            read.append(f"{items[index + 1]} {items[index]}")
            index += 2
        else:
            read.append(items[index])
            index += 1
    return read


def _placed(item: str, directory: Directory) -> tuple[str, str | None]:
    if directory.knows(item) or TITLE_ITEM.fullmatch(item) or item.casefold().startswith("professor of "):
        return item, None
    found = PLACE.match(item)
    if found is None:
        return item, None
    name, place = found["name"].strip(" ,"), _undotted(FOR.sub("", found["place"]).strip(" ,"))
    # "a", "en", "w", "i" are words of names as well: they part a place from a name only behind a whole one.
    if (
        not STRONG_PLACE.search(f" {item[found.start('name') + len(found['name']) : found.start('place')]} ")
        and len(name.split()) < 2
    ):
        return item, None
    return name, place


def _kind_of(name: str) -> Literal["person", "agency", "staff"]:
    key = re.sub(r"[^\w]+", " ", name.casefold()).strip()
    key = key.removeprefix("the ").removeprefix("l ")
    plain = name_key(name)
    if key in AGENCIES or plain in AGENCIES or f"the {key}" in AGENCIES:
        return "agency"
    if (
        key in STAFF
        or plain in STAFF
        or re.fullmatch(
            r"(?:our |unser\w* |notre |nos |nuestr[oa]s? )?(?:[\w]+ )?(?:staff|desk|newsroom|correspondents?|reporters?|agencies|redaktion|rédaction|redacción|redazione|korrespondent\w*|correspondants?)(?: (?:in|à|en|aus) .*)?",
            key,
        )
    ):
        return "staff"
    words = plain.split()
    if len(words) > 1 and all(" ".join(words[i:j]) in AGENCIES for i, j in _halves(words)):
        return "agency"
    return "person"


def _halves(words: list[str]) -> list[tuple[int, int]]:
    """For `dpa afp` and the like: every word by itself."""
    return [(index, index + 1) for index in range(len(words))]


def _read_name(item: str, directory: Directory) -> Name | None:
    """One item of a list as a name: without titles; None where it is no name."""
    if directory.knows(item):
        return Name(item)
    kind = _kind_of(item)
    if kind != "person":
        return Name(item, kind=kind)
    item = _untitled(item)
    if directory.knows(item):
        return Name(item)
    if posted := POSTED.fullmatch(item):
        item = posted["name"]
    return Name(item) if _is_name(item) else None


def _untitled(item: str) -> str:
    """Without titles, posts and agencies; empty where nothing of a name is left."""
    if item.casefold().startswith(("professor of ", "in ")):
        return ""
    item = HONORIFIC.sub("", HAN_ROLE.sub("", item))
    untitled = TITLE_AFTER.sub("", item).strip(" ,")
    if untitled != item and (_kind_of(untitled) != "person" or len(untitled.split()) < 2):
        return ""
    untitled = FOR.sub("", TITLE_BEFORE.sub("", untitled))
    if POST_PLACE.match(untitled):
        return ""
    return _without_agency(untitled)


def _is_name(item: str) -> bool:
    words = item.split()
    if not 2 <= len(item) <= 60 or len(words) > 6 or item.startswith("in ") or name_key(item) in SUFFIXES:
        return False
    if any(pattern.fullmatch(item) for pattern in (INITIALS, TITLE_ITEM)) or NOT_A_NAME.search(item):
        return False
    if not any(character.isalpha() for character in item):
        return False
    # Nobody's name is written small by an agency: what is, and is longer than a name, is a stray clause.
    small = item.isascii() and all(word.islower() for word in words if word not in NAME_PARTS)
    return not small or len(words) <= 3


def _without_agency(item: str) -> str:
    words = item.split()
    for count in (3, 2, 1):
        if len(words) - count >= 2 and name_key(" ".join(words[-count:])) in AGENCIES and words[-count][0].isupper():
            return " ".join(words[:-count]).rstrip(" ,-–")
    return item
