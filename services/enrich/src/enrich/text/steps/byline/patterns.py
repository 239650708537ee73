"""The words and expressions by which a byline is read."""

import re

from enrich.reference.agencies import AGENCIES
from enrich.reference.directory import HONORIFICS, Contribution

STAFF = {
    "staff", "staff reporter", "staff reporters", "staff writer", "staff writers", "our staff", "our foreign staff", "our correspondent", "our correspondents", "our reporter", "our own correspondent", "our special correspondent", "agencies", "agency", "news agencies",
    "wire", "wires", "wire services", "wire reports", "newsroom", "news desk", "newsdesk", "web desk", "online desk", "foreign desk", "sports desk", "city desk", "editorial board", "the editorial board", "editorial staff", "editors", "the editors", "correspondents", "foreign staff",
    "redaktion", "online redaktion", "unserer redaktion", "eigener bericht", "agenturen", "la redaction", "redaction", "notre correspondant", "nos correspondants", "de notre correspondant", "agences", "avec agences", "redaccion", "agencias", "nuestro corresponsal", "corresponsal",
    "redazione", "la redazione", "agenzie", "redacao", "redactie", "from correspondents", "a staff reporter", "a correspondent", "special correspondent", "contributor", "contributors", "guest contributor", "various", "admin", "editor", "anonymous", "unknown", "n a",
}  # fmt: skip
TITLE_NOUN = (
    r"(?:editor|editors|correspondent|correspondents|reporter|reporters|writer|writers|journalists?|bureau chief|columnist|critic|commentator|analyst|producer|photographer|contributor|"
    r"fellow|director|professor|editor-in-chief|editor-at-large|chief|anchor|presenter|intern|trainee|blogger|redakteur(?:in)?|korrespondent(?:in|en)?|reporterin|journaliste|"
    r"correspondant|correspondante|correspondente|[^\W\d_]{3,20}(?:redakteur|korrespondent|reporter|journalist|kolumnist|kritiker)(?:in)?|ressortleiter(?:in)?|envoy[ée]e? sp[ée]cial(?:e|es|s)?|grand reporter|corresponsal|redactor|redactora|periodista|enviad[oa] especial|inviat[oa]|corrispondente|giornalista|redattore|redattrice|redator|redatora|rep[óo]rter|jornalista|verslaggever|redacteur|redaktionsmitglied|mitarbeiter(?:in)?|корреспондент|кореспондент|спецкор|корр|обозреватель|оглядач)"
)
TITLE_ITEM = re.compile(
    rf"(?:[\w’'&/.-]+ ){{0,6}}{TITLE_NOUN}(?: (?:for|of|at|in|to|der|des|für|pour|de|del|di|da|aus|en|em|a|à|w|в)\b.*)?",
    re.IGNORECASE,
)
TITLE_BEFORE = re.compile(
    rf"^(?:(?:the|our|an?|and|notre|unser\w*|nuestr[oa]|dal nostro|dalla nostra|nostr[oa]|nosso|nossa) )?(?:[\w’'&/-]+ ){{0,4}}?{TITLE_NOUN}(?: (?:à|en|in|a|au|em|aus) [^\W\d_]+(?=,| [^\W\d_]+ ))?,? (?=[^\W\d_][\w'’-]*[.]? [^\W\d_])",
    re.IGNORECASE,
)
TITLE_AFTER = re.compile(rf"\s*[,–—-]?\s+(?:(?:AP|Reuters|AFP|BBC|PA|Associated Press|Staff|Senior|Chief|Political|Foreign|Sports?|Business|Science|Health|Special|World|Night|Deputy|Diplomatic|Defen[cs]e|Court|Crime|White House|Washington|Economics?|Environment|Technology|Education|National|Legal|Royal|Europe|Asia|Africa|Middle East|News|Arts|Culture|Travel|Food|Energy|Markets|Religion|Media|Home Affairs|Transport|Personal Finance|Investigations?)\s+)+{TITLE_NOUN}s?$", re.IGNORECASE)  # fmt: skip
ROLES: tuple[tuple[Contribution, str], ...] = (
    (
        "translation",
        r"ترجمة(?=:)|תרגום(?=:)|แปล(?:โดย)?(?=[: ])|çeviri(?=:)|dịch(?=:)|μετάφραση(?=:)|translat(?:ed|ion) (?:from [\w ]{3,30} )?by|translation|(?:aus dem [\w]+ )?übersetzt von|aus dem \w+en von|übersetzung(?: von)?|tradu[ij]t (?:de [\w' ]{3,20} )?par|traduction(?: de)?|traducido por|traducción(?: de)?|tradotto da|traduzione di|traduzido por|tradução de|vertaald door|перев[её]л|перевод|翻译|译",
    ),
    (
        "photography",
        r"(?:photograph|film|illustrat|shot|drawn)(?:ed)? by|تصوير(?=:)|צילום(?=:)|ภาพ(?:โดย)?(?=[: ])|fotoğraf(?:lar)?(?=:)|ảnh(?=:)|φωτογραφίες(?=:)|(?:texto y fotos|textes? et photos?|text und fotos|testo e foto|texto e fotos|tekst en foto)(?=:)|(?:story|text|words|reporting) and (?:photos?|photographs|pictures?|video) by|(?:photographs|photos|pictures|fotos|immagini|bilder)(?=:? (?-i:[A-ZÀ-ÝА-Я]))|图(?=\s)|(?:photos?|photographs|photography|pictures?|images?|video|illustrations?|graphics?)(?: and video)? by|(?:photos?|photographs|pictures?|images?|fotos?|photographies|fotografien|fotografie|fotografía|fotografías|immagini|bilder|bild|фото|摄影|图)(?: von| de| di| par| por|:)|(?:photos?|photographs?|graphics?|videos?|illustrations?|grafik|vidéos?)(?=:)|photographer|摄影|фото",
    ),
    (
        "editing",
        r"(?:additional )?(?:compil(?:ed|ing)|edit(?:ed|ing)) by|(?:(?:fact-)?check|review|approv|verifi|moderat)ed by|επιμέλεια(?=:)|تحرير(?=:)|עריכה(?=:)|เรียบเรียง(?=[: ])|biên tập(?=:)|editör(?=:)|editing|editors?(?=:)|redigiert von|bearbeitet von|redaktion(?=:)|édité par|édition(?: de)?|editado por|edición(?: de)?|edição(?: de)?|a cura di|geredigeerd door|редактор|под редакцией|підготу(?:вав|вала)|подготовила?|oprac(?:owała?|owanie)?\b\.?|编辑|责编|责任编辑|校对",
    ),
    (
        "reporting",
        r"(?:additional |with |further |extra |local )*(?:reporting|research|contributions?|input|files|additional material)(?: and writing| and research| assistance)? (?:by|from)|(?:with )?(?:additional |further |extra )?reporting(?! service)|avec(?= (?:l['’])?(?:AFP|Reuters|AP|agences?)\b)|with (?:additional )?(?:reporting|contributions|files) (?:by|from)|mit material von|mitarbeit(?: von)?|unter mitarbeit von|avec (?:la contribution de|les contributions de|le concours de)|con información de|con la colaboración de|con reportes de|ha collaborato|com informações de|com colaboração de|m\.? ?m\.? von|при участии",
    ),
    (
        "writing",
        r"as told to|eine? (?-i:[A-ZÄÖÜ])[^\W\d_]{3,25} von|(?:une?|una|uma?) [^\W\d_]{4,20} (?:de|di|por|par)|an? [a-z]{4,12} by|[^\W\d_]{4,16}(?:et|ad|at|ert) a[fv]|p[řr]ipravil[aiy]?|zpracoval[aiy]?|napísal[aiy]?|napisa(?:o|la)|priredi(?:o|la)|zapisał[aiy]?|γράφ(?:ει|ουν) (?:ο|η|οι)|(?:authors?|reporters?|journalists?|writers?)(?=:)|ρεπορτάζ(?=:)|إعداد(?=:)|تقرير(?=:)|โดย|ผู้สื่อข่าว|เรื่อง(?=:)|bài(?: viết)?(?=:)|thực hiện(?=:)|röportaj(?=:)|(?:aufgezeichnet|protokolliert|aufgeschrieben|geschrieben|verfasst|zusammengestellt|zusammengefasst|recherchiert|notiert|moderiert|kommentiert|gesammelt|erzählt) von|(?:report|narrat|prepar|produc|present|host|post|submitt|contribut|fil|curat|creat|penn|author|describ|publish|shar|updat)ed by|\w{3,16}(?:ad|id|rit)[oa]s? por|(?:rédig|réalis|présent|prépar|compil|sign|racont)(?:é|ée|és|ées) par|(?:redatt|raccolt|curat|firmat|realizzat)[oaie] da|guest (?:post|column|essay) by|(?:analysis|interview|words|story|opinion|comment|protokoll|kommentar|haber|źródło|zdroj|текст|джерело|источник|كتب|كتبت)(?=:)|(?:words|text|texto|texte)(?= (?-i:[A-ZÀ-Ý]))|文(?=\s)|(?:eine? )?[^\W\d_]{0,14}(?:analyse|kommentar|interview|bericht|beitrag|reportage|glosse|essay|porträt|portrait|kolumne|rezension|nachruf|leitartikel|protokoll|artikel) von|(?:(?:das|die) )?(?:interview|gespräch|fragen) (?:führten?|stellten?)|(?:intervista|servizio|commento|analisi|cronaca|racconto|inchiesta) di|rozmawiał[aiy]?|napisał[aiy]?|przygotował[aiy]?|написа(?:в|ла|ли|л)|бес[еі]дова(?:л|ла|ли|в)|записа(?:л|ла|в)|розмовля(?:в|ла)|(?:une? |una )?(?:entretien|entrevista|reportage|tribune|billet|éditorial|récit|enquête|portrait|reportaje|análisis|crónica|analyse|chronique) (?:de|par|por)|(?:written|text|words|story|analysis|comment|commentary|opinion|interview|report|review|compiled|as told to|from|article|blog|exclusive|explainer|essay)?:? ?by|writing by|texte?(?=:)|text(?:e)? (?:de|par|von)|von|par|por|di|da|door|av|af|της|του|autor(?:a|es|en|in)?(?=:)|auteurs?(?=:)|autore(?=:)|автор(?:ы)?:?|tekst(?:y)?(?=:)|przez|napsal[a]?|(?:propos |textes? )?recueillis? par|escrito por|scritto da|écrit par|texto(?: de|:)|testo(?: di|:)|bericht von|ein bericht von|本报记者|新华社记者|央视记者|实习记者|特约记者|通讯员|记者|作者|文(?=[/／:：])|بقلم|كتب|כתב|מאת|yazan(?=:)|oleh|dari",
    ),
)
ROLE = re.compile(
    r"(?:(?<=^)|(?<=[\s;,.|/(（•·–—-]))(?:" + "|".join(f"(?P<{role}>{pattern})" for role, pattern in ROLES) + r")\s*(?:[:：/／]\s*|(?=\s)|(?=$)|(?<=[\u4e00-\u9fff]))",
    re.IGNORECASE,
)  # fmt: skip
WEAK = {"της", "του", "von", "par", "por", "di", "da", "av", "af", "door", "dari", "oleh"}
"""Words of bylines that are parts of names as well: they have a meaning only at the beginning."""
CONTRIBUTED = re.compile(r"\s+(?:also )?contributed(?: (?:reporting|research|to (?:this|the) (?:report|story|article)))?(?: to (?:this|the) (?:report|story|article))?|\s+reported(?= from| in)|\s+haben? (?:zu diesem (?:bericht|artikel|text) )?(?:beigetragen|mitgearbeitet)|\s+ont contribu[ée].*|\s+contribuy(?:ó|eron).*|\s+ha(?:nno)? contribuito.*", re.IGNORECASE)  # fmt: skip
SEGMENT = re.compile(r"\s*(?:[;|•·\n]|\s[–—-]\s|(?<=[a-z\u0430-\u044f)]{3})\.\s+(?=[A-ZÀ-Ý\u0410-\u042f])|\s//\s)\s*")
SEPARATOR = re.compile(r"\s*(?:,|、|，|/|\+|&|\s(?:and|und|et|y|e|ed|i|och|og|ve|dan|και|ja|és|dhe|ir|un|và|eta|agus|și|şi|и|та|和|with|mit|avec|con|com|med)\s|(?<=[\u4e00-\u9fff])\s+(?=[\u4e00-\u9fff]{2,4}(?:\s|$)))\s*(?:(?:and|und|et|y|e|with)\s+)?", re.IGNORECASE)  # fmt: skip
PLACE = re.compile(r"^(?P<name>.*?)(?:^|\s+|(?<=[)]))(?:reporting )?(?:in|from|at|aus|à|a|en|em|из|в|aus dem|nella|w|i|près de)\s+(?P<place>(?:the |la |le |los |las |el |l'|den |der )?[A-ZÀ-ÝĀ-ŽА-Я\u0600-\u06ff].*)$")  # fmt: skip
STRONG_PLACE = re.compile(r"\s(?:in|from|at|aus|à|из|в)\s", re.IGNORECASE)
PARENTHESIS = re.compile(r"\s*[(（\[]([^()（）\[\]]{0,80})[)）\]]")
ADDRESS = re.compile(r"(?:^|(?<=\s))@\w+|https?://\S+|\bwww\.\S+|twitter\.com/\S+")
HONORIFIC = re.compile(r"^(?:(?:the )?(?:dr|prof|professor|maj|rt hon|rt rev|most rev|very rev|major|brigadier|general|lieutenant|colonel|admiral|commander|captain|ambassador|senator|archbishop|associate|assistant|emeritus|phóng viên|nhà báo|pv|reporters|correspondents|[^\W\d_]{2,14}(?:meister|minister|präsident|kanzler|senator|sprecher|direktor|vorsitzende)(?:in|r)?|hon|msgr|freiherr|sir|dame|lord|lady|mr|mrs|ms|miss|rev|capt|col|gen|lt|sgt|herr|frau|mme|dott|dott\.ssa|ing|don|doña|sr|sra)\b\.?\s+)+(?=[^\W\d_]+\.?[\s-])", re.IGNORECASE)  # fmt: skip
INITIALS = re.compile(r"(?:[A-Z]\.){2,}|(?:[A-Z]\.)+[A-Z]")
POSTED = re.compile(
    r"(?P<name>(?!(?:Chief|Senior|Deputy|Foreign|Political|Special|National|Our|The|Staff|World|Home|White|Middle)\b)[A-ZÀ-Ý][\w'’-]+ [A-ZÀ-Ý][\w'’-]+) "
    r"(?:[A-ZÀ-Ý]\w+ ){1,2}(?:correspondent|editor|reporter)s?(?: in .*)?"
)
"""`Rory Carroll Ireland correspondent`: a name and a post without a comma between them."""
ABBREVIATED = re.compile(r"\b(Rev|Prof|Gen|Maj|Capt|Col|Sgt|Hon|Msgr|Dott|Ing|Sen|Gov|oprac|Oprac|Корр|корр)\.\s+")
"""Abbreviations whose full stop ends no sentence."""
TRAILER = re.compile(
    r"\s*(?:[,|–—-]\s*)?\b(?:special (?:for|to) .*|from (?:agency|wire|staff) (?:reports|services|dispatches).*|via [A-Z].*|on \d{1,2} \w+.*|(?:mon|tue|wed|thu|fri|sat|sun)\w*,? (?:\d|[a-z]{3}\w* \d).*|\d{1,2}[./ ]\w+[./ ]\d{4}.*|(?:last )?(?:updated|published):? .*\d.*)$",
    re.IGNORECASE | re.MULTILINE,
)
"""What newsrooms put behind the names, and that names nobody."""
PLACED_ASIDE = re.compile(r"\s*[(（](?:in|from|aus|à|en) ([^()（）]{2,60})[)）]")
TWO_PLACES = re.compile(
    r"^(?P<names>.*[^\W\d_]+ [^\W\d_]+), ?(?P<place>[A-ZÀ-Ý][\w’'-]*[a-zß-ÿ]/[A-ZÀ-Ý][\w’'-]*[a-zß-ÿ])$"
)
JOINT_OR_PLACE = re.compile(
    r"(?<=[^\W\d_]) (?:en|a|w) (?P<given>[A-ZÀ-Ž][^\W\d_]+) (?P<surname>(?:(?:van|de|der|den|ter|ten|te|von|di|del|la|le) ){0,3}[A-ZÀ-Ž][^\W\d_]+)"
)
FROM_FIRST = re.compile(
    r"^(?:Aus|From|In) (?P<place>[A-ZÀ-Ý][\w’'-]+) (?P<verb>berichte[nt] |meldet |reports )?(?P<names>[A-ZÀ-Ý][\w’'-]+ [A-ZÀ-Ý].*)$"
)
FROM_COMMA = re.compile(
    r"^(?i:desde|depuis|aus|from|fra|från|da) (?P<place>[A-ZÀ-Ž][\w’'-]+(?: [A-ZÀ-Ž][\w’'-]+)?)[,:] (?P<names>[A-ZÀ-Ž][\w’'-]+ [A-ZÀ-Ž].*)$"
)
"""`Desde Bogotá, Camilo Restrepo`."""
PLACE_COLON = re.compile(
    r"^(?P<place>[A-ZÀ-ÝĀ-ŽА-Я][\w’'-]+(?: [A-ZÀ-Ý][\w’'-]+){0,2}): (?P<names>[^\W\d_]{2,} [^\W\d_].*)$"
)
REPORTING_FROM = re.compile(
    r"^(?:(?:reporting|writing|live|report) from|from|aus|depuis|desde) (?=[A-ZÀ-Ý][\w’'-]+(?: [A-ZÀ-Ý][\w’'-]+){0,2}: )",
    re.IGNORECASE,
)
"""`Reporting from Quito: Andrés Salgado`: what may stand before a place with a colon."""
FROM_SOMEBODY = re.compile(r"^From (?=[A-ZÀ-Ý][\w’'-]+ [A-ZÀ-Ý][\w’'-]+ in [A-ZÀ-Ý])")
WITH = re.compile(r"(?<=\s)(?:with|mit|avec|con|com|med)\s+(?=[A-ZÀ-Ý][\w'’-]+ [A-ZÀ-Ý])")
"""Before somebody who helped: the place behind is theirs alone."""
AGENCY_PHOTO = re.compile(r"^(?:AP|AFP|PA|EPA|Reuters|AAP|CP) ?(?:Photo|Foto|Wire)s?/")
REPORTS_FROM = re.compile(
    r"(?<!\bwith)(?<!additional)(?<!further)(?<!extra)(?<=[^\W\d_])\s*[,;–—-]*\s+reporting from (?=[A-ZÀ-Ý])",
    re.IGNORECASE,
)
"""`Nell Orme reporting from New York`."""
GREEK_ARTICLE = re.compile(r"^(?:\u039f|\u0397|\u039f\u03b9) (?=[\u0386-\u03ab][\u03ac-\u03ce]+ [\u0386-\u03ab])")
"""An article before the name of a Greek."""
OF_HOUSE = re.compile(r"(?:de|da|do|di|du|des) [A-Z]{2,6}")
"""`da RFI`: for whom somebody writes."""
OF_PICTURES = re.compile(r"photograph|fotograf|camera|kamera|illustrat", re.IGNORECASE)
POST_WORDS = ("correspondent", "correspondents", "editor", "editors", "reporter", "reporters")
OF_SOMEBODY = re.compile(r"(?P<of>[Dd]e) (?=(?P<given>[A-ZÀ-Ž][\w-]+) [A-ZÀ-Ž])")
"""`De Alexandru Ionescu`, as in Romanian."""
DATELINE = re.compile(
    r"^(?P<place>[A-Z][A-Z .'’-]{2,30}?)(?:, [A-Za-z.]{3,10} \d{1,2})?(?: ?\([^()\n]{2,30}\))? ?[-–—] ?(?=By )(?P<names>By [^\n]{3,})$"
)
"""`CAIRO, Nov 12 (Reuters) - By Nell Orme`."""
BY = re.compile(r"^(?:by|par|por|di|von) ", re.IGNORECASE)
POSTED_AT = re.compile(
    r"^(?:(?:notre|nos|our|unser\w*|nuestr[oa]|il nostro|la nostra|dal nostro|dalla nostra|nosso|nossa|le|la|the) )?(?:(?:special|senior|foreign|chief) )?"
    r"(?:envoyée?s? spéciale?s?|correspondante?s?|corrispondente|corresponsal|correspondente|enviad[oa] especial|inviat[oa](?: speciale)?|[^\W\d_]{0,12}korrespondent(?:in)?|correspondent|bureau chief|корреспондент|спецкор)"
    r" (?:à|au|en|in|a|em|aus|из|в) (?P<place>[A-ZÀ-Ý\u0410-\u042f][\w’'-]+(?: [A-ZÀ-Ý\u0410-\u042f][\w’'-]+)?)(?:[:,] (?P<names>\S.*))?$",
    re.IGNORECASE,
)
"""`notre correspondante à Rome, Anaïs Ginori`: a post, and where it is held, which is not where a text was written."""
BIOGRAPHY = re.compile(
    r"^(?P<name>(?:[A-ZÀ-Ý][\w.'’-]+ ){1,3}[A-ZÀ-Ý][\w.'’-]+),? (?:is|was|has|writes|covers|works|teaches|leads|serves|served|joined|ist|war|arbeitet|schreibt|est|es) (?:[^\s,;|]+ ){2,}[^\n]*$"
)
"""`Nell Orme is a historian and author of …`: the note on somebody that stands for the name."""
POSSESSOR = re.compile(
    r"^(?P<outlet>(?:the |The )?(?:[A-Z][\w.]* ){0,2}[A-Z][\w.]*)['’]s? (?P<name>[A-ZÀ-Ý][\w'’-]+ [A-ZÀ-Ý].*)$"
)
"""`CNN's Nell Orme`."""
PLURAL_ASIDE = re.compile(r"\((?:s|en|in|innen|es|a|as|n)\)(?=\s*:)")
DUTCH = re.compile(r"\b(?:van|den|der|ter|ten)\b|ij|aa|oo[a-z]|sch|huis|kamp|stra\b|sma\b|inga\b|uy|ee[a-z]")
SPECIAL_FIRST = re.compile(
    r"^(?:special (?:to|for) [^,|\n]{2,40}? by|speciale di|especial de|(?:für|for|pour|para|per) (?:the|die|das|den|la|le|el|il) [\w-]{2,30}:) ",
    re.IGNORECASE,
)
"""`Special to the Herald by Tamsin Bligh`: for whom it was written stands before the name."""
FOLLOW = re.compile(
    r"^follow (?P<name>[^\n]{3,60}?)(?: on (?:X|Twitter|Facebook|Instagram|Bluesky|Mastodon|LinkedIn|Threads|TikTok))?$",
    re.IGNORECASE,
)
POST_OF_TWO = re.compile(
    r"(?P<name>[A-ZÀ-Ý][\w'’-]+ [A-ZÀ-Ý][\w'’-]+) [A-ZÀ-Ý][\w-]+(?: [\w-]+){0,2} (?:and|&) (?:[\w-]+ ){1,3}(?:editor|correspondent|reporter)s?"
)
"""`Dan Brook Defence and security editor`: a post of two subjects, and no second person."""
PEER = re.compile(
    r"(?:The )?(?:Lord|Lady|Baron|Baroness|Earl|Duke|Duchess|Viscount) (?P<name>[A-Z][\w’'-]+ of [A-Z][\w’'-]+)"
)
POST_PLACE = re.compile(r"(?:à|a|en|em|in|aus|au) ")
"""What is left of a post and its place without the post."""
JOINTS = re.compile(r"(?<= )(?:In|From|And|At|For|Und|Aus|With)(?= )")
PLACE_FIRST = re.compile(r"^(?P<place>[^\W\d_]{3,})\s+[–—-]\s+(?P<names>[^\W\d_]{2,} [^\W\d_].*)$")
JOINED_AND = re.compile(r"(?<=\S) [وו](?=[^\W\d_]{2,} )")
"""Arabic and Hebrew write `and` together with the name behind it; names that begin with that letter are left alone if
the words before it are no whole name."""
HAN_REPORT = re.compile(r"(?P<name>[\u4e00-\u9fff]{2,3})(?P<place>[\u4e00-\u9fff]{2,4})报道")
FOR = re.compile(r"(?<=\w)\s+(?:for|für|pour|para|per)\s+(?:the |la |le |il |el )?[A-ZÀ-Ý].*$")
SUFFIXES = {"jr", "sr", "ii", "iii", "iv", "phd", "ph d", "md", "obe", "mbe", "cbe", "qc", "kc", "mp", "esq"}
OFFICES = frozenset(
    ("MP", "MEP", "MSP", "TD", "MLA", "OBE", "MBE", "CBE", "QC", "KC", "GP", "PhD", "Ph.D", "MdB", "MdEP")
)
NAME_PARTS = {"van", "von", "vom", "der", "den", "de", "del", "della", "dello", "dei", "degli", "di", "da", "dal", "dos", "das", "do", "la", "le", "los", "las", "lo", "bin", "ibn", "al", "el", "ter", "ten", "te", "tot", "zu", "zum", "zur", "und", "af", "av", "st", "mac", "mc", "y", "e", "i", "ed", "abu", "ben", "wa", "ka", "ya", "bint", "binti", "binte", "ibni", "mint", "ní", "nic", "ui", "uí", "dalla", "dalle", "dem", "ver", "na", "ó", "a/l", "a/p", "du", "des", "'t", "'s", "’t", "’s", "op", "in", "het", "aan", "ap", "ze", "san", "d", "jr", "jr.", "ould", "ag", "uz", "oğlu", "ki"}  # fmt: skip
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
"""The plainest byline, as most are: one name, and a place."""
MEANT = frozenset(
    word
    for entry in (*AGENCIES, *STAFF, *SUFFIXES, *NAME_PARTS, *HONORIFICS, *(pattern for _, pattern in ROLES), *(
        pattern.pattern for pattern in (TITLE_ITEM, TITLE_BEFORE, TITLE_AFTER, CONTRIBUTED, SEPARATOR, HONORIFIC, POSTED, NOT_A_NAME)
    ))
    for word in re.findall(r"[^\W\d_]+", entry.casefold())
)  # fmt: skip
"""Every word that has a meaning in bylines: a byline with one of them needs the parser."""
PLAIN_WORD = re.compile(r"[^\W\d_]+")
