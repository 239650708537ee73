"""Which words of a text are a note to desks: `(Adds quotes)`, `Eds:`, planned coverage, word counts, contacts. Pure.

A rule takes a paragraph as a whole, and only where it begins like a note and is as short as one: what a reader should
read is not lost to a word in the middle of it.
"""

import re

MAX_NOTE = 1200
"""Characters of one note; a longer paragraph is text, whatever it begins with."""

_WHAT = (
    # What a version does to the one before it.
    r"adds?\b|adding\b|updat(?:es|ed|ing)\b|recasts?\b|rewrites?\b|re-?leads?\b|refil(?:es|ed|ing)\b|re-?sends?\b|repeat(?:s|ing|ed)?\b|re-?issues?\b|correct(?:s|ed|ing|ion)\b|"
    r"clarif(?:ies|ied)\b|fix(?:es|ed)\b|removes?\b|deletes?\b|drops\b|restores?\b|changes\b|inserts?\b|incorporates?\b|trims?\b|writes? ?thr(?:ough|u)\b|edits?\b|"
    r"new (?:throughout|lead|headline|version)\b|with (?:new|details|photos?|pictures?|pix|graphic|video|reaction|quotes?|background|factbox)\b|"
    r"combines\b|minor edits?\b|paragraphs?\b .{0,40}\b(?:new|added|update)|no change\b|subs?\b .{0,20}\bgraf|pls\b|photos?\b|graphics?\b|ap photo|afp photo|file photo available|"
    r"more to (?:come|follow)\b|story (?:will be|to be) (?:updated|developed)\b|developing story\b|to be (?:updated|continued|followed)\b|"
    r"neu\b|neue?r? (?:details|fassung|lead|aufbau)\b|aktualisier|erg[äa]nz|berichtig|korrigier|korrektur|wiederholung|zusammenfassung\b|[üu]berblick\b|erweiter|durchgehend\b|durchg\.|"
    r"achtung\b|hinweis\b|redaktionshinweis|redaktioneller hinweis|planungshinweis|die meldung (?:wird|wurde)|diese meldung|mehr in k[üu]rze|mehr folgt|folgt\b|wird (?:laufend )?(?:erg[äa]nzt|aktualisiert|fortgesetzt)|"
    r"(?:eine? )?(?:ausf[üu]hrlich\w*|aktualisiert\w*) (?:meldung|fassung)|(?:im |in )?\d+\. absatz|mit foto|mit bild|mit grafik|bild(?:er)?\b.{0,30}\bverf[üu]gbar|"
    r"actualis|mise [àa] jour|ajoute|ajout\b|compl[èe]te|pr[ée]cis(?:e|ions?)\b|corrig|r[ée]p[èe]te|r[ée]p[ée]tition|rectifi|reprend|avec (?:citations?|d[ée]tails|photo|r[ée]action|pr[ée]cisions)|papier g[ée]n[ée]ral|[àa] suivre|plus (?:[àa] venir|d'informations)|"
    r"actualiza|a[ñn]ade|ampl[ií]a|agrega|corrige|repite|repetici[óo]n|con (?:foto|fotos|imagen|v[ií]deo|reacciones|m[áa]s detalles)|habr[áa] ampliaci[óo]n|seguir[áa]|m[áa]s informaci[óo]n en|"
    r"atualiza|acrescenta|corre[çc][ãa]o|retifica|aggiorna|aggiung|rettific|corregge|segue\b|riepilogo\b|"
    r"uppdatera|kompletter|r[äa]ttar|r[äa]ttelse|l[äa]gger till|ny version|nytt\b|med (?:bild|foto|reaktion|detaljer)|mer kommer|kommer mer|texten uppdateras|"
    r"oppdater|retter\b|rettelse|legger til|erstatter|mer f[øo]lger|saken oppdateres|ntb kommer (?:tilbake|med)|"
    r"opdater|tilf[øo]jer|retter\b|gentager|mere f[øo]lger|"
    r"lis[äa][äa]\b|p[äa]ivit|korja|toist|juttu t[äa]ydentyy|"
    r"herhaling|toevoeg|aanvul|nieuw[e:]|met (?:foto|reactie|video)|volgt\b"
)
_PRIVATE = (
    r"(?:this|these|the following) (?:information|material|note|story|item)?s? ?(?:is|are) (?:not (?:intended )?for|for internal)|not for (?:publication|broadcast|release|public|use)|internal use only|"
    r"for (?:internal|editorial) use|no publication|do not publish|"
    r"(?:diese|die folgenden?) (?:informationen|angaben|hinweise) (?:sind|ist) nicht (?:zur|f[üu]r)|nicht zur (?:ver[öo]ffentlichung|publikation|verwendung)|nur (?:zur|f[üu]r) (?:internen?|redaktionellen?)|"
    r"ne pas (?:publier|diffuser)|non destin[ée]e?s? [àa] la publication|[àa] usage interne|no (?:publicar|para (?:su )?publicaci[óo]n|difundir)|para uso interno|non pubblicare|non per la pubblicazione|n[ãa]o publicar|"
    r"ej f[öo]r (?:publicering|publikation)|inte f[öo]r publicering|ikke (?:for|til) (?:publisering|publicering|offentlig\w*|bruk)|ei julkaistavaksi|niet voor publicatie|niet publiceren"
)
_TO_DESKS = (
    r"eds?\s?[.:]|eds\b[,:;-]|editors?['’]?s?['’]? ?(?:note|:)|editors?:|note to (?:editors|desks|clients|users|media|subscribers)|notes? for editors|(?:attention|attn\.?|att\.?)[:,;-]? ?(?:editors|desks?|news|picture|sports|photo|clients|subscribers|all)|"
    r"(?:full )?(?:script|shotlist|edit) (?:to follow|follows|will follow)\b|(?-i:THIS (?:EDIT|VIDEO|MATERIAL|FOOTAGE) (?:CONTAINS|INCLUDES|WAS|HAS BEEN)\b)|(?-i:(?:EDITORS|BROADCASTERS)[’']? (?:PLEASE )?NOTE\b)|"
    r"advisory\s?:|editor advisory|media advisory\s?:|desks?\s?:|for (?:editorial )?(?:queries|questions|enquiries|inquiries)\b|to (?:contact|reach) the (?:desk|editor|reporter|newsroom)|"
    r"hinweise?s? (?:an|f[üu]r) (?:die )?(?:redaktion|kunden|kollegen|medien|bezieher)|an (?:die|alle) redaktion|achtung,? redaktion|liebe (?:kolleg|kund)|redaktionelle[rn]? hinweis|redaktionshinweis|v\.\s['\"“‘«].{2,120}\bdelle\s|(?-i:LISÄÄ|PÄIVITETTY|TÄYDENTYY)\s?:|redaktion\w*\s?:|(?:b ?i ?l ?d ?-?)?a ?v ?i ?s ?o\s?[:–-]|notiz(?: an .{2,30})?\s?:|planungshinweis|terminhinweis|"
    r"note (?:aux?|[àa] l['’]attention des|pour les) (?:r[ée]dactions?|r[ée]dacteurs|clients|abonn[ée]s)|avis aux (?:r[ée]dactions|clients|abonn[ée]s)|[àa] l['’]attention des (?:r[ée]dactions|clients|abonn[ée]s)|eds\s?:|"
    r"nota (?:a|para) (?:los |las )?(?:editores|redactores|redacciones|medios|clientes|abonados)|nota a la redacci[óo]n|nota (?:aos|para os) editores|aviso a (?:los |las )?(?:redacciones|editores|clientes|medios|abonados)|atenci[óo]n,? (?:editores|redacciones|clientes)|aten[çc][ãa]o,? editores|"
    r"nota (?:per|ai|alle) (?:la |le |i )?(?:redazion\w+|redattori|clienti)|avviso (?:alle|ai) \w+|noot (?:voor|aan) (?:de )?redactie|aan de redactie|(?:not|anm\.?|obs\.?|info|meddelande) (?:till|til) (?:alla )?red|till redaktion|til redaktion|til redaksjon|til red\b|red\.\s?:|redakt(?:[øo]rer|[öo]rer)\s?:|"
    r"redaktionel(?:l|le)? (?:not|note|merknad|meddelelse)|n ?i ?e ?u ?w bericht,? vervangt|vervangt\s?:|merknad til red|toimituksille|huom\.? toimitu"
)
_CONTACT = (
    r"(?:dpa-)?(?:kontakt|contact|ansprechpartner)(?:e|s|en|er)?\s?:|(?:press|media|news)? ?contacts?\s?:|for more information,? (?:please )?contact|contact press|pressekontakt|presskontakt|contact(?:s|o)? (?:presse|prensa)|(?:tel|telefon|phone|fax|e-?mail|newsdesk)\.?\s?:|autor(?:en|in)?\s?:|r[üu]ckfragen?(?:hinweis)?(?: (?:&|und) kontakt)?\s?:|(?:nachfragen|r[üu]ckfragen)\b.{0,40}(?:an|unter|bei)\b|"
    r"news tips?(?: line| hotline)?\s?:|got a (?:news )?tip\b|kontakta (?:redaktion|oss)|kontakt redaksjon"
)
_PLANNED = (
    r"(?:planned|upcoming|further|expected|related) (?:coverage|stories)\b|coverage plans?\b|we (?:will|plan to|expect to|are planning to) (?:file|move|send|update|have|lead|run|transmit|publish|follow)\b|"
    r"(?:ap|afp|reuters|dpa|aap|pa|efe|ntb|tt|stt|ritzau|belga|apa|sda|ats) (?:will|plans to|expects to|is planning to|plant|wird|sendet|melder|sender|kommer|prev[ée]|prevoit)\b.{0,60}\b(?:file|move|send|update|cover|story|stories|coverage|bericht|meldung|send|zusammenfassung|tilbake|d[ée]p[êe]che|papier|nota)|"
    r"(?:eine? |die )?(?:zusammenfassung|aktualisierte fassung|ausf[üu]hrliche\w* (?:fassung|meldung|bericht)|[üu]berarbeitete\w* fassung|korr-?bericht|hintergrund|feature|reportage|kommentar|portr[äa]t|weitere meldung\w*|weiteres?|mehr|bilder|fotos?|grafik)\s(?:folgt\b|folgen\b|(?:bis|gegen|um|ca\.|ab)\s(?:ca\.\s)?\d)|"
    r"wir (?:planen|senden|berichten|melden uns|halten sie|aktualisieren|bieten)\b|geplant (?:ist|sind)\s?:|(?:zusammenfassung|meldung|wortlaut)\b.{0,12}\b(?:bis|ca\.)\s?\d|"
    r"(?:nous (?:pr[ée]voyons|transmettrons|diffuserons)|une? (?:d[ée]p[êe]che|papier|synth[èe]se|version)\b.{0,40}\bsuivr)|(?:papier|lead|synth[èe]se|couverture)s? pr[ée]vu|suite (?:[àa] suivre|suivra)|[àa] suivre\b|plus d['’]informations [àa] suivre|"
    r"(?:previsiones|previsi[óo]n|cobertura prevista|coberturas?)\s?:|(?:efe|se) (?:transmitir[áa]|enviar[áa]|ampliar[áa])|(?:habr[áa]|seguir[áa]) (?:m[áa]s|ampliaci[óo]n|una)|"
    r"(?:planerad|kommande|planlagt|kommende) (?:bevakning|dekning|d[æa]kning|texter|saker|jobb)|vi (?:planerar|[åa]terkommer|planlegger|kommer tilbake|uppdaterar|oppdaterer|opdaterer)\b|(?:mer|mere|lis[äa][äa])\s(?:kommer|f[øo]lger|text|tulossa)|"
    r"more to (?:come|follow)|developing\b.{0,40}(?:more|check back|story)|this (?:is a developing|story (?:has been|will be|is being)) .{0,60}(?:updated|developing|more)|mehr (?:in k[üu]rze|folgt)|(?:text|saken|artikeln|artiklen) (?:uppdateras|oppdateres|opdateres)"
)
_COUNT_WORD = r"(?:words?|w[öo]rter|worte|zeilen|zl|zeichen|anschl[äa]ge|mots?|signes|feuillets?|l[ií]neas|lignes|palabras|caracteres|parole|righe|battute|palavras|woorden|ord|tecken|tegn|linjer|sanaa|merkki[äa]|grafs|lines|characters|chars)"
_COUNT = re.compile(
    rf"[\W_]*(?:(?:slug|titel|title|words?|count|l[äa]nge|length|umfang|longueur)\s?[:=]\s?)?(?:ca\.?|circa|about|approx(?:imately)?\.?|rund|etwa|env(?:iron)?\.?|unos|cerca de|omkring|noin)?\s?\d[\d.,\s]{{0,8}}\s?{_COUNT_WORD}\b[\W_]*(?:\d{{3,6}}\s?(?:gmt|utc|uhr)?[\W_]*)?",
    re.IGNORECASE,
)
_COUNT_LABEL = re.compile(rf"[\W_]*{_COUNT_WORD}\s?[:=]\s?\d[\d.,\s]{{0,8}}[\W_]*", re.IGNORECASE)
_ROUTING = re.compile(
    r"[\W_]*(?:"
    r"(?-i:BC|AM|PM|AP)-{1,2}[a-z][\w.&'’/-]{2,60}(?:,\s?[\w ]{0,40})*"
    r"|(?:keywords?|slug(?:line)?|topics?|categor(?:y|ies)|desk|ressort|urgency|priority|priorit[äa]t|embargo(?:ed)? ?status|item ?id|story ?id|news ?id)\s?[:=]\s?.{1,160}"
    r"|(?-i:ALERTE?|ALERTA|URGENTE?|FLASH|BULLETIN|EILMELDUNG)"
    r"|(?-i:AP|AFP|EPA) (?:photos?|graphics?|videos?)(?:\s(?-i:[A-Z]{2,8}\d{2,6})[,.\s]{0,3}){0,12}"
    r"|[a-z]{2,4}\d{3,5}\s\d\s[a-z]{1,3}\s\d{1,5}\b.{0,40}"
    r"|\d{6}\s?(?:gmt|utc|z|[a-z]{3,4})?\s+[a-zäéû]{3,4}\.?\s+\d{2,4}"
    r"|\d{2}:?\d{2}\s?(?:gmt|utc|cet|cest|mez|mesz)[ ,]{1,2}\d{1,2}[./ -].{2,12}"
    r"|(?:ap|afp|reuters|rtr|dpa|upi|efe)[\s-](?:[a-z]{2}-)?\d{2}[-./]\d{2}[-./]\d{2,4}(?:\s\d{4}\s?(?:gmt|est|edt)?)?"
    r")[\W_]*",
    re.IGNORECASE,
)
_END_MARK = re.compile(
    r"[\W_]*(?:\(?(?:schluss|forts(?:etzung)?)\.?\)?(?:\s+[a-zäöü]{2,5}(?:[/*][a-zäöü]{2,5}){0,3})?|apa\d{3,4}\b.{0,24}|-30-|\(?(?:end(?:s|item|it)?|ende|fin|fine|fim|slut|slutt|loppu|einde)\)?|end (?:of )?(?:item|story|text|message)|\(more\)|(?-i:MORE)|xinhua|bernama)[\W_]*",
    re.IGNORECASE,
)
_DOUBLED = re.compile(r"\(\(.{1,600}\)\)\W*|\(\(.{0,300}(?:@|\+\d|messaging|desk|newsroom).{0,300}", re.IGNORECASE)
_HEADING = re.compile(
    r"[\W_]*(?:dpa[ -])?(?:notizblock|notebook|notepad|redaktionelle hinweise|hinweise? (?:an|f[üu]r) (?:die )?redaktion\w*|notes? (?:to|for) editors|editors['’]? notes?|editorial notes?|note aux r[ée]dactions|"
    r"notas? (?:a|para) (?:los |las )?(?:editores|redacciones)|nota per le redazioni|orientering til redaksjonen|til redaktionen|till redaktionen|service f[üu]r redaktionen|kontaktdaten f[üu]r redaktionen|"
    r"(?:the following|die folgenden) information(?:en)? (?:is|are|sind) (?:not|nicht) .{0,60})[\W_]*",
    re.IGNORECASE,
)
"""A line behind which all is for desks."""

_NOT_BEFORE = (
    r"embargad[oa]s? hasta\b|(?:sous|soumis [àa]|bajo|sob|onder|sotto) embargo\s?(?::|\d|jusqu|avant|hasta|at[ée]\b|tot\b|fino\b)|embargo(?:wane)? do\s{1,3}\d|embarg[óo]\s?:\s?\d|"
    r"sperre(?:t|frist)\s?(?:til|:|\d|kl)|klausul(?:eret)?\s?(?:til|indtil|:)|(?:f[åa]r|m[åa]) (?:ej|inte|ikke|ikkje) (?:publiceras|publiseres|publiceres|offentligg\w+|udsendes|sendes) f[öø]re?\b|publiceras tidigast\b|"
    r"ei saa julkaista ennen|julkaistavissa (?:klo )?\d|julkaisuvapaa \d|niet (?:publiceren|voor publicatie) (?:voor|v[óo][óo]r)\b|no (?:publicar|difundir|emitir) (?:antes|hasta)\b|ne pas (?:publier|diffuser) avant\b|"
    r"nicht vor .{2,40} (?:ver[öo]ffentlich|verwend|senden)|frei(?:gegeben)? (?:zur ver[öo]ffentlichung )?ab \d|non (?:pubblicare|diffondere) prima\b|n[ãa]o (?:publicar|divulgar) antes\b|nie publikować przed\b|"
    r"эмбарго до\b|не публиковать до\b|не для публикации до\b|ембарго до\b|не публікувати до\b|εμπάργκο (?:έως|μέχρι)|ambargo(?:lu)?\s?:|yayın yasağı|(?:محظور|يمنع|يُمنع|ممنوع) (?:النشر|نشره) (?:حتى|قبل)|للنشر بعد|"
    r"解禁(?:日時|時間)?\s?[:：]|エンバーゴ\s?[:：]|(?:禁止|请勿)(?:在)?.{0,20}前(?:发布|發布|发表)|엠바고\s?[:：]?\s?\d"
)
"""What says in the languages of agencies until when a text may not be published."""
_EMBARGO = re.compile(
    r"[\W_]*(?:(?:strictly |strictement )?(?:under )?embargo(?:ed|ed copy|[ée]e?)?\b(?!\s+(?:lifted|is lifted|lev[ée]|levantado|aufgehoben))[\s:–-]{0,4}(?:(?:until|till|til|to|for release|not for|bis|jusqu|hasta|fino|at[ée]|until:)|[:\d])|sperrfrist(?!\s+aufgehoben)\s?[:\d–-]|sperrfrist bis|not for (?:publication|release|use|broadcast) (?:before|until)|hold for release)"
    rf"|[\W_]*(?:{_NOT_BEFORE})",
    re.IGNORECASE,
)

_ATTENTION = rf"(?:attention|atenci[óo]n|attenzione|aten[çc][ãa]o|attn?)\.?\s?[:–-]\s?(?:{_WHAT})"
_ENCLOSED = re.compile(
    rf"[(\[{{*/+#_\s–—-]{{1,6}}(?:{_WHAT}|{_ATTENTION}|{_TO_DESKS}|{_PLANNED}|{_PRIVATE})", re.IGNORECASE
)
_LABELLED = re.compile(rf"[\W_]{{0,6}}(?:{_ATTENTION}|{_TO_DESKS}|{_CONTACT}|{_PLANNED}|{_PRIVATE})", re.IGNORECASE)
_ABOUT_VERSION = re.compile(rf"\((?:{_WHAT}|{_TO_DESKS}|{_PRIVATE})[^()]{{0,400}}\)\s*", re.IGNORECASE)
_SAYS_PRIVATE = re.compile(_PRIVATE, re.IGNORECASE)
_CLOSES = re.compile(r"[)\]}*/+#_.\s–—-]$")
_READERS_TOO = re.compile(r"\b(?:reporting by|editing by|writing by|additional reporting|compiled by)\b", re.IGNORECASE)
_BULLETS = ("* ", "- ", "• ", "– ", "— ")

_PICTURE_CREDIT = re.compile(
    r"[(\[]?(?:foto|photo|фото|写真|图片|bild|picture|symbolbild|symbolfoto|archivfoto|archivbild|grafik|cr[ée]dit photo|bildquelle|photo credit|fotocredit)s?\s?[:©]\s?[^.!?]{2,60}[)\]]?\.?",
    re.IGNORECASE,
)
_SHORT = 240
"""Characters up to which a paragraph may be a note without a label that ends in a colon."""
_LABEL = 60
LONGEST_EMBARGO = 200
"""Characters of a line that tells an embargo."""


_OPENING = re.compile(r"\s*(?:<[^<>]*>\s*)*([^\w\s]?)[^\w<]*([^\W_]{0,3})")
_SIGNS = frozenset("([{*/+#–—-_©&")
_FRAGMENTS = frozenset(["a", "aan", "aap", "ach", "adv", "afp", "akt", "am", "an", "anm", "ans", "ap", "apa", "art", "ate", "ats", "att", "aus", "aut", "avi", "avv", "bc", "bel", "bil", "cat", "cob", "con", "cou", "cov", "des", "dev", "die", "do", "dpa", "e", "ed", "edi", "eds", "efe", "ei", "ein", "ej", "ema", "emb", "exp", "fax", "fea", "for", "fot", "ful", "fur", "bro", "gep", "got", "gra", "hab", "hin", "hol", "huo", "ikk", "inf", "int", "ite", "key", "kom", "kon", "kor", "lea", "lie", "lis", "med", "meh", "mel", "mer", "mor", "n", "nac", "nao", "ne", "new", "nic", "nie", "no", "non", "noo", "not", "nou", "ntb", "nur", "não", "obs", "ori", "pa", "pap", "par", "pho", "pla", "plu", "pm", "por", "pre", "pri", "red", "rel", "rep", "res", "reu", "rit", "ruc", "rüc", "sak", "scr", "sda", "se", "sho", "edi", "seg", "ser", "slu", "spe", "sto", "str", "stt", "sui", "syn", "tel", "ter", "tex", "the", "thi", "til", "to", "toi", "top", "tt", "ube", "un", "une", "upc", "urg", "ver", "vi", "we", "wei", "wir", "wo", "wor", "zei", "zus", "à", "übe"])  # fmt: skip
"""The first letters of all labels above, at most three: nine of ten paragraphs begin with others, and are looked at no further."""
_ORDINARY = re.compile(
    r"(?:the (?!following)|an (?!die|alle)|a (?!l['’]|suivre|usage)|for (?!more|(?:editorial )?(?:queries|questions|enquiries|inquiries)|internal|editorial))",
    re.IGNORECASE,
)
"""Small words that most paragraphs of English begin with, where no label goes on behind them."""
_ALWAYS = 100
_LONG = 2 * _SHORT
"""Characters of a block's HTML, tags included, above which only what has a colon near its beginning is a note without signs around it."""


def may_be_note(inner: str) -> bool:
    """Whether a block's HTML begins like a note, or is as short as one. A cheap test that errs on the side of yes."""
    if len(inner) < _ALWAYS:
        return True
    if (letters := inner[:3]).isalpha():
        if len(inner) > _LONG and ":" not in inner[: 2 * _ALWAYS]:
            return False
        return letters.lower() in _FRAGMENTS and _ORDINARY.match(inner) is None
    found = _OPENING.match(inner)
    if found is None:
        return True
    sign, letters = found.groups()
    if sign:
        return sign in _SIGNS
    return letters[:1].isdigit() or (letters.lower() in _FRAGMENTS and _ORDINARY.match(inner) is None)


def kind_of_note(words: str) -> str:  # noqa: PLR0911 -- a table of cases
    """Which kind of note to desks a paragraph is, for the repair; empty where it is text for readers."""
    if not words or len(words) > MAX_NOTE:
        return ""
    first = words[0]
    if first in "([{" or (first in "*/+#_–—-" and not words.startswith(_BULLETS)) or words.startswith("* "):
        if first == "(" and (_DOUBLED.fullmatch(words)):
            return "contact"
        if (
            (first not in "([{" or _CLOSES.search(words[-1:]))
            and _ENCLOSED.match(words)
            and not _READERS_TOO.search(words)
        ):
            if words.startswith(_BULLETS) and len(words) > 200:
                return ""
            return "note"
    if (first.isdigit() or len(words) < _LABEL) and (_COUNT.fullmatch(words) or _COUNT_LABEL.fullmatch(words)):
        return "count"
    if len(words) < _ALWAYS and _PICTURE_CREDIT.fullmatch(words):
        return "credit"
    if len(words) < 220 and _ROUTING.fullmatch(words):
        return "routing"
    if (len(words) < _SHORT or ":" in words[:_LABEL]) and _LABELLED.match(words):
        return "note"
    return ""


_READ_ALSO = re.compile(
    r"[\W_]{0,4}(?:read (?:also|more|next|it here)|also read|see also|related(?: (?:story|article|stories|articles|news|content))?|more on this(?: story)?|recommended|don['’]t miss|watch(?: also| more| now)?|listen|"
    r"lesen sie (?:auch|mehr)|lies auch|mehr zum thema|auch interessant|lire (?:aussi|[ée]galement)|[àa] lire (?:aussi|[ée]galement)?|voir aussi|lea (?:tambi[ée]n|adem[áa]s)|lee tambi[ée]n|te puede interesar|m[áa]s informaci[óo]n|leia (?:tamb[ée]m|mais)|veja (?:tamb[ée]m|mais)|"
    r"leggi anche|lees ook|bekijk ook|l[äa]s (?:ocks[åa]|[äa]ven|mer)|les (?:ogs[åa]|mer)|l[æa]s (?:ogs[åa]|mere)|lue my[öo]s|czytaj (?:te[żz]|tak[żz]e|r[óo]wnie[żz])|zobacz (?:te[żz]|tak[żz]e)|[čc]t[ěe]te tak[ée]|[čc]ítajte aj|pro[čc]itajte (?:i|jo[šs])|citi[țt]i (?:[șs]i|mai)|"
    r"ayrıca (?:okuyun|oku)|baca (?:juga|pula)|читайте (?:также|також|ещ[её])|смотрите также|дивіться також|διαβάστε (?:επίσης|ακόμη)|اقرأ (?:أيضا|أيضًا|أيضاً|المزيد)|延伸阅读|延伸閱讀|相关阅读|相關新聞|関連記事|관련기사)\s?[:：►▶»>|]\s?\S.{2,250}",
    re.IGNORECASE,
)
_READ_ALSO_SIGNS = frozenset(":：►▶»>|")


def is_read_also(words: str) -> bool:
    """Whether a paragraph points to another text: `Read also: Port closed by storms`."""
    return (
        len(words) < _SHORT and not _READ_ALSO_SIGNS.isdisjoint(words[:40]) and _READ_ALSO.fullmatch(words) is not None
    )


_CONTACTS = re.compile(
    r"[\W_]{0,4}(?:(?:presse|press|medien|media|investor(?:en)?(?: relations)?|news)[- ]?(?:kontakte?|contacts?)|(?:kontakt|contacts?|contactos?|contatti|contact presse|contacto de prensa|presskontakt(?:er)?|pressekontakter|yhteyshenkil[öo]t?|ansprechpartner)(?: (?:presse|f[üu]r (?:die )?medien|for media|m[ée]dias))?|r[üu]ckfragehinweis|r[üu]ckfragen(?: bitte)? an|for (?:more|further) information(?:,? please contact)?|lis[äa]tietoja(?: antaa)?|for mere information|f[öo]r mer information)\s?:[\W_]{0,4}",
    re.IGNORECASE,
)


def labels_contacts(words: str) -> bool:
    """Whether a line is a label that contacts stand below: `Pressekontakt:`."""
    return len(words) < _LABEL and words.rstrip()[-1:] in ":*_" and _CONTACTS.fullmatch(words) is not None


def may_be_contact(words: str) -> bool:
    """Whether a line below such a label is one of them: a name, a number, an address; no sentence."""
    return len(words) < _ALWAYS and not words.endswith((".", "!", "?", "”")) and not _ATTRIBUTED.match(words)


_REACHED = re.compile(r"@|://|\bwww\.|\b(?:tel|telefon|phone|mobile?|fax)\b|\d[\d ()./-]{5,30}\d", re.IGNORECASE)


def says_how_to_reach(words: str) -> bool:
    """Whether a line has an address or a number."""
    return _REACHED.search(words) is not None


_ATTRIBUTED = re.compile(r"original-?content|source\b|quelle\b|about\b|[üu]ber\b|#", re.IGNORECASE)


def opens_private_part(words: str) -> bool:
    """Whether a line says that what follows it is for desks."""
    return len(words) < 100 and _HEADING.fullmatch(words) is not None


def is_end_mark(words: str) -> bool:
    """Whether the last line of a text says only that it ends."""
    return len(words) < 40 and _END_MARK.fullmatch(words) is not None


def note_before_text(words: str) -> str:
    """A note in parentheses that a paragraph of text begins with: `(Adds mayor) OSLO (Wire) - ...`; empty for none."""
    if not words.startswith("("):
        return ""
    found = _ABOUT_VERSION.match(words)
    return found.group(0) if found is not None and found.end() < len(words) else ""


def says_private(words: str) -> bool:
    """Whether it says of itself that it is not for publication."""
    return _SAYS_PRIVATE.search(words) is not None


def is_embargo(words: str) -> bool:
    """Whether a line says until when a text may not be published."""
    return len(words) < LONGEST_EMBARGO and _EMBARGO.match(words) is not None


_EMBARGO_TOLD = re.compile(
    r"(?:^|[.;:!?(\[*\n–-]\s{0,3}|\b(?:under|strict|strictly|strictement|sous|news|press|media|is|are)\s)"
    r"embargo[\s:–-]{1,4}(?:until|till|til|not for|bis|jusqu\W|hasta|fino|at[ée]\b|\d)"
    r"|\bembargo(?:ed|ed copy|[ée]e?s?)[\s:–-]{1,4}(?:until|till|til|to|not for|for|jusqu\W|\d)|\bembargado hasta\b|\bsperrfrist[\s:–-]{1,4}(?:bis|\d)"
    r"|\bnot for (?:public )?(?:publication|release|use|broadcast) (?:before|until)|\bhold for release\b"
    rf"|(?<!\w)(?:{_NOT_BEFORE})",
    re.IGNORECASE,
)
"""What a note says of the copy itself; an embargo on arms or oil is news."""


def tells_embargo(note: str) -> bool:
    """Whether a note tells until when an update may not be published, wherever in it."""
    return bool(note) and _EMBARGO_TOLD.search(note[:MAX_NOTE]) is not None


_DESKS = r"(?:redaktion\w*|r[ée]dact(?:ions?|eurs)|redac(?:ciones|tores|ties?)|redazion[ei]|reda[çc][õo]es|redaksjon\w*|editors?|editores|desks|subscribers|abonn[ée]s|abonados|medios|medien)"
_ADDRESSED = re.compile(
    r"[\W_]{0,6}(?:(?:dpa|apa|afp|ap|sda|ats|tt|ntb|stt|anp|efe|pa)[-: ]{1,3})?(?:"
    rf"(?:achtung|wichtiger hinweis|hinweise?|attention|attn\.?|avis(?: important)?|note|notice|advisory|aviso|nota|avviso|noot|bericht|mededeling|let op|aten[çc][ãa]o|atenci[óo]n|obs!?|not(?= till)|meddelelse|meddelande)[,:;!]? (?:(?:an|f[üu]r|to|for|aux?|[àa] l['’]attention d(?:es|e)|pour(?: les)?|nos|a|para|per|ai|alle|aan|voor|aos|[àa]s|till|til)[ ]?)?(?:(?:die|der|alle|the|all|our|les|nos|los|las|de|l)[ ])?(?:liebe[rn]? )?{_DESKS}\b"
    r"|an (?:die|alle) redaktion\w*|(?:liebe|verehrte) (?:kolleg\w+|redaktion\w+|kund\w+)|redaktionshinweis\b|redaktionelle[rn]? hinweis\b|till? (?:alla )?red(?:aktion\w*|aksjon\w*|\.|\b)|toimituksille\b|toimitusten tiedoksi\b"
    r"|(?:editorial|editors['’]?|coverage|client|transmission|media|news) advisory\b|(?:planungs|tages|themen|wochen)vorschau\b|planungshinweis\b|(?:coverage|story) (?:budget|planner)\b"
    r")",
    re.IGNORECASE,
)
_FOLLOWING = re.compile(
    r"\b(?:the following|following|below|die folgenden?|folgende[rs]?|nachfolgend\w*|suivante?s?|ci-dessous|siguientes?|seguenti|seguintes|f[öø]ljande|f[øo]lgende|seuraav\w+|volgende|onderstaande|until|before|bis|avant|antes|kontakt\w*|contacts?|nummer|number)\b",
    re.IGNORECASE,
)

_WHOLE = re.compile(
    r"(?:(?:this|these|dies\w*|cette|ces?|est[ae]s?|este|denna|denne|dette|detta|quest[aoi]|deze|dit|t[äa]m[äa]) [\w-]+(?: [\w-]+)? (?:is|are|ist|sind|est|sont|es|son|[äæ]r|er|zijn|sono|[èé]|on) )?"
    rf"(?:{_PRIVATE})",
    re.IGNORECASE,
)


def is_addressed_to_desks(headline: str) -> bool:
    """Whether a headline says that the update speaks to desks."""
    return _ADDRESSED.match(headline[:200]) is not None


_PRIVATE_PARTS = (
    "publi", "pubbli", "diffuser", "ver\u00f6ff", "veroff", "zur verwend", "internal", "interne ", "internen", "interno",
    "redaktionell", "editorial use", "julkais", "offentlig", "for broadcast", "for release", "for use", "difundir", "bruk",
)  # fmt: skip


def may_say_private(words: str) -> bool:
    """Whether words in small letters have a part of every sentence that says so. A cheap test that errs on the side of yes."""
    for part in _PRIVATE_PARTS:  # noqa: SIM110 -- three times as fast as `any`
        if part in words:
            return True
    return False


def says_all_is_private(words: str) -> bool:
    """Whether a note says of the update as a whole, not of what follows it, that it is not for publication."""
    if not words or len(words) > MAX_NOTE or not may_say_private(words.lower()) or _FOLLOWING.search(words):
        return False
    bare = words.lstrip(" \t([{*/+#_–—-=!")
    found = _WHOLE.match(bare) or (_SAYS_PRIVATE.search(bare) if kind_of_note(words) else None)
    # A label is about what stands behind it.
    return found is not None and not bare[found.end() :].lstrip().startswith(":")
