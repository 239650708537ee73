"""What stands where a name should and is none: papers, teams, sites, slogans, headlines, machines and codes."""

import re
from typing import Literal

from anyascii import anyascii

from enrich.reference.agencies import AGENCIES
from enrich.reference.names.given_names import is_given
from enrich.reference.names.ordinary import is_ordinary
from enrich.reference.places import CITIES, COUNTRIES
from enrich.text.steps.byline.patterns import NAME_PARTS
from shared.remembered import remembered

OUTLETS = frozenset(
    """
    népszava telex hvg rzeczpospolita polityka pravda izvestia izvestija kommersant kommersant hürriyet sabah milliyet cumhuriyet sözcü haaretz ynet folha expresso público politiken berlingske expressen jutarnji blic danas
    politika delo dnevnik ekstra zeit taz faz nzz süddeutsche handelsblatt focus spiegel stern bild libération mediapart marianne corriere repubblica politico axios bloomberg propublica semafor vox slate salon
    quartz wired vice variety billboard newsweek fortune forbes marketwatch huffpost buzzfeed breitbart newsday amnewyork metro stateline calmatters grist undark meduza mediazona rappler scroll mint tempo kompas detik
    malaysiakini euronews eurosport skysports espn gamestar heise golem t3n watson nu.nl novinky seznam idnes onet interia gazeta.pl tvn24 index 24ur rtvslo reportnet netzpolitik correctiv krautreporter falter profil
    kurier standard presse blick tagesschau sportschau tageblatt l'équipe l'obs lequipe infobae clarín clarin lavanguardia eldiario elpais okdiario publico observador noticiasaominuto uol terra g1 estadão veja
    beta fonet tanjug hina srna bns leta elta kazinform akipress azertac armenpress interpressnews irna isna mehr tasnim fars wam qna kuna mna unb bss kcna vna ttxvn andina colprensa askanews italpress adnkronos
    lapresse lehtikuva dha iha anka dawn geo ary samaa premium punch vanguard thisday nation standard citizen monitor herald
    """.split()  # noqa: SIM905 -- easier to read than dozens of quotes
)
"""Papers and sites of one word."""
BODIES = frozenset(
    """
    ministry ministries office council federation association society authority institute institution union league alliance coalition group services commission chamber campaign initiative administration
    embassy consulate parliament congress government bureau organisation organization confederation consortium
    ministerium verband bundesverband verein gesellschaft institut stiftung behörde bundesamt landesamt ministère ministere fondation association société ministerio asociación asociacion fundación fundacion
    instituto ayuntamiento gobierno ministero associazione fondazione ministério fundação associação
    """.split()  # noqa: SIM905 -- easier to read than dozens of quotes
)
"""Words of authorities and bodies; some are surnames too, behind a given name."""
NoName = Literal["paper", "team", "other"]

PAPER_WORDS = frozenset(
    """
    times herald heraldo tribune tribuna bote landbote gazette gazeta gaceta gazzetta gazet news newspaper newspapers weekly guardian observer telegraph chronicle examiner inquirer bulletin online media
    magazine magazin network networks radio television tv fm broadcasting zeitung tageszeitung tagblatt tageblatt anzeiger rundschau nachrichten morgenpost abendblatt abendzeitung kurier courrier
    diario jornal correio giornale corriere folha journal jornalismo shimbun ilbo patrika samachar rundfunk fernsehen televisión televisione televizija televisie rádio sender journaux dziennik wochenblatt volksblatt volksstimme courant dagblad krant nieuws nieuwsblad nyheter dagbladet avisen posten
    tidningen aftonbladet sanomat uutiset noticias notizie nouvelles actualites vijesti vesti novosti novini gazety
    agence agencia agenzia agentur nachrichtenagentur syndicate publishing publisher publications company inc ltd gmbh llc corp corporation foundation university
    newswire newswires wires podcast podcasts channel canal kanal portal website webseite site blog studio studios pressedienst presseportal mediagroup
    вести новости новини газета известия ведомости вестник агентство телеканал канал портал журнал
    """.split()  # noqa: SIM905 -- easier to read than hundreds of quotes
)
"""Nobody is called so, wherever the word stands."""
PAPER_SURNAMES = frozenset(
    """
    post press star sun mail record mirror express standard independent globe courier register dispatch sentinel ledger monitor daily echo voice argus advertiser republic advocate digest
    review today zeit welt presse monde temps figaro avis sentry enterprise reporter service digital live nacional mundo pais correo periodico stampa faro voz voce voix repubblica parisien croix depeche
    expres bild spiegel stern mercury bugle beacon pioneer leader citizen statesman spectator messenger visitor intelligencer packet banner
    prensa provincia vanguardia nacion excelsior clarin tribuno cronista opinion stampa messaggero mattino secolo resto gazzettino unita
    """.split()  # noqa: SIM905 -- easier to read than hundreds of quotes
)
"""Words of papers that are surnames too: a given name before them tells."""
PAPER_ENDINGS = (
    "kurier",
    "zeitung",
    "blatt",
    "anzeiger",
    "nachrichten",
    "rundschau",
    "tidning",
    "bladet",
    "avisen",
    "krant",
    "landbote",
    "stadtbote",
)
EDITIONS = frozenset(
    [
        "evening",
        "morning",
        "sunday",
        "daily",
        "weekly",
        "weekend",
        "international",
        "national",
        "local",
        "abend",
        "morgen",
        "sonntag",
    ]
)
ARTICLES = frozenset("the die der das les il het los las".split())  # noqa: SIM905
SOFT_ARTICLES = frozenset("le la el l o a".split())  # noqa: SIM905
TEAM_WORDS = frozenset(
    """
    team teams desk desks unit units staff newsroom newsdesk reporters correspondents contributors editors agencies agency bureau department section committee board panel editorial
    redaktion ressort reporterteam rechercheteam rechercheverbund redaktionsnetzwerk recherchenetzwerk netzwerk redaction redaccion redazione redacao redactie redakcja zespol redaksjonen redaktionen toimitus equipo equipe squadra
    nachrichtenredaktion chefredaktion lokalredaktion sportredaktion agenturen agences agencias agenzie merkezi servisi
    редакция отдел служба редакции редакцiя редакція відділ редколлегия
    """.split()  # noqa: SIM905 -- easier to read than hundreds of quotes
)
TEAM_ENDINGS = ("redaktion", "ressort", "reporterteam", "newsdesk", "newsroom", "redaktionen", "redactie")
ARABIC_TEAMS = frozenset(("مراسل", "مراسلنا", "مراسلون", "مراسلو", "التحرير", "وكالات", "الوكالات"))
GERMAN_BODY = re.compile(r"[A-ZÄÖÜ][a-zäöüß]{2,}sche[rs]?")
"""`Deutsche Umwelthilfe`, `Bayerischer Rundfunk`: an adjective that no name has."""
GERMAN_POSTS = (
    "leiter",
    "leiterin",
    "redakteur",
    "redakteurin",
    "korrespondent",
    "korrespondentin",
    "reporterin",
    "chefin",
    "mitarbeiter",
    "mitarbeiterin",
)
DAYS = frozenset(
    (
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
        "montag",
        "dienstag",
        "mittwoch",
        "donnerstag",
        "freitag",
        "samstag",
        "sonntag",
    )
)
THAI_TEAMS = ("ผู้สื่อข่าว", "กองบรรณาธิการ", "ทีมข่าว")
OTHER_WORDS = frozenset(
    """
    content sponsored sponsor advertisement advertorial advertising anzeige werbung publireportage publicidad publicite newsletter subscribe subscription sign release releases
    pressemitteilung pressemeldung communique comunicado comunicato persbericht pressmeddelande letters letter readers leserbrief leserbriefe opinion column coverage latest update updates breaking
    exclusive promo promoted partner partners partnership project projects community audience engagement social contributor reporting reports report story stories article
    automated automatic automatically automatisch automatisiert generated generiert genere generado generato gerado erstellt algorithm algorithmic machine maschinell artificial artificielle artificiale kunstliche
    intelligenz intelligence translated ubersetzt traduit traducido tradotto inteligencia intelligenza chatgpt openai deepl copilot bot robot newsbot roboter textroboter assistance assistant assisted erzeugt
    how what why when where its their after before over into about against between amid among during than is are was were been had does did could would should might must our your you
    they these those there here any every more most says say said dead killed injured hurt missing first
    sur dans pour avec sans sous apres avant contre fur uber gegen zwischen durch ohne weil dass nach wann warum sobre desde hasta despues antes cuando donde perche dopo prima
    one two three four five six seven eight nine
    author authors retd ret retired credit copyright rights reserved source sources unknown none null undefined test
    conteudo contenido contenu info infos actu actus direct photo photos video videos archive archives
    """.split()  # noqa: SIM905 -- easier to read than hundreds of quotes
) - {"dead"}
"""Words that no name has."""
AI_MARKS = frozenset(("AI", "KI", "IA", "GPT", "A.I.", "K.I."))
CAMEL = re.compile(r"[a-zß-ÿ](?:TV|FM|Online|News|Live|Media|Net)$|\d")
WORD = re.compile(r"[^\W\d_]+(?:['’.][^\W\d_]+)*")
BRAND = re.compile(r"(?!Mc|Mac|De|Di|La|Le|Van|Fitz|Du|Da|Del|Ap|O['’])[A-Z][a-z]+[A-Z]\w*")
"""`DopingWatch`: capitals within a word, as no name of a person has them."""
CODE = re.compile(r"[A-Z]{2,4}|[A-Z]\d+")
AFTER_NAME = re.compile(
    r"\s+(?:is|was|writes|reports|on|explains|asks|meets|looks|talks|joins|of|at) (?:an? |the |our )?\S.*$"
)
"""`Nell Orme is a staff writer`, `Ada Quill on Unsplash`: what may follow a whole name."""
LETTER_FORMS = frozenset(("d'", "de", "l'"))


@remembered(16_384, 200)
def plain_word(word: str) -> str:
    """Small, and without marks where the letters are Latin ones."""
    small = word.casefold()
    return small if small.isascii() or small[0] > "\u1eff" or small[0] >= "\u0370" else anyascii(small).casefold()


def last_parts(item: str) -> list[str]:
    """The words of an item, of compounds the last part: `Marschland-Zeitung` is a paper, `Media-Lopez` is none."""
    return [plain_word(word.rsplit("-", 1)[-1].strip(".'’\"“”")) for word in item.split()]


@remembered(16_384, 200)
def no_name(item: str) -> NoName | None:
    """What an item is that stands where a name should; None where it may be one."""
    words = item.replace("\ue000", " ").split()
    ends = last_parts(item)
    whole = [plain_word(word.strip(".,'’\"“”")) for word in words]
    if any(word in TEAM_WORDS or word.endswith(TEAM_ENDINGS) for word in ends) or item.startswith(THAI_TEAMS):
        return "team"
    if len(words) > 2 and ends[-1] in ("service", "services"):
        return "team"
    if any(word in ARABIC_TEAMS for word in words) or (len(words) > 1 and GERMAN_BODY.fullmatch(words[0])):
        return "team"
    if any(word in BODIES for word in whole) and not (len(words) == 2 and is_given(words[0])):
        return "team"
    if words and (_is_paper(words, whole, ends) or begins_with_agency(words[0]) or _begins_with_letters(words)):
        return "paper"
    return "other" if not words or _is_other(words, whole, ends) or _is_clause(words) or _is_code(words) else None


def _is_other(words: list[str], whole: list[str], ends: list[str]) -> bool:
    if any(word.strip("().,") in AI_MARKS or word.startswith(("AI-", "KI-", "IA-")) for word in words):
        return True
    if len(words) > 1 and words[0].casefold().endswith(GERMAN_POSTS) and not is_given(words[0]):
        return True
    if len(words) == 1 and (BRAND.fullmatch(words[0]) or whole[0] in DAYS):
        return True
    if _is_made_of_words(words, whole):
        return True
    return any(word in OTHER_WORDS for word in (*ends, *whole)) or (
        len(words) < 3 and CAMEL.search(words[-1]) is not None
    )


def _is_made_of_words(words: list[str], whole: list[str]) -> bool:
    """`Environment Canada`, `Historical Garden Club`: ordinary words and a country, and nobody's given name."""
    if not 2 <= len(words) <= 5 or not all(word.isascii() and word.isalpha() for word in whole):
        return False
    if is_given(words[0]) or not is_ordinary(whole[0], "en"):
        return False
    return whole[-1] in COUNTRIES or all(is_ordinary(word, "en") and not is_given(word) for word in whole)


def _is_paper(words: list[str], whole: list[str], ends: list[str]) -> bool:
    if any(word in PAPER_WORDS or (len(word) > 8 and word.endswith(PAPER_ENDINGS)) for word in ends):
        return True
    if len(words) < 2:
        return bool(words) and words[0].casefold() in OUTLETS
    if len(words) == 2 and whole[0] in ("le", "la", "de", "el", "il") and len(words[1]) > 6 and not is_given(words[1]):
        return words[1][0].isupper()
    if ends[-1] in PAPER_SURNAMES and len(words) < 6 and not EDITIONS.isdisjoint(whole[:-1]) and not is_given(words[0]):
        return True
    return _has_article(words, whole) or (ends[-1] in PAPER_SURNAMES and _is_before_paper(words, whole[0]))


def _has_article(words: list[str], whole: list[str]) -> bool:
    """`Der Spiegel`, `La Croix`, `El Faro de la Costa`."""
    if whole[0] in ARTICLES:
        return words[0][0].isupper() and words[1][0].isupper()
    is_phrase = len(words) > 2 and any(word in ("de", "del", "do", "da", "du", "des") for word in words[2:])
    return whole[0] in SOFT_ARTICLES and (is_phrase or whole[1] in PAPER_SURNAMES)


def _is_before_paper(words: list[str], first: str) -> bool:
    """Skerry Post is a paper, Emily Post and Yi Sun are people."""
    if first in EDITIONS or first in SOFT_ARTICLES or first in CITIES:
        return True
    return len(words[0]) > 3 and not is_given(words[0]) and len(words) <= 3


def _begins_with_letters(words: list[str]) -> bool:
    """`RNZ Pacific`, `NDR Info`: the letters of a broadcaster, which no vowel makes a name."""
    return (
        len(words) > 1
        and re.fullmatch(r"[B-DF-HJ-NP-TV-XZ]{3,5}", words[0]) is not None
        and not words[-1].isupper()
        and words[-1][:1].isupper()
    )


def begins_with_agency(word: str) -> bool:
    """`dpa-AFX Broker`: in the letters in which it signs, so that Petra and Sid are people."""
    first = word.split("-", 1)[0]
    return first.casefold() in AGENCIES and (
        first.isupper() or first.islower() or (len(first) > 5 and not is_given(first))
    )


def _is_clause(words: list[str]) -> bool:
    """Whether small words stand among those with capitals, as in a headline."""
    cased = [word for word in words if word[:1].isalpha()]
    small = [word for word in cased if word[0].islower()]
    if len(small) == len(cased):
        return len(cased) > 1 and not is_given(cased[0])
    return any(_is_no_part(word) for word in small)


def _is_no_part(word: str) -> bool:
    plain = word.strip(".,").casefold()
    if plain in NAME_PARTS:
        return False
    # al-Rashid, d'Arcy, in 't Veld: a small beginning joined to a capital.
    return not re.match(r"[^\W\d_]{1,3}['’-][^\W\d_]", word)


def _is_code(words: list[str]) -> bool:
    """`mwe`, `lby-kra`, `rademacher.daniel`, `AQ`: what houses sign with."""
    if len(words) != 1:
        return False
    word = words[0].strip("()[].")
    return (word.islower() and _has_case(word)) or CODE.fullmatch(word) is not None


def _has_case(word: str) -> bool:
    return word.upper() != word


def without_paper(item: str) -> str:
    """`Ada Quill Harbour Times`: the name before a paper that no comma parts from it; the item where there is none."""
    words = item.split()
    if len(words) < 4 or last_parts(item)[-1] not in PAPER_WORDS | PAPER_SURNAMES:
        return item
    is_initial = len(words[1].rstrip(".")) == 1
    name = " ".join(words[: 3 if is_initial else 2])
    return name if no_name(name) is None and is_given(words[0]) else item
