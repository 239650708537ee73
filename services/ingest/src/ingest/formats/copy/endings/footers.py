"""What content systems put around an entry of a feed: `The post … appeared first on …`, `Continue reading`, buttons, counting pixels. Pure."""

import re

from ingest.formats.copy import blocks
from ingest.formats.model import Draft
from ingest.formats.text import plain as text

_COUNTERS = re.compile(
    r"feeds\.feedburner\.com/~|feedproxy\.google\.com/~(?!r/[^/]{1,200}/~3)|feedsportal\.com|pheedo\.com|/~ff?/|feedads\.|doubleclick\.net|/cpx\.php|imrworldwide\.com|scorecardresearch\.com|"
    r"pixel\.wp\.com|stats\.wordpress\.com|feeds\.wordpress\.com/1\.0/|vgwort\.de/|ivwbox\.de|quantserve\.com|statcounter\.com|xiti\.com|(?:piwik|matomo)\.php|google-analytics\.com|"
    r"flattr(?:-badge|\.com/)|addtoany\.com|sharethis\.com|btn_donate|/plugins/[\w-]{0,40}(?:social|share|flattr|sociable)|/b\.gif\?|(?:twitter|facebook|linkedin|whatsapp|reddit|pinterest|e?mail|print|share|rss|mastodon|bluesky)[_-]?(?:icon|button|badge)|tinylytics|[?&]idsite=|counter\.theconversation|count(?:er)?\.gif|/pixel(?:\.gif|\?|/)",
    re.IGNORECASE,
)
"""Addresses of pictures that count readers, or are a button."""
_IMAGE = re.compile(r"<img\b([^<>]*)>(?:\s*</img\s*>)?", re.IGNORECASE)
_SIDE = re.compile(r"(?<![\w-])(?:width|height)\s*[=:]\s*[\"']?\s*([0-2])(?:px)?(?![\d.%])", re.IGNORECASE)
_FLARE = re.compile(
    r"<(div|p|ul|span)\s[^<>]*class\s*=\s*[\"'][^\"'<>]*\b(?:feedflare|sharedaddy|addtoany_share_save_container|social-?(?:share|buttons|links|icons)|share-?(?:buttons|links|this)|sociable|jp-relatedposts|wpcnt|more-link-wrap)\b[^\"'<>]*[\"'][^<>]*>"
    r"((?>(?:[^<]+|<(?!/?\1\b))*))</\1\s*>",
    re.IGNORECASE,
)
_FLARES = ("feedflare", "shar", "social", "sociable", "relatedposts", "wpcnt", "more-link-wrap")
"""Parts of their classes."""
_EMPTY_LINK = re.compile(r"<a\s[^<>]*>\s*</a\s*>", re.IGNORECASE)

_FIRST_ON = re.compile(
    r"(?:the (?:post|article|story|entry)\b.{0,400}\b(?:appeared first|first appeared|was first published|was originally published|originally appeared) (?:on|in|at)\b.{1,200}"
    r"|(?:der beitrag|dieser beitrag|der artikel)\b.{0,400}\berschien zuerst (?:auf|bei|in)\b.{1,200}"
    r"|(?:l['’]article|cet article|le post|l['’]actualit[ée])\b.{0,400}\b(?:est apparu en premier sur|appara[iî]t en premier sur|est apparu d['’]abord sur)\b.{1,200}"
    r"|(?:la entrada|el post|el art[íi]culo|el cargo)\b.{0,400}\b(?:se public[óo] primero en|apareci[óo] primero en|aparece primero en|se publica primero en)\b.{1,200}"
    r"|(?:o post|o artigo|o conte[úu]do|a not[íi]cia)\b.{0,400}\b(?:apareceu primeiro em|aparece primeiro em|foi publicado primeiro em)\b.{1,200}"
    r"|(?:l['’]articolo|il post)\b.{0,400}\b(?:proviene da|sembra essere il primo su|[èe] stato pubblicato su)\b.{1,200}"
    r"|(?:het bericht|het artikel)\b.{0,400}\bverscheen eerst op\b.{1,200}"
    r"|(?:inl[äa]gget|artikeln)\b.{0,400}\b(?:d[öo]k f[öo]rst upp p[åa]|publicerades f[öo]rst p[åa])\b.{1,200}"
    r"|(?:innlegget|indl[æa]gget|artiklen|saken)\b.{0,400}\b(?:dukket f[øo]rst opp p[åa]|blev f[øo]rst udgivet p[åa]|vises f[øo]rst p[åa])\b.{1,200}"
    r"|(?:artykuł|wpis|post)\b.{0,400}\b(?:pochodzi z serwisu|pojawił się poczatkowo|pojawił się najpierw)\b.{1,200}"
    r"|(?:сообщение|запись|стаття|статья|запис)\b.{0,400}\b(?:появил[аи]сь сначала на|впервые появил[аи]сь|першою з.явилася|сначала появилась на|спочатку з.явився на)\b.{1,200}"
    r"|(?:artikkeli|artikeli?)\b.{0,400}\b(?:ilmestyi ensin|julkaistiin ensin)\b.{1,200}"
    r"|.{0,300}\byaz[ıi]s[ıi] ilk [öo]nce\b.{1,200}|(?:p[řr][íi]sp[ěe]vek)\b.{0,400}\bpocház[íi] z\b.{1,200}|.{0,300} は .{1,100} に最初に(?:表示|投稿|公開)されました。?|.{0,300}最先出现在.{1,100}|المقال.{0,300}(?:نشر|ظهر) (?:أولاً|أولا) (?:على|في).{1,100})",
    re.IGNORECASE,
)
_SAYS_FIRST = re.compile(
    r"appeared|first published|originally|zuerst|en premier|d['’]abord|primero|primeiro|proviene|primo su|pubblicato|eerst|f[öo]rst|f[øo]rst|pochodzi|pojawił|появил|з.явил|ilmestyi|julkaistiin|ilk [öo]nce|pocház|最初|最先|أول",
    re.IGNORECASE,
)
"""A word of every such sentence. A cheap test."""
_MORE = re.compile(
    r"[\W_]*(?:continue reading|keep reading|read(?: the)? (?:more|rest|full|whole|entire|original|on)\b|(?:click|tap) here to (?:read|continue)|view (?:the )?(?:full|original|entire)|full (?:story|article)|more\s?(?:…|\.\.\.|»|&raquo;|→)|"
    r"(?:hier )?weiterlesen|mehr lesen|weiter lesen|zum (?:artikel|vollst[äa]ndigen)|den ganzen (?:artikel|beitrag)|lire (?:la suite|plus|l['’]article)|(?:en )?(?:savoir|lire) plus|leer (?:m[áa]s|completo|la noticia)|seguir leyendo|sigue leyendo|contin[úu]a? (?:leyendo|lendo)|continuar (?:leyendo|lendo|a ler|lectura)|"
    r"l(?:er|eia) mais|leggi (?:tutto|di pi[ùu]|anche l|l['’]articolo)|continua a leggere|continua la lettura|lees (?:meer|verder)|l[äa]s (?:mer|hela|vidare)|les (?:mer|hele|videre)|l[æa]s (?:mere|hele|videre)|lue (?:lis[äa]{2}|koko)|czytaj (?:wi[ęe]cej|dalej|ca[łl]o[śs][ćc])|"
    r"чита(?:ть|йте|ти) (?:далее|дальше|полностью|далі|більше)|подробнее|докладніше|続きを読む|続きをみる|阅读全文|閱讀全文|继续阅读|繼續閱讀|더 ?보기|계속 읽기|اقرأ (?:المزيد|أيض)|قراءة المزيد|إقرأ المزيد|devam[ıi]n[ıi] oku|daha fazla oku|[čc][íi]st (?:d[áa]le|v[íi]ce)|cel[ýy] [čc]l[áa]nek|tov[áa]bb|cite[șs]te mai|διαβάστε (?:περισσότερα|τη συνέχεια))",
    re.IGNORECASE,
)
_LONGEST_MORE = 120
_BUTTONS = re.compile(
    r"[\W_]*(?:(?:\d{1,5} )?comments?(?: on .{1,200})?|(?:view|read|leave|add|post)(?: a)? comments?|permalink|share(?: this| on \w+)?|tweet(?: this)?|email this|print this|like this|flattr this!?|kommentare?|kommentieren|commentaires?|comentarios|discuss(?: on .{1,40})?|\[?if the formatting looks odd in your feed reader.*|copyright\s*©?\s*\d{4}.{0,120}|"
    r"(?:annons|annonse|annonce|anzeige|werbung|advertisement|ad|publicidad|publicit[ée]|pubblicit[àa])\s*:\s*https?://\S{1,300}|"
    r"submitted by\s+/?u/\S{1,60}(?:\s+to\s+/?r/\S{1,60})?(?:\s*\[link\])?(?:\s*\[(?:\d{1,6} )?comments\])?|\[link\]\s*\[(?:\d{1,6} )?comments\]|"
    r"(?:see|learn more at|visit) (?:omnystudio|megaphone|acast|podcastchoices|pcm\.adswizz|art19|sonycontent)\S{0,60} for (?:more information|privacy information|more|our).{0,120}|our general privacy policy can be viewed at .{1,200}|privacy policy at .{1,100}|hosted on acast\. see .{1,100}|"
    r"(?:uncategorized )?(?:share|tweet|email|pin|print)(?:[\s|•·,]+(?:share|tweet|email|pin|print|facebook|twitter|linkedin|whatsapp|reddit)){1,8})[\W_]*",
    re.IGNORECASE,
)
_LOOKED_AT = 4
"""Blocks at the end in which footers are looked for."""
_NEAR = 500
_TAIL = 1500
"""Characters at the end in which words outside of paragraphs are looked for."""
_LINK = re.compile(r"<a\s[^<>]*>((?>[^<]+|<(?!/?a\b))*)</a\s*>[\s.…»→|)\]]*$", re.IGNORECASE)
_LAST_WORDS = re.compile(r"(?:<br\s*/?>|</(?:p|div|ul|ol|table|figure|blockquote)\s*>|<img\b[^<>]*>)", re.IGNORECASE)
_ELLIPSIS = re.compile(r"(?<!\s)\s*\[(?:&#8230;|&hellip;|…|\.\.\.)\]")


def without_footers(html: str) -> tuple[str, list[str]]:
    """The body of an entry without what its content system added, and the words that were taken out."""
    if "<img" in html or "<IMG" in html:
        left = _IMAGE.sub(lambda found: "" if _is_counter(found.group(1)) else found.group(0), html)
        html = _EMPTY_LINK.sub("", left) if len(left) < len(html) else html
    taken: list[str] = []
    if any(one in html for one in _FLARES):
        html = _FLARE.sub("", html)
    for _ in range(_LOOKED_AT):
        if "<a" not in html[-_TAIL:] and _SAYS_FIRST.search(html[-_NEAR:]) is None:
            break
        left, words = _without_last(html)
        if left == html:
            break
        html = left
        taken += [words] if words else []
    if "]" in html[-_NEAR:]:
        html = html[:-_NEAR] + _ELLIPSIS.sub("…", html[-_NEAR:]) if len(html) > _NEAR else _ELLIPSIS.sub("…", html)
    return html, taken


def take_footers(draft: Draft) -> None:
    """Take them out of an entry's body and summary, and tell so."""
    fields = draft.fields
    if html := fields.get("body_html"):
        fields["body_html"], taken = without_footers(html)
        if taken:
            draft.repaired("furniture-taken-out", "/body_html", "; ".join(taken)[:200])
    if summary := fields.get("summary"):
        fields["summary"] = bare_summary(summary)


def bare_summary(summary: str) -> str:
    """A summary without a content system's words behind it."""
    for begins in _POST_BEGINS.finditer(summary, max(0, len(summary) - 600)):
        if is_footer(summary[begins.start() :]):
            summary = summary[: begins.start()].rstrip()
            break
    head, sign, tail = summary.rpartition("…")
    if not sign:
        head, sign, tail = summary.rpartition("...")
    if sign and len(tail) < _LONGEST_MORE and _MORE.match(tail.strip(" ]")):
        summary = f"{head}…"
    return _ELLIPSIS.sub("…", summary)


_POST_BEGINS = re.compile(
    r"\b(?:the (?:post|article|story|entry)|der beitrag|(?:l['’]|cet )article|la entrada|el post|o post|l['’]articolo|il post|het bericht|inl[äa]gget|innlegget|indl[æa]gget|artykuł|wpis|сообщение|запись)\b",
    re.IGNORECASE,
)


def is_footer(words: str) -> bool:
    """Whether the last words of an entry are a content system's."""
    if not words or len(words) > 900:
        return False
    if len(words) < 4 and not any(letter.isalnum() for letter in words):
        return True
    return (
        (_SAYS_FIRST.search(words) is not None and _FIRST_ON.fullmatch(words) is not None)
        or (len(words) < 300 and _BUTTONS.fullmatch(words) is not None)
        or (len(words) < _LONGEST_MORE and _MORE.match(words) is not None)
    )


def _is_counter(attributes: str) -> bool:
    return _COUNTERS.search(attributes) is not None or _SIDE.search(attributes) is not None


def _without_last(html: str) -> tuple[str, str]:
    """The body without its last block or words, where they are a footer."""
    html = html.rstrip()
    offset = max(0, len(html) - _TAIL)
    last: blocks.Block | None = None
    for one in blocks.leaves(html[offset:]):
        last = one
    if last is None or text.of_html(html[offset + last.end :]):
        return _without_last_words(html, offset)
    if is_footer(words := last.words):
        return blocks.without(html, [(offset + last.start, offset + last.end)]), words
    link = _LINK.search(last.inner)
    if link is not None and last.inner[: link.start()].strip() and (said := _more(link.group(1))):
        at = offset + last.inner_at
        return blocks.without(html, [(at + link.start(), at + len(last.inner))]), said
    return html, ""


def _without_last_words(html: str, offset: int) -> tuple[str, str]:
    """The same of words outside of paragraphs."""
    tail = html[offset:]
    starts = [0, *(found.end() for found in _LAST_WORDS.finditer(tail))]
    begin = next((one for one in reversed(starts) if text.of_html(tail[one:])), None)
    if begin is None:
        return html, ""
    cut = offset + begin
    if is_footer(words := text.of_html(html[cut:])):
        return html[:cut].rstrip(), words
    if (link := _LINK.search(html[cut:])) is not None and (said := _more(link.group(1))):
        return html[: cut + link.start()].rstrip(), said
    return html, ""


def _more(inner: str) -> str:
    """What a link says, where it leads to the rest of the text; else nothing."""
    said = text.of_html(inner)
    return said if len(said) < _LONGEST_MORE and _MORE.match(said) is not None else ""
