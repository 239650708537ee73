"""What happened, in several languages: words of events by their kind, numbers, and names of places that each language spells its own way."""

import re

from enrich.reference.dictionary import folded

KINDS: dict[str, str] = {
    "death": "dead dies died dying death killed kill kills killing fatal tote tot tödlich starb gestorben getötet ums mort morts tués tué mortel décès décédé muerto muertos mueren murió muere muertes morti morto uccisi mortos morreu doden dood",
    "crash": "crash crashes crashed collision collide collides collided plunges plunge plunged overturned derailed derails unfall zusammenstoß abgestürzt absturz entgleist kollision accident collision écrasement déraillé accidente choque estrellado descarriló incidente scontro barranco ravin",
    "fire": "fire fires blaze blazes burn burns burned gutted feuer brand brannte flammen incendie feu flammes incendio fuego llamas fogo",
    "quake": "earthquake quake magnitude tremor aftershock erdbeben beben stärke séisme tremblement terremoto sismo magnitud",
    "flood": "flood floods flooded flooding burst inundated hochwasser überschwemmung überflutet inondation inondations crue inundación inundaciones alluvione enchente",
    "storm": "storm hurricane cyclone typhoon tornado gale gales sturm orkan unwetter tempête ouragan cyclone tormenta huracán tempestade",
    "collapse": "collapse collapses collapsed gave einsturz eingestürzt stürzt effondrement effondrée derrumbe colapso crollo",
    "strike": "strike strikes walkout walk striking dockers streik streiken niedergelegt grève huelga paro sciopero greve",
    "attack": "attack attacks attacked gunmen bomb bombing bombs blast explosion shooting shot fire opened angriff anschlag bombe schüsse explosion attentat attaque attaqué fusillade ataque atentado tiroteo bomba attacco sparatoria",
    "arrest": "arrest arrested arrests detained detain held custody suspect festnahme festgenommen verhaftet verdächtig arrêté arrestation suspect détenu detenido detienen arresto arrestato preso",
    "court": "court trial sentenced jailed jail prison verdict guilty convicted judge appeal charges urteil verurteilt gericht prozess haft gefängnis tribunal condamné procès prison condenado condenan juicio prisión cárcel condannato processo",
    "resign": "resign resigns resigned resignation quits quit steps stepped down zurückgetreten rücktritt tritt zurück démission démissionne dimite dimisión renuncia dimissioni demissão",
    "elect": "election elections elected re-elects wins vote votes voters ballot polls term wahl wahlen gewählt wiedergewählt élection élections élu réélu scrutin elecciones elegido reelegida reelegido votos elezioni eletto eleição",
    "talks": "talks agree agreed agreement deal treaty accord sign signed verhandlungen einigen einigung abkommen vertrag accord négociations traité acuerdo negociaciones tratado accordo",
    "rates": "rate rates interest inflation central leitzins zinsen notenbank zentralbank inflation taux directeur banque inflation tipos tasa interés inflación tassi",
    "merger": "buy buys acquire acquires takeover merger bid übernimmt übernahme kauft fusion rachète rachat acquisition compra adquiere fusión acquista",
    "results": "profit profits revenue quarterly earnings results gewinn umsatz quartal bénéfice chiffre trimestre beneficio ingresos utile",
    "shares": "shares stocks index traders analysts aktien börse kurse actions bourse acciones bolsa azioni borsa",
    "recall": "recall recalls recalled calling calls back rückruf ruft zurück rappel rappelle retira retirada richiamo",
    "rescue": "rescued rescue rescuers missing winched search gerettet vermisst rettung secourus sauvetage disparus disparu rescatados desaparecidos soccorsi",
    "free": "freed free released release releases captivity kidnappers kidnapped frei freigelassen entführt libéré libérée otage liberado liberada secuestrada liberato",
    "sport": "beat beats win won goal goals final semi-final match penalties cup scored draw sieg siegt tor finale spiel victoire but demi-finale victoria gol partido vittoria",
    "launch": "launch launched rocket orbit satellites lifts rakete gestartet start fusée lancement cohete lanzamiento",
    "ban": "ban bans banned forbid prohibit verbietet verbot interdit interdiction prohíbe prohibición vieta",
    "theft": "theft stolen stealing robbery thieves diebstahl gestohlen kunstraub vol volé robo robado furto",
    "sink": "sinks sank sunk aground adrift capsized wreck gesunken sinkt gekentert naufrage coulé naufragio hundido",
    "open": "opens open opened opening reopened eröffnet öffnet ouvre inaugure abre inaugura apre",
    "protest": "protest protests protesters demonstrators rally march protest demonstranten manifestation manifestants protesta manifestantes",
    "birth": "born birth twins cubs geboren geburt naissance nés nacimiento nacidos",
    "pass": "passes passed approves approved adopts parliament verabschiedet beschließt adopte adopté aprueba aprobado approva",
}
"""Of the events that agencies report most, the words that lead them. A word of several kinds counts for each."""

EXONYMS = """
germany deutschland allemagne alemania germania alemanha duitsland | france frankreich francia frança frankrijk | spain spanien espagne españa spagna espanha | italy italien italie italia itália
austria österreich autriche | switzerland schweiz suisse suiza svizzera suíça | russia russland russie rusia russland rússia россия | ukraine ucrania ucraina ucrânia украина | poland polen pologne polonia polska
turkey türkei turquie turquía turchia türkiye | greece griechenland grèce grecia | sweden schweden suède suecia svezia suécia | norway norwegen norvège noruega norvegia | denmark dänemark danemark dinamarca danimarca
finland finnland finlande finlandia | netherlands niederlande | belgium belgien belgique bélgica belgio | britain großbritannien bretagne bretaña | england angleterre inglaterra inghilterra | scotland schottland écosse escocia scozia
ireland irland irlande irlanda | hungary ungarn hongrie hungría ungheria | romania rumänien roumanie rumanía | egypt ägypten égypte egipto egitto | morocco marokko maroc marruecos marocco | algeria algerien algérie argelia
syria syrien syrie siria | iraq irak | lebanon libanon liban líbano libano | israel israël israele | jordan jordanien jordanie jordania | china chine cina | japan japon japón giappone | india indien inde
brazil brasilien brésil brasil brasile | mexico mexiko mexique méxico messico | chile chili cile | peru pérou perú | usa états-unis | sudan soudan sudán | libya libyen libye libia | ethiopia äthiopien éthiopie etiopía
moscow moskau moscou moscú mosca москва | kyiv kiew kiev киев київ | warsaw warschau varsovie varsovia | prague prag praga | vienna wien vienne viena | rome rom roma | milan mailand milano milán | venice venedig venise venecia venezia
naples neapel napoli nápoles | turin torino turín | florence florenz firenze florencia | munich münchen múnich monaco | cologne köln colonia | brussels brüssel bruxelles bruselas | antwerp antwerpen anvers amberes
copenhagen kopenhagen copenhague | athens athen athènes atenas atene | lisbon lissabon lisbonne lisboa | london londres londra | paris parís parigi | geneva genf genève ginebra ginevra | zurich zürich zúrich zurigo
beijing peking pékin pekín pechino | tokyo tokio | cairo kairo caire | damascus damaskus damas damasco | beirut beyrouth | jerusalem jérusalem jerusalén | baghdad bagdad | tehran teheran téhéran teherán
lisbon lisboa lissabon lisbonne | seville sevilla séville | cordoba córdoba cordoue | tbilisi tbilissi tiflis tiflis | yerevan eriwan erevan ereván | baku bakou bakú | belgrade belgrad belgrado | bucharest bukarest bucarest | sofia sofía
stockholm estocolmo stoccolma | helsinki helsinque | hamburg hambourg hamburgo amburgo | dresden dresde | frankfurt francfort fráncfort francoforte | strasbourg straßburg estrasburgo | marseille marsella marsiglia | nice nizza niza
crete kreta crète creta | sicily sizilien sicile sicilia | sardinia sardinien sardaigne cerdeña sardegna | bavaria bayern bavière baviera | crimea krim crimée | gaza gazastreifen | istanbul estambul | ankara
armenia armenien arménie | azerbaijan aserbaidschan azerbaïdjan azerbaiyán azerbaigian | georgia georgien géorgie gruzija | kazakhstan kasachstan | belarus weißrussland biélorussie bielorrusia | moldova moldau moldavie
serbia serbien serbie | croatia kroatien croatie croacia croazia | slovenia slowenien slovénie eslovenia | slovakia slowakei slovaquie eslovaquia | czechia tschechien tchéquie chequia cechia | bulgaria bulgarien bulgarie | albania albanien albanie
estonia estland estonie | latvia lettland lettonie letonia | lithuania litauen lituanie lituania | iceland island islande islandia | cyprus zypern chypre chipre cipro | tunisia tunesien tunisie túnez | kenya kenia | nigeria nigéria
senegal sénégal | mali malí | congo kongo | rwanda ruanda | somalia somalie | afghanistan afganistán | pakistan pakistán | iran irán | yemen jemen yémen | saudi saudi-arabien saoudite saudí | philippines philippinen filipinas filippine
thailand thaïlande tailandia | vietnam viêtnam | korea corée corea südkorea nordkorea | taiwan taïwan taiwán | indonesia indonesien indonésie | malaysia malaisie malasia | australia australien australie | canada kanada canadá
argentina argentinien argentine | colombia kolumbien colombie | venezuela vénézuéla | cuba kuba | haiti haïti haití | ecuador équateur | bolivia bolivien bolivie | south-africa südafrika sudafrica sudáfrica
germany german deutsche deutscher deutschen deutsches allemand allemande alemán alemana tedesco tedesca alemão | france french französische französischer französischen français française francés francesa francese
italy italian italienische italienischer italienischen italienne italiano italiana | spain spanish spanische spanischer spanischen espagnol espagnole español española spagnolo espanhol | britain british britische britischer britischen britannique británico británica britannico
russia russian russische russischer russischen russe ruso rusa russo | ukraine ukrainian ukrainische ukrainischer ukrainischen ukrainien ukrainienne ucraniano ucraniana ucraino | turkey turkish türkische türkischer türkischen turc turque turco turca
greece greek griechische griechischer griechischen grec grecque griego griega greco | poland polish polnische polnischer polnischen polonais polonaise polaco polaca polacco | israel israeli israelische israelischer israelischen israélien israélienne israelí
china chinese chinesische chinesischer chinesischen chinois chinoise chino cinese | sweden swedish schwedische schwedischer schwedischen suédois suédoise sueco sueca svedese | denmark danish dänische dänischer dänischen danois danoise danés danesa danese
europe europa | africa afrika afrique áfrica | asia asien asie | mediterranean mittelmeer méditerranée mediterráneo | baltic ostsee baltique báltico | un uno onu | nato otan | eu ue
"""
NUMBERS = {
    "two": 2, "zwei": 2, "deux": 2, "dos": 2, "due": 2, "dois": 2, "three": 3, "drei": 3, "trois": 3, "tres": 3, "tre": 3, "três": 3, "four": 4, "vier": 4, "quatre": 4, "cuatro": 4, "quattro": 4,
    "five": 5, "fünf": 5, "cinq": 5, "cinco": 5, "cinque": 5, "six": 6, "sechs": 6, "seis": 6, "sei": 6, "seven": 7, "sieben": 7, "sept": 7, "siete": 7, "sette": 7, "eight": 8, "acht": 8, "huit": 8, "ocho": 8, "otto": 8,
    "nine": 9, "neun": 9, "neuf": 9, "nueve": 9, "nove": 9, "ten": 10, "zehn": 10, "dix": 10, "diez": 10, "dieci": 10, "eleven": 11, "elf": 11, "onze": 11, "once": 11, "undici": 11, "twelve": 12, "zwölf": 12, "douze": 12, "doce": 12,
    "dozen": 12, "twenty": 20, "zwanzig": 20, "vingt": 20, "veinte": 20, "hundreds": 100, "thirty": 30, "dreißig": 30, "trente": 30, "treinta": 30,
}  # fmt: skip
NUMBER = re.compile(r"(?<![\w.,])(?:\d{1,3}(?:[.,\u00a0\u202f ]\d{3})+(?![\d])|\d+(?:[.,]\d+)?(?!\w))")
YEARS = re.compile(r"(?:19|20)\d\d")


def numbers_of(text: str) -> frozenset[str]:
    """The numbers of a text, as digits or words, in one spelling: `1,200`, `1.200` and `1200` are one; years say little and are left out."""
    found = {str(NUMBERS[word]) for word in NUMBERS.keys() & folded(text).split()}
    found.update(_plain(token) for token in NUMBER.findall(text) if not YEARS.fullmatch(token))
    return frozenset(found)


def _plain(token: str) -> str:
    digits = re.sub(r"[.,\u00a0\u202f ](?=\d{3}(?:\D|$))", "", token)
    whole, _, part = digits.replace(",", ".").partition(".")
    part = part.rstrip("0")
    return f"{int(whole[:30])}.{part}" if part else str(int(whole[:30]))
