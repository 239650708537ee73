"""Places as bylines name them: which words behind a name, or on a line of their own, are one."""

import re

from enrich.reference.directory import name_key
from enrich.reference.names.given_names import is_given

COUNTRIES = frozenset(
    name.strip()
    for name in """
    afghanistan, albania, algeria, andorra, angola, argentina, armenia, australia, austria, azerbaijan, bahamas, bahrain, bangladesh, barbados, belarus, belgium, belize, benin, bhutan, bolivia,
    bosnia, botswana, brazil, brunei, bulgaria, burkina faso, burundi, cambodia, cameroon, canada, chad, chile, china, colombia, congo, costa rica, croatia, cuba, cyprus, czech republic, czechia,
    denmark, djibouti, ecuador, egypt, el salvador, england, eritrea, estonia, eswatini, ethiopia, fiji, finland, france, gabon, gambia, gaza, georgia, germany, ghana, greece, greenland, grenada,
    guatemala, guinea, guyana, haiti, honduras, hungary, iceland, india, indonesia, iran, iraq, ireland, israel, italy, ivory coast, jamaica, japan, jordan, kazakhstan, kenya, kosovo, kuwait,
    kyrgyzstan, laos, latvia, lebanon, lesotho, liberia, libya, liechtenstein, lithuania, luxembourg, madagascar, malawi, malaysia, maldives, mali, malta, mauritania, mauritius, mexico, moldova,
    monaco, mongolia, montenegro, morocco, mozambique, myanmar, namibia, nepal, netherlands, new zealand, nicaragua, niger, nigeria, north korea, north macedonia, northern ireland, norway, oman,
    pakistan, palestine, panama, paraguay, peru, philippines, poland, portugal, qatar, romania, russia, rwanda, saudi arabia, scotland, senegal, serbia, sierra leone, singapore, slovakia, slovenia,
    somalia, south africa, south korea, south sudan, spain, sri lanka, sudan, suriname, sweden, switzerland, syria, taiwan, tajikistan, tanzania, thailand, togo, tunisia, turkey, turkiye, turkmenistan,
    uganda, ukraine, united arab emirates, united kingdom, united states, uruguay, uzbekistan, venezuela, vietnam, wales, west bank, yemen, zambia, zimbabwe, usa, us, uk, uae,
    deutschland, osterreich, schweiz, frankreich, italien, spanien, grossbritannien, russland, polen, turkei, griechenland, allemagne, autriche, suisse, espagne, italie, royaume uni, etats unis, russie,
    pologne, turquie, grece, belgique, alemania, francia, espana, italia, reino unido, estados unidos, rusia, ucrania, brasil, francja, niemcy, ukraina, ukrayna, polska,
    alabama, alaska, arizona, arkansas, california, colorado, connecticut, delaware, florida, hawaii, idaho, illinois, indiana, iowa, kansas, kentucky, louisiana, maine, maryland, massachusetts,
    michigan, minnesota, mississippi, missouri, montana, nebraska, nevada, new hampshire, new jersey, new mexico, north carolina, north dakota, ohio, oklahoma, oregon, pennsylvania, rhode island,
    south carolina, south dakota, tennessee, texas, utah, vermont, virginia, west virginia, wisconsin, wyoming, ontario, quebec, alberta, manitoba, saskatchewan, nova scotia, british columbia,
    queensland, victoria, tasmania, new south wales, catalonia, bavaria, saxony, crimea, kashmir
    """.replace("\n", " ").split(",")
)
CITIES = frozenset(
    name.strip()
    for name in """
    kyiv, kiev, kiiv, moscow, moskva, sankt peterburg, minsk, london, paris, berlin, rome, madrid, lisbon, vienna, warsaw, prague, budapest, athens, brussels, amsterdam, oslo, stockholm, copenhagen, helsinki, dublin, geneva, zurich, istanbul,
    ankara, cairo, beirut, jerusalem, tel aviv, baghdad, tehran, dubai, doha, riyadh, delhi, mumbai, beijing, shanghai, hong kong, taipei, tokyo, seoul, bangkok, jakarta, manila, hanoi, kuala lumpur,
    sydney, melbourne, canberra, nairobi, lagos, johannesburg, cape town, addis ababa, washington, washington dc, new york, chicago, boston, los angeles, san francisco, toronto, ottawa, montreal,
    mexico city, bogota, lima, caracas, buenos aires, rio de janeiro, sao paulo, brasilia, havana, hamburg, munich, munchen, frankfurt, koln, cologne, wien, bern, basel, milan, milano, roma, torino,
    napoli, marseille, lyon, bordeaux, toulouse, strasbourg, bruxelles, geneve, barcelona, valencia, sevilla, bilbao, porto, lisboa, kharkiv, odesa, lviv, minsk, tbilisi, yerevan, baku, tashkent, kabul,
    islamabad, karachi, lahore, dhaka, colombo, kathmandu, edinburgh, glasgow, cardiff, belfast, manchester, birmingham, leeds, liverpool, londres, moscou, kiew, moskau, warschau, rom, athen, brussel, bruessel, londen, parijs,
    port au prince, guatemala city, panama city, abu dhabi, st petersburg, saint petersburg, khan younis, gaza city, the hague, den haag, la paz, las vegas, santo domingo, santiago de chile, phnom penh, port moresby, dar es salaam, burkina faso
    """.replace("\n", " ").split(",")
)
STARTS = frozenset(
    ("new", "san", "santa", "sao", "port", "fort", "mount", "cape", "los", "las", "st", "saint", "bad", "north", "south", "east", "west")
)  # fmt: skip
ENDS = frozenset(
    ("city", "dc", "d c", "beach", "springs", "island", "islands", "county", "province", "valley", "bay", "strait")
)
CAPITAL_WORD = re.compile(r"[A-ZÀ-ÝĀ-ŽА-Я\u0600-\u06ff][\w’'.-]*")


def is_known_place(words: str) -> bool:
    """Whether words are a large city, a country or a state, or built as names of places are."""
    key = name_key(words)
    return key in COUNTRIES or key in CITIES or _is_built_as_place(key.split())


def is_country(words: str) -> bool:
    """Whether words are a country or a state."""
    return name_key(words) in COUNTRIES or re.fullmatch(r"(?:[A-Z]\.){2,3}|[A-Z][a-z]{2,4}\.", words) is not None


def _is_built_as_place(words: list[str]) -> bool:
    """`New Haven`, `Port Marrow`, `Long Beach`."""
    return 2 <= len(words) <= 3 and (words[0] in STARTS or words[-1] in ENDS)


def is_place_line(line: str) -> bool:
    """Whether a line of its own behind the names says where they are: `Kyiv, Ukraine`, `New York`; not another name."""
    parts = [part.strip() for part in line.split(",")]
    if len(parts) > 2 or not all(1 <= len(part.split()) <= 3 for part in parts):
        return False
    if not all(
        CAPITAL_WORD.fullmatch(word) or word in ("de", "del", "du", "la") for part in parts for word in part.split()
    ):
        return False
    if len(parts) == 2:
        return (
            is_country(parts[1])
            or is_known_place(parts[1])
            or (len(parts[0].split()) == len(parts[1].split()) == 1 and not is_given(parts[1]))
        )
    return is_known_place(line)


def behind_name(items: list[str]) -> tuple[int, str] | None:
    """How many items at the end of a list are a place, and which: `Kyiv, Ukraine`, `New York`; None for none."""
    if len(items) > 2 and is_country(items[-1]) and _may_be_city(items[-2]):
        return 2, f"{items[-2]}, {items[-1]}"
    if len(items) > 1 and " " in items[-1] and is_known_place(items[-1]):
        return 1, items[-1]
    return None


def _may_be_city(item: str) -> bool:
    words = item.split()
    return is_known_place(item) or (len(words) == 1 and CAPITAL_WORD.fullmatch(item) is not None)
