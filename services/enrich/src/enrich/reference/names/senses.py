"""Words that are names and other things as well, by the words that go with those: the Amazon has forests, visas are for students."""

import re
from collections.abc import Mapping

from shared.remembered import remembered

SENSES: Mapping[str, str] = {
    "amazon": "rainforest forests? deforestation river basin jungle tribes? indigenous brazil peru loggers?",
    "apple": "orchards? growers? harvest cider pie juice fruit trees? pickers? crumble",
    "ball": r"gowns? kick(?:ed)? dancers? waltz debutantes?",
    "blackberry": "bushes jam fruit pickers?",
    "block": "streets? flats apartments tower",
    "boots": "muddy soldiers? ground hiking leather laces",
    "boss": "union mafia crime gang",
    "bosch": "hieronymus painter painting triptych altar",
    "buffalo": "herds? wings mozzarella bison meat graz(?:e|ing)",
    "caterpillar": r"butterfl\w+ moths? lea(?:f|ves) garden",
    "champagne": "bottles? glass(?:es)? toast(?:s|ed)? corks? flutes?",
    "chase": "police car pursuit suspect driver officers fled",
    "china": "porcelain plates? cups? tea shop cabinet teapot",
    "coach": "passengers driver road crash touring season team match",
    "cologne": "bottle scent perfume aftershave",
    "continental": "breakfast shelf drift divide",
    "corona": r"virus \w*cases infections? infektion\w* pandemi\w* lockdown\w* covid vaccin\w* impf\w* tests? testpflicht regeln casos casi cas crisis krise krone",
    "delta": "variant river mekong niger nile covid marsh",
    "diesel": "cars? engines? fuel prices litre fumes ban",
    "discord": "sow sowed among between",
    "dove": "bird birds peace white released",
    "eagle": "nest eggs? bird birds wings? hole talons?",
    "ford": "river stream crossing",
    "fox": "cubs? den wildlife hunting hunt fur rabies hens? urban",
    "gap": "pay gender wage attainment trade funding generation widen(?:s|ed)? narrow(?:s|ed)? between",
    "globe": "around warming",
    "guess": "anyone who what",
    "jaguar": r"zoo jungle wild cub cubs cats? big\scat rainforest",
    "java": "coffee code developers programming",
    "jordan": "shoes? sneakers?",
    "kraken": "tales? myth sea monster sailors squid",
    "lincoln": "abraham memorial assassinat(?:ed|ion) gettysburg emancipation",
    "mars": "planet planets rover rovers nasa orbit orbiter spacecraft probe astronauts? astronomers? mission surface crater lander meteorite",
    "match": "strike box stick cup league team",
    "mercury": "planet thermometer poisoning fish degrees orbit celsius fahrenheit",
    "meta": "analysis verse physical",
    "mini": "bar skirt series budget",
    "mirror": "wing bathroom broken glass",
    "monster": "loch lake hunt sea",
    "next": r"week month year time in\sline steps? day",
    "nike": "missiles? goddess temple statue acropolis samothrace",
    "opera": "singers? house lovers soprano tenor aria composer scala conductor verdi puccini",
    "oracle": "delphi prophecy ancient temple",
    "orange": "juice peel alert vigilance orages jus colour color trees? groves?",
    "phoenix": "ashes mythical bird rises",
    "polo": "hor?ses? pon(?:y|ies) shirts? players? mallet water vw volkswagen",
    "puma": "zoo wild cat cats cub escaped sighting sightings",
    "reading": "books? literacy pupils children scores glasses aloud classes",
    "rio": "margens afluente nível enchente cauce caudal",
    "saturn": "planet rings nasa orbit moons?",
    "shell": "beach egg artillery mortar turtle oyster crater fragments wounded fired",
    "signal": "traffic rail radio failure lights? strong clear",
    "sky": "clear night stars blue clouds? overcast",
    "slack": "rope tide rules jaws",
    "smart": "phones? meters? homes? watch city",
    "snap": "election poll cold",
    "sprint": "champion final medal race hurdles metres athlete",
    "square": "town public main st times red feet metres meters",
    "stripe": "zebra flag",
    "subway": "stations? riders? trains? lines? tracks? commuters? platform metro transit",
    "sun": "rise set shine spots solar cream burn eclipse rays",
    "target": "practice missile strikes? moving air inflation emissions climate",
    "tesla": "nikola coil inventor serbian",
    "total": "eclipse of number sum war",
    "turkey": "dinner thanksgiving roast cranberry poultry stuffing meat birds? gobbl\\w+ trot breast sandwich flocks? farms?",
    "virgin": "mary olive forest birth",
    "visa": "students? tourists? embassy entry permit immigration applicants? applications? waiver rules consulate schengen",
    "x": "ray rays chromosome",
    "zoom": "lens camera in",
}

OF_PLACES = frozenset(
    ("buffalo", "champagne", "china", "cologne", "java", "jordan", "orange", "phoenix", "reading", "rio", "turkey")
)
"""Of these words those that are places; the planets of that name are places themselves."""


@remembered(256, 100)
def _pattern(word: str) -> re.Pattern[str] | None:
    said = SENSES.get(word)
    return re.compile(rf"(?<![^\W\d_])(?:{'|'.join(said.split())})(?![^\W\d_])", re.IGNORECASE) if said else None


def is_in_another_sense(word: str, said: tuple[str, str]) -> bool:
    """Whether the words around one that is a name and something else are those of the other thing."""
    pattern = _pattern(word)
    return pattern is not None and any(pattern.search(part) is not None for part in said)
