"""What the words around a name of one word say for or against it: Apple and the apple harvest, Chad and Chad Smith, May and the month."""

import re
from collections.abc import Callable, Collection
from typing import Literal

from enrich.reference.names.given_names import is_given

Kind = Literal["person", "place", "organisation", "topic"]

A_PERSON = "a person by the name"
STRONG, SLIGHT, FOR = -0.6, -0.1, 0.1
"""By how much surroundings move the confidence in a name: against it, slightly against it, for it."""
AROUND = 40
"""Characters on either side that are looked at."""
NEAR = 250
"""Characters within which a word stands near."""
BREAKS = frozenset('.!?:;"“„«(|–—…‘')
"""Behind which a sentence or a quotation begins."""
ABBREVIATED = frozenset("mr mrs ms dr st prof gen sen rep gov lt col sgt capt hon rev messrs".split())  # noqa: SIM905
TITLES = frozenset(
    """
    mr mrs ms miss dr prof professor sir dame lord lady president chancellor premier minister secretary senator congressman congresswoman governor mayor judge justice king queen prince
    princess pope general colonel captain sergeant chief inspector coach manager striker midfielder goalkeeper defender candidate herr frau monsieur madame señor señora signor präsident
    präsidentin kanzler kanzlerin ministre président présidente presidente ministro prime-minister
    """.split()  # noqa: SIM905 -- easier to read than dozens of quotes
)
MONTHS = frozenset(
    [
        "march",
        "april",
        "may",
        "june",
        "august",
        "mars",
        "avril",
        "mai",
        "juni",
        "juli",
        "janvier",
        "mayo",
        "abril",
        "junio",
        "maio",
        "giugno",
        "aprile",
    ]
)
BEFORE_MONTH = frozenset(
    "in since until till by last next early late mid of from this each every for to through before after during im seit bis en depuis mi fin".split()  # noqa: SIM905
)
AT_PLACE = frozenset(
    "in near from to across outside inside around at of for towards toward through into between aus nach bei von à en de dans vers depuis a desde hacia hasta da di per em para w z do".split()  # noqa: SIM905
)
NO_PERSON_AFTER = frozenset("in at near across outside inside into".split())  # noqa: SIM905
ARTICLES = frozenset("the a an this that these those every each no some any".split())  # noqa: SIM905
A_PRODUCT = (("organisation", "a"), ("organisation", "an"))
GERMAN_ARTICLES = frozenset(
    "das der die dem den des ein eine einen einem einer kein keine beim zum zur vom im am ins mein dein sein ihr unser".split()  # noqa: SIM905
)
OF_PLACE = frozenset(
    [
        "north",
        "south",
        "east",
        "west",
        "northern",
        "southern",
        "eastern",
        "western",
        "new",
        "mount",
        "lake",
        "port",
        "saint",
        "st",
        "fort",
        "cape",
        "upper",
        "lower",
        "old",
    ]
)
ACTS = frozenset(
    """
    said says told tells announced announces unveiled unveils recalled recalls denied denies launched launches agreed agrees signed signs bought buys sold sells hired hires voted votes
    plans planned wants warned warns urged urges accused accuses rejected rejects reopened reopens opened closed closes faces sets seeks insisted admitted resigned apologised apologized argued
    replied responded tweeted vowed pledged promised claimed confirmed ordered banned sued fined fired shares stocks plc inc corp ag spokesman spokeswoman executives engineers employees
    beat beats win wins won lost loses hosts hosted cuts workers customers investors shareholders sagte erklärte kündigte teilte will-be
    """.split()  # noqa: SIM905 -- easier to read than dozens of quotes
)
"""Words behind a name by which somebody acts, or that companies have."""
MAY_ACT = frozenset("will would has had could can plans to".split())  # noqa: SIM905
INSTITUTIONS = frozenset(
    """
    police university club agreement accord accords harbour harbor airport council court government city street bridge tower station hospital school park river valley island islands bay
    beach road county state strait province region cathedral stadium festival marathon summit conference museum opera zoo mayor governor republicans democrats senate house parliament embassy
    center centre monday tuesday wednesday thursday friday saturday sunday january february march april may june july august september october november december
    """.split()  # noqa: SIM905 -- easier to read than dozens of quotes
)
"""Capitals behind a place that are of the place."""
OF_PAPER = frozenset("times post herald tribune morning news daily evening gazette telegraph journal star".split())  # noqa: SIM905
CLUBS_BEHIND = frozenset(
    "united rovers wanderers athletic albion hotspur saint-germain rockets bulls lakers cowboys giants jets eagles bears celtics warriors dodgers yankees sox rangers county-fc galaxy dynamo fc".split()  # noqa: SIM905
)
CLUBS_BEFORE = frozenset(
    [
        "real",
        "borussia",
        "hertha",
        "bayern",
        "fc",
        "inter",
        "ac",
        "olympique",
        "sporting",
        "dynamo",
        "dinamo",
        "spartak",
        "lokomotiv",
        "atlético",
        "atletico",
        "vfb",
        "vfl",
        "fsv",
        "tsv",
        "rb",
        "racing",
    ]
)
NAMED_AFTER = frozenset(
    "airport university institute foundation stadium hospital school college center centre street square avenue boulevard bridge prize award cup memorial museum library park tower academy theatre theater cathedral church records street".split()  # noqa: SIM905
)
"""What is called after people."""
LAND = frozenset(
    [
        "county",
        "river",
        "beach",
        "valley",
        "island",
        "islands",
        "street",
        "bay",
        "forest",
        "basin",
        "rainforest",
        "foundation",
        "university",
        "hills",
        "springs",
        "mountains",
        "lake",
    ]
)
"""Behind the name of a company: a place, or something else of that name."""
COMMON = frozenset(
    """
    alphabet amazon apple ash baker banks barking bath battle bell best bill bird black block boots bolt bond booth bowie box bridge brooks brown buffalo burns bury bush butler carter case caterpillar chambers
    china church clay continental cook cooper cork crew cross curry dale day deal dean delta derby discovery dodge dove drew duke earl east essen faith field fields fish flowers focus ford forest
    fortune foster fox freeman frontier frost gap gas gates general glass gold golf good grace grant gray green greens greene guardian hall hand halle hart heath hill hof holmes hope house hull hunt hunter ice
    independence independent jaguar joy judge king knight labour lake lakes lamb lane law lens liberal liberty life lima lime long lord lotus love major march mark marshall mason may merchant mercury meta miller mills mini
    mirror mobile moon moore mustang nail nancy next nice noble normal north nurse observer oracle orange order page paramount park parks peace people phoenix pike polish pool poole pope potter power powers price
    prince puma ram read reading reed reform rice rich rivers root rose rugby rush rye sale salt sands sandwich savage school seal seat sellers sharp shell shields short signal silver singen singer
    sky slack small smart snow south sparks spirit split spring sprint square staples star steel stern stone storm street stripe strong subway summer summers sun surprise swift tanner target temple tide time
    total tours tower town trump tucker turkey turner union united universal victoria virgin visa wade walker wall ward ware water waters webb weeks wells west wheat white wild will winter wise wolf wood woods
    worms male female match deal dove sandwich single double focal spot hub bank post hot cold fast club ally first
    element vision impact bliss blaze bright chase clever crown crest dash fair flash fresh giant globe grand grid haven hero icon ideal jet jewel journey junction
    latch leap level link lodge magic meadow mint motion nest novel oak orbit origin palm patch peak pearl pilot pioneer planet plume point portal prime progress pulse quest rally
    rapid reach ridge ring rocket royal sage scout serve shade shift shore slate smile solid sonic spark sport stage stride summit surge sweet swing tempo tender thread thrive token torch trace trade trail
    trend tribe trust twin valley vault vibe view village vine wave wonder yard zest young zoom who us it un aids is regen baden rot lesen kiel heide lachen haar wald berg feld stein wolf koch schneider becker klein gross lang kurz vogel fuchs hahn
    """.split()  # noqa: SIM905 -- easier to read than hundreds of quotes
)
"""Names that are ordinary words as well: at the beginning of a sentence their capital says nothing."""
EXPLAINED = re.compile(r", (?:the|an?|der|die|das|ein|eine|le|la|un|une|el|una|il) ")
SOMEBODY = (", who ", ", whose ")
"""Behind the name of a person alone: `General Mills, who led the brigade`."""
NAMED_SO = frozenset(
    [
        "called",
        "named",
        "nicknamed",
        "dubbed",
        "christened",
        "genannt",
        "namens",
        "getauft",
        "baptisé",
        "surnommé",
        "llamado",
        "apodado",
    ]
)
"""Before what is nobody else's name: `a dog called Bali`."""
PAST = re.compile(r"[a-z]{2,}ed")
FUNCTION = frozenset(
    "the a an in on at to for of and or but with from by as is was will if when how why what who can may do no not after before and über und der die das le la les el los il lo".split()  # noqa: SIM905
)
WATCHED = TITLES | NAMED_SO | BEFORE_MONTH | AT_PLACE | NO_PERSON_AFTER | ARTICLES
"""Small words before a name that say something about it."""


class Surroundings:
    """The words around one place in a text. Read with the plainest means: there are some for each update."""

    __slots__ = (
        "_start",
        "_whole",
        "after",
        "after_at",
        "after_end",
        "before",
        "first",
        "is_adjacent",
        "is_behind",
        "is_possessive",
        "word",
    )

    def __init__(self, whole: str, start: int, end: int) -> None:
        self._whole, self._start, self.after_end = whole, start, end
        self.word = whole[start:end]
        self.before, self.first, self.is_adjacent = "", True, False
        """The word before, whether a sentence begins here, whether nothing but a space stands between."""
        if start > 1 and whole[start - 1] in " \xa0":
            token = whole[whole.rfind(" ", max(0, start - AROUND), start - 1) + 1 : start - 1]
            token = token[token.rfind("\n") + 1 :]
            last = token[-1:]
            if last.isalnum():
                self.before, self.first, self.is_adjacent = token.lstrip("\"'“„«(‘"), False, True
            elif last == "." and token[:-1].casefold() in ABBREVIATED:
                self.before, self.first, self.is_adjacent = token, False, True
            elif last and last not in BREAKS:
                self.before, self.first = token.strip("\"'“„«(‘,”»)’"), False
        elif start > 1 and whole[start - 1] not in BREAKS and whole[start - 1] != "\n":
            self.first = False
        self.after, self.after_at, self.is_behind = "", end, False
        self.is_possessive = whole[end : end + 2] in ("'s", "’s")
        if whole[end : end + 1] in (" ", "\xa0"):
            self.after, self.after_at, self.is_behind = self._token(end + 1)

    @property
    def is_listed(self) -> bool:
        """Whether another capitalised word follows a comma, as in a list of names."""
        behind = self._whole[self.after_end : self.after_end + 3]
        return behind[:2] == ", " and behind[2:].isupper()

    @property
    def is_explained(self) -> bool:
        """Whether a comma and an article follow, as in `Dove, the soap brand`."""
        return EXPLAINED.match(self._whole, self.after_end) is not None

    @property
    def hyphened(self) -> str:
        """The compound that the word is a part of, as in `Smith-May` and `May-Britt`; empty where it is none."""
        before, after = self._whole[self._start - 2 : self._start], self._whole[self.after_end : self.after_end + 2]
        if self._start > 1 and before[1:] == "-" and before[0].isalpha():
            return f"…-{self.word}"
        return f"{self.word}-…" if after[:1] == "-" and after[1:].isupper() else ""

    def _token(self, at: int) -> tuple[str, int, bool]:
        stop = self._whole.find(" ", at, at + AROUND)
        token = self._whole[at : stop if stop >= 0 else at + AROUND]
        if "\n" in token:
            token = token[: token.find("\n")]
        return token.rstrip(".,;:!?\"'”»)’"), at + len(token), True

    @property
    def after_next(self) -> str:
        """The word behind the next one."""
        return self._token(self.after_at + 1)[0] if self._whole[self.after_at : self.after_at + 1] == " " else ""

    @property
    def beside_before(self) -> str:
        """The capitalised word right before, in the same sentence."""
        return self.before if self.is_adjacent and self.before[:1].isupper() else ""

    @property
    def beside_after(self) -> str:
        """The capitalised word right behind, in the same phrase."""
        is_beside = self.is_behind and self.after[:1].isupper() and self.after.casefold() not in FUNCTION
        return re.split(r"['’]s$", self.after)[0] if is_beside else ""


def is_titled(line: str) -> bool:
    """Whether a headline is written in capitals for every word, which then say nothing."""
    words = [word for word in line.split() if word[:1].isalpha()]
    return len(words) > 3 and sum(word[0].isupper() for word in words) >= 0.75 * len(words)


def weigh(  # noqa: PLR0911, PLR0912, C901 -- a table of cases
    around: Surroundings, kind: Kind, own_words: Callable[[], Collection[str]], *, titled: bool, language: str
) -> tuple[float, str]:
    """How the surroundings move the confidence in a name of one word, and why. `own_words()` are those of the entry's spellings.

    `titled`: the line writes every word with a capital.
    """
    if kind == "topic":
        return 0.0, ""
    if (
        not (around.first or titled or language == "de")
        and not (around.before[:1].isupper() or around.after[:1].isupper() or around.hyphened)
        and around.before not in WATCHED
        and not (around.before.isdigit() or around.after[:1].isdigit())
    ):
        # As most are: nothing around says anything.
        return 0.0, ""
    word, before = around.word.casefold(), around.before.casefold().rstrip(".")
    beside, behind = around.beside_before, around.beside_after
    if around.before.isdigit() or (around.is_behind and around.after[:1].isdigit() and word in MONTHS):
        return STRONG, "a number beside it"
    if not around.first and word in MONTHS and before in BEFORE_MONTH:
        return STRONG, "a month"
    if kind == "place" and before in NAMED_SO and around.is_adjacent:
        return STRONG, "somebody or something called so"
    if not around.first and before in TITLES:
        return (FOR, "a title before it") if kind == "person" else (STRONG, "a person by the title before it")
    if beside and before not in FUNCTION and before not in own_words():
        if kind == "place" and before in OF_PLACE:
            return STRONG, "part of another name"
        if is_given(beside):
            return STRONG, f"{A_PERSON} before it: {beside}"
    if kind == "place" and beside and before in CLUBS_BEFORE:
        return STRONG, "a club"
    if around.hyphened and kind != "place":
        return STRONG, f"part of {around.hyphened}"
    if behind and (against := _behind(around, kind, own_words, behind, titled=titled)):
        return STRONG, against
    article = GERMAN_ARTICLES if language == "de" else ARTICLES
    is_aside = kind == "person" or (language == "de" and word in COMMON) or (kind, before) in A_PRODUCT
    if is_aside and before in article and around.is_adjacent:
        return STRONG, "an article before it"
    if (
        language == "de"
        and word in COMMON
        and around.is_adjacent
        and re.search(r"[a-zäöü]{2}(?:e|en|er|es|em)$", around.before)
    ):
        return STRONG, "an adjective before it"
    if kind == "person" and before in NO_PERSON_AFTER and around.is_adjacent:
        return STRONG, "a place by the word before it"
    is_acronym = len(word) > 1 and around.word.isupper() and not titled
    if (around.first or titled) and word in COMMON and not is_acronym:
        return (0.0, "") if _acts(around, kind) else (STRONG, "an ordinary word at the beginning of a sentence")
    if kind == "place" and before in AT_PLACE and around.is_adjacent:
        return FOR, "a preposition before it"
    return (SLIGHT, "the first word of a sentence") if around.first and not around.after else (0.0, "")


def _behind(
    around: Surroundings, kind: Kind, own_words: Callable[[], Collection[str]], behind: str, *, titled: bool
) -> str:
    """What speaks against a name by the capitalised word behind it; empty where nothing does."""
    small = behind.casefold()
    if small in own_words() or (titled and not is_given(behind)):
        return ""
    if kind == "organisation" and small in LAND:
        return f"something else of that name: {around.word} {behind}"
    if kind == "place":
        if small in OF_PAPER or small in CLUBS_BEHIND:
            return "part of the name of a paper or a club"
        is_person = is_given(around.word) and small not in INSTITUTIONS
        return f"{A_PERSON} behind it: {behind}" if is_person else ""
    if kind == "person":
        return f"part of another name: {around.word} {behind}"
    return f"{A_PERSON} behind it: {behind}" if is_given(behind) and not _acts(around, kind) else ""


def _acts(around: Surroundings, kind: Kind) -> bool:
    """Whether the words behind a name say that somebody acts, which an ordinary word does not."""
    after, following = around.after.casefold(), around.after_next
    if not after:
        return around.is_possessive or around.is_listed or around.is_explained
    if after in ACTS:
        return True
    if after in ("and", "or", "und", "et", "y"):
        return following[:1].isupper()
    # Banks will be shut, but Apple will close: an ordinary word of the plural, and a passive, prove nothing.
    is_plain = not around.word.endswith("s") and following.casefold() not in ("be", "been", "not", "to")
    return kind != "person" and is_plain and (after in MAY_ACT or PAST.fullmatch(after) is not None)


def is_part_of_another(whole: str, end: int, kind: Kind) -> bool:
    """Whether a name of several words is another one's: New York Times, Charles de Gaulle Airport."""
    stop = whole.find(" ", end + 1, end + AROUND)
    behind = (
        whole[end + 1 : stop if stop > 0 else end + AROUND].split("\n", maxsplit=1)[0].rstrip(".,;:!?'’\"”)").casefold()
    )
    if kind == "place":
        return behind in OF_PAPER or behind in CLUBS_BEHIND
    return kind == "person" and behind in NAMED_AFTER


def stands_near(whole: str, start: int, end: int, words: tuple[str, ...]) -> bool:
    """Whether one of an entry's words stands near a place in the text, as a word or its beginning."""
    stretch = whole[max(0, start - NEAR) : end + NEAR].casefold()
    return any(re.search(rf"(?<!\w){re.escape(word.casefold())}", stretch) for word in words)
