"""Words around a name that say something about it: public knowledge of titles, months, prepositions, clubs and ordinary words."""

import re

ABBREVIATED = frozenset("mr mrs ms dr st prof gen sen rep gov lt col sgt capt hon rev messrs".split())  # noqa: SIM905
TITLES = frozenset(
    """
    mr mrs ms miss dr prof professor sir dame lord lady president chancellor premier minister secretary senator congressman congresswoman governor mayor judge justice king queen prince
    princess pope general colonel captain sergeant chief inspector coach manager striker midfielder goalkeeper defender candidate herr frau monsieur madame señor señora signor präsident
    präsidentin kanzler kanzlerin général colonel capitaine maréchal docteur maître professeur juge reine comte doña don rey reina capitán coronel doctor profesor juez generale capitano colonnello dottor avvocato giudice ministre président présidente presidente ministro prime-minister
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
    "in near from to across outside inside around at of for towards toward through into between aus nach bei von zwischen neben unweit nahe hinter à en de dans vers depuis a desde hacia hasta da di per em para w z do".split()  # noqa: SIM905
)
FROM_TO = (
    frozenset(("from", "von", "de", "da", "van", "z", "от", "из")),
    frozenset(("to", "nach", "à", "a", "até", "naar", "do", "do", "до", "в")),
)
"""Before and behind where a journey begins."""
PLACE_NOUNS = frozenset(
    """
    porto cidade puerto ciudad ville città comune stadt town city port village province state region district departamento província provincia estado bay baie río rio calle rua rue via gare airport aeropuerto
    aeroporto aéroport diocese university universidad université università mayor alcalde maire sindaco prefeito
    """.split()  # noqa: SIM905 -- easier to read than dozens of quotes
)
"""Before an `of` and the name of a place."""
DEFINITE = {
    "es": frozenset(("el", "la", "los", "las", "al", "del")),
    "fr": frozenset(("le", "la", "les", "au", "du")),
    "it": frozenset(("il", "la", "lo", "i", "gli", "le", "al", "del", "dal")),
}
AUXILIARIES = frozenset(("a", "ha", "hat", "has", "had", "have"))
NO_PERSON_AFTER = frozenset("in at near across outside inside into".split())  # noqa: SIM905
ARTICLES = frozenset("the a an this that these those every each no some any".split())  # noqa: SIM905
A_PRODUCT = (("organisation", "a"), ("organisation", "an"))
GERMAN_ARTICLES = frozenset(
    "das der die dem den des ein eine einen einem einer kein keine beim zum zur vom im am ins mein dein sein ihr unser meine deine seine ihre unsere seinen ihren seinem ihrem seiner ihrer unserem unserer diese dieser diesem diesen dieses jede jeder jedes jedem jeden viel viele mehr wenig weniger etwas alles alle manche".split()  # noqa: SIM905
)
GERMAN_THE = frozenset(("das", "der", "die", "dem", "den", "des", "beim", "zum", "zur", "vom", "am", "im"))
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
    leader leaders chief boss ceo founder candidate candidates mp mps lawmaker lawmakers activists supporters voters sent sends gave gives took takes held holds paid pays spent spends chose chooses began begins became becomes sought thinks thought knew knows met meets left leaves led leads built builds brought
    brings wrote writes withdrew withdraws joined joins appoints appointed names reports reported expects expected raises raised acquires acquired owns owned operates employs invests invested lays
    files filed settles settled appeals reveals revealed introduces introduced releases partners merges merged bids bid trims trimmed slashes slashed posts posted reaffirms forecasts
    summons summoned recognises recognizes recognised recognized expels expelled condemns condemned welcomes welcomed ratifies ratified invites invited extradites extradited imposes imposed lifts lifted
    bans blocks suspends suspended declares declared elects elected deploys deployed arrests arrested backs backed rejoins rejoined evacuates evacuated mourns mourned celebrates celebrated
    retired married died collapsed scored sang plays played stars starred directed testified pleaded smiled laughed added explained recalled thanked believes believed hopes hoped
    annonce annoncé dit affirme accuse rejette signe lance vend achète supprime rappelle assure veut
    anuncia anunció dijo dice afirma acusa rechaza firma lanza vende compra despide asegura quiere pide pidió presenta cae sube supera rompe cierra abre crece prevé invierte negocia
    annuncia annunciato detto dice afferma accusa lancia compra licenzia assicura vuole chiede
    anunciou anuncia disse diz afirma acusa lança compra demite quer pede
    kündigt meldet streicht verkauft kauft plant stellt hat berichtet berichtete schreibt schrieb zitiert zitierte meldete bekommt erhält feiert baut ruft übernimmt senkt erhöht verklagt entlässt
    zegt meldt koopt verkoopt schrapt plant
    сообщил сообщила заявил заявила объявил объявила
    """.split()  # noqa: SIM905 -- easier to read than dozens of quotes
)
"""Words behind a name by which somebody acts, or that companies have."""
MAY_ACT = frozenset("will would has had could can plans to".split())  # noqa: SIM905
INSTITUTIONS = frozenset(
    """
    police university club harbour harbor airport council court government city street bridge tower station hospital school park arena crown town
    road state province magistrates palace castle abbey minster hall region cathedral stadium festival marathon summit conference museum opera zoo mayor governor republicans democrats senate house parliament embassy
    center centre monday tuesday wednesday thursday friday saturday sunday january february march april may june july august september october november december
    """.split()  # noqa: SIM905 -- easier to read than dozens of quotes
)
"""Capitals behind a place that are of the place."""
OF_THE_PLACE = frozenset(
    """
    minister ministry ministers chancellor president prime premier foreign interior defence defense finance health education justice transport supreme high constitutional criminal central
    federal national international olympics olympic paralympics games grand fashion film art book auto motor boat air biennale triennale expo fair show open masters week carnival pride exchange
    attorney district sheriff firefighters fire metro metropolitan transit archdiocese diocese bishop archbishop cardinal rabbi imam consulate consul ambassador embassy
    north south east west northern southern eastern western downtown old police gendarmerie army navy guard command parade tech-week climate dialogue declaration protocol treaty
    oblast rayon prefecture department governorate municipality township borough ward suburb area greater shipyard port docks gallery philharmonic symphony orchestra ballet chamber
    """.split()  # noqa: SIM905 -- easier to read than dozens of quotes
)
"""More capitals behind a place that are of the place: offices, bodies and events."""
CALLED_LIKE = frozenset(
    """
    hurricane storm cyclone typhoon tropical hms uss ss mv rms ms hotel hôtel café cafe restaurant ristorante bar pub club operation opération operación operazione miss mister air radio tele télé project
    projet proyecto camp ferry yacht schooner frigate destroyer rue via calle avenida avenue boulevard piazza plaza place villa nissan toyota seat fiat chevrolet chevy ferrari
    mademoiselle ouragan tempête huracán uragano furacão orkan sturm taifun tornado
    """.split()  # noqa: SIM905 -- easier to read than dozens of quotes
)
"""Before the name of a place: something else that is called like it."""
TITLES_OF = frozenset(
    """
    duke duchess earl count countess marquess marquis viscount baron baroness prince princess archbishop battle treaty merchant merchants camino edict pact maid man woman girl spirit rose barber gentlemen count
    duc duchesse comte comtesse prince bataille traité paix régime regime duque duquesa conde condesa batalla tratado duca duchessa battaglia trattato herzog herzogin graf gräfin fürst schlacht vertrag
    hertog hertogin graaf slag verdrag
    """.split()  # noqa: SIM905 -- easier to read than dozens of quotes
)
"""`Duke of York`, `Treaty of Paris`: before an `of`, and called after a place."""
OF = frozenset(("of", "de", "von", "di", "do", "da", "van"))
ROMANCE, OF_ROMANCE = frozenset(("es", "fr", "it", "pt", "ca", "gl")), frozenset(("de", "di", "du", "des"))
NAMESAKES = frozenset(
    """
    paris moscow athens rome berlin london cambridge oxford dublin vienna cairo lebanon peru naples florence milan manchester melbourne odessa toledo geneva warsaw delhi lima mexico lisbon madrid bristol
    plymouth portsmouth richmond worcester gloucester boston durham newcastle hamburg frankfort frankfurt hanover dresden bremen cologne belgrade venice palermo genoa verona syracuse troy sparta corinth
    carthage memphis alexandria bethlehem nazareth jericho damascus canton pekin shanghai bogota santiago havana panama cuba brazil china poland norway holland sweden denmark scotland glasgow edinburgh
    aberdeen perth inverness belfast cork limerick waterford limoges montpelier calais versailles orleans lyons
    """.split()  # noqa: SIM905 -- easier to read than dozens of quotes
)
"""Cities and countries of the world that have a namesake in North America."""
LANDFORMS = frozenset(
    """
    county river valley island islands beach strait falls delta basin desert mountains hills lake sea ocean peninsula bay gulf canyon creek
    """.split()  # noqa: SIM905 -- easier to read than dozens of quotes
)
"""Behind the name of a place: another place."""
GOODS = frozenset(
    """
    hat hats sole sausage sausages orange oranges ounce ounces pig pigs fowl dinner dinners sandwich sandwiches shoes sneakers bun buns roll rolls sprouts cheese beef pudding pie sauce steak terrier bulldog shepherd
    retriever rug rugs carpet carpets lace leather blinds marble mustard ham salami lamb cake tart dressing fries toast pepper pears roses wool porcelain chocolate chocolates waffle waffles shorts cigar cigars sprats nuts fever virus syndrome disease flu
    """.split()  # noqa: SIM905 -- easier to read than dozens of quotes
)
"""Behind the name of a place: what is called after it."""
THE_PLACES = frozenset(
    """
    hague bronx vatican kremlin sahara donbas algarve tyrol ruhr saarland riviera crimea peloponnese levant punjab cape gambia sudan lebanon ukraine city capitol
    """.split()  # noqa: SIM905 -- easier to read than dozens of quotes
)
THE_PAPERS = frozenset(
    """
    guardian telegraph times post sun mirror star express mail observer independent herald economist record tribune globe scotsman fed met commission hub
    """.split()  # noqa: SIM905 -- easier to read than dozens of quotes
)
"""What is called with an article."""
RIVERS = frozenset(
    """
    niger jordan amazon mississippi missouri ohio colorado delaware orange hull derwent tyne danube volga main oder saone
    """.split()  # noqa: SIM905 -- easier to read than dozens of quotes
)
"""Rivers that are called as places and companies are, with an article before them."""
STATES = frozenset(
    """
    alabama alaska arizona arkansas california colorado connecticut delaware florida georgia hawaii idaho illinois indiana iowa kansas kentucky louisiana maine maryland massachusetts michigan minnesota
    mississippi missouri montana nebraska nevada ohio oklahoma oregon pennsylvania tennessee texas utah vermont virginia wisconsin wyoming ontario ala ariz ark calif colo conn del fla ga ill ind kan ky
    la mass md mich minn miss mo mont neb nev okla ont ore pa tenn tex vt va wash wis wyo
    new-hampshire new-jersey new-mexico new-york north-carolina north-dakota rhode-island south-carolina south-dakota west-virginia nova-scotia
    """.split()  # noqa: SIM905 -- easier to read than dozens of quotes
)
SPORTS_VERBS = frozenset(
    """
    beat beats lost lose loses won win wins drew draw draws thrashed thrash hammered hammer edged edge defeated defeat downed down stunned stun outlasted routed held hold host hosted visit travel travelled face faced
    crashed crash advanced advance reached reach sacked sack signed sign signs scored score equalised equalized led lead leads trail trailed topped moved climbed dropped slipped knocked eliminated eliminate
    are were have remain sit play played clinched secured snatched overcame overcome deserved deserve needed dominated controlled struggled equalise came went ended finished finish
    besiegte besiegt schlägt gewinnt verliert gewann verlor bat battu perd gagne vence gana pierde venció ganó perdió batte vince perde bate venceu perdeu perdu gagné battu vinto perso pareggiato ganado perdido empatado s'incline s'impose l'emporte siegt unterliegt holt wint verliest speelt pareggia golea empata cae sube goleia empatou wint
    """.split()  # noqa: SIM905 -- easier to read than dozens of quotes
)
"""Behind the name of a club."""
PLURAL = frozenset(("are", "were", "have"))
"""Clubs are many where towns are one."""
AGAINST = frozenset(
    """
    beat beats defeated thrashed hammered edged downed stunned routed over against versus vs v host hosted visit visiting face faced schlägt besiegt besiegte bezwingt vence venceu venció bate batte batté défait verslaat verslaan to by with past o el al il ao at
    gegen contre contra contro tegen bei à ante frente battu bat
    """.split()  # noqa: SIM905 -- easier to read than dozens of quotes
)
"""Before the name of a club."""
OF_PAPER = frozenset("times post herald tribune morning news daily evening gazette telegraph journal star".split())  # noqa: SIM905
CLUBS_BEHIND = frozenset(
    "united rovers wanderers athletic albion hotspur saint-germain rockets bulls lakers cowboys giants jets eagles bears celtics warriors dodgers yankees sox rangers county-fc galaxy dynamo fc".split()  # noqa: SIM905
)
ARTICLES_OF = {
    "es": frozenset(("un", "una", "este", "esta", "ese", "aquel", "cada", "ningún", "su", "mi")),
    "fr": frozenset(("un", "une", "ce", "cet", "cette", "chaque", "aucun", "aucune", "son", "sa", "mon", "ma")),
    "it": frozenset(("un", "uno", "una", "questo", "questa", "ogni", "nessun", "suo", "sua")),
    "pt": frozenset(("um", "uma", "este", "esta", "esse", "essa", "cada", "nenhum", "seu", "sua")),
    "nl": frozenset(("een", "deze", "dit", "die", "elke", "geen", "zijn", "haar")),
}
"""Words before what is one of its kind, by language; definite articles stand before names of places as well."""
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
        "cf",
        "cd",
        "ud",
        "sc",
        "sv",
        "ssc",
        "us",
        "as",
        "rc",
        "ogc",
        "stade",
        "psv",
        "afc",
        "1.fc",
        "zenit",
        "cska",
        "shakhtar",
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
        "arena",
        "stadium",
        "field",
        "tower",
        "dome",
        "park",
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
    worms corona male female match deal dove sandwich single double focal spot hub bank post hot cold fast club ally first
    element vision impact bliss blaze bright chase clever crown crest dash fair flash fresh giant globe grand grid haven hero icon ideal jet jewel journey junction
    latch leap level link lodge magic meadow mint motion nest novel oak orbit origin palm patch peak pearl pilot pioneer planet plume point portal prime progress pulse quest rally
    rapid reach ridge ring rocket royal sage scout serve shade shift shore slate smile solid sonic spark sport stage stride summit surge sweet swing tempo tender thread thrive token torch trace trade trail
    trend tribe trust twin valley vault vibe view village vine wave wonder yard zest young zoom intel who us it un aids is regen baden rot lesen kiel heide lachen haar wald berg feld stein wolf koch schneider becker klein gross lang kurz vogel fuchs hahn
    """.split()  # noqa: SIM905 -- easier to read than hundreds of quotes
)
"""Names that are ordinary words as well: at the beginning of a sentence their capital says nothing."""
EXPLAINED = re.compile(r", (?:the|an?|der|die|das|ein|eine|le|la|un|une|el|una|il) ")
SOMEBODY = (", who ", ", whose ")
"""Behind the name of a person alone: `General Mills, who led the brigade`."""
NAMED_SO = frozenset(
    [
        "called",
        "alias",
        "aka",
        "codenamed",
        "titled",
        "entitled",
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
ROLES = frozenset(("played", "plays", "playing", "portrayed", "portrays", "portraying"))
"""Before a part in a film, or an opponent."""
POST_ENDINGS = (
    "er",
    "or",
    "ist",
    "ian",
    "man",
    "woman",
    "ess",
    "ant",
    "ent",
    "an",
    "at",
    "ive",
    "yst",
    "eer",
    "ier",
    "ary",
    "ic",
    "star",
    "chief",
    "guard",
    "judge",
    "coach",
)
SEASONS = frozenset(("labor", "easter", "winter", "summer"))
"""No posts, for all their endings."""
STARTERS = frozenset(
    """
    but and then when while after before since though although yet still later earlier yesterday today tomorrow now here there meanwhile however once even only also both neither either said says asked so or nor as
    like unlike despite with without for from to by in on at of if because until whether did does is was are were has had will would can could should may might must why how what who where which that this these those
    his her their our my your its let see meet watch not no yes well again never always instead perhaps maybe just about against under over through during between among behind beside near outside inside upon
    told added according asked thanks enter goodbye hello dear young old little big great former new late ex late
    """.split()  # noqa: SIM905 -- easier to read than dozens of quotes
)
"""Words that begin a sentence before somebody's name."""
PAST = re.compile(r"[a-z]{2,}ed")
HAPPENED = frozenset(
    """
    delayed destroyed damaged blocked flooded killed covered caused forced stopped disrupted raged spilled ruined injured spread swept triggered turned ripped engulfed battered blanketed lashed
    fueled fuelled poured melted cracked collapsed exploded grounded stranded crippled hampered smothered jumped dropped soared plunged rallied climbed surged eased slipped rebounded tumbled edged needed used baked served grilled stuffed mixed
    """.split()  # noqa: SIM905 -- easier to read than dozens of quotes
)
"""What fires, storms and prices did as well."""
FUNCTION = frozenset(
    "the a an in on at to for of and or but with from by as is was will if when how why what who can may do no not after before and über und der die das le la les el los il lo".split()  # noqa: SIM905
)
WATCHED = frozenset(("as",)) | ROLES | TITLES | NAMED_SO | BEFORE_MONTH | AT_PLACE | NO_PERSON_AFTER | ARTICLES
"""Small words before a name that say something about it."""
