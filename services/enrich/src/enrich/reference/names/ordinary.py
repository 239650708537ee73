"""Ordinary words, by language: at the beginning of a sentence the capital of such a word says nothing."""

import functools
from collections.abc import Mapping
from importlib import resources

from enrich.reference.names.words import COMMON
from shared.remembered import remembered

OTHERS: Mapping[str, frozenset[str]] = {
    language: frozenset(words.split())
    for language, words in {
        "fr": """
            dans pour sur entre comme avec sans sous selon après avant depuis pendant orange tours tour lion lions nice bourg roche rochelle laval beau belle petit petite grand grande gros leblanc blanc blanche noir noire rouge vert verte brun brune roux rousse roy roi reine duc comte
            marche mars avril mai juin août été hiver automne printemps pierre pierres bois forêt champ champs prairie pont ponts porte portes maison mur murs fleur fleurs rose roses marguerite violette olive
            berger boulanger boucher meunier marchand marin pêcheur chasseur chevalier soldat garde garnier fabre lefebvre charpentier tailleur barbier chapelle château cour cours fontaine rivière lac mer montagne
            vallée plaine plage côte île port gare place rue chemin route source feu eau terre ciel lune soleil étoile vent neige pluie tempête glace loup renard ours cerf chat chien cheval mouton agneau poisson
            coq poule corbeau moineau merle rossignol perle diamant argent or fer plomb cuivre total free carrefour casino relais accord accor danone leclerc champion monde figaro libération croix parisien
            juste bon bonne bonnet camus sauvage hardy gentil joly sage moreau marine victoire espoir aurore clément constant constance prudence désiré aimé patience paix guerre valence vienne lens sens troyes
            caen angle angles essence hier aujourd'hui demain vitesse fort faible long court jeune vieux dernier premier nouveau avenir bleu bleus corbeau foret rivage marais moulin four village bourgeois franc
            granit pic pics cap monaco somme creuse landes ardennes vosges ain var gard lot loire eure orne manche nord
        """,
        "es": """
            podemos vamos juntos sumar ciudadanos como para entre sobre desde hasta según mientras cuando donde pero este esta granada león leon guerra blanco blanca rojo roja verde moreno rubio cano calvo delgado gordo bravo cortés fuertes leal bueno buena santos santo cruz cruces paz campo campos prado prados vega valle montes
            monte sierra peña piedra roca rocas ríos rio río rivera ribera mar mares costa costas playa isla puerto puente torre torres castillo casas casa palacio iglesia cuesta calle plaza fuente fuentes pozo arroyo
            laguna lagos flor flores rosa rosas azucena violeta oliva olivares naranjo manzano pino robles nogales palma palmas romero trigo mata matas ramos hierro plata oro plomo acero cobre cordero toro vaca
            caballero conde duque rey reyes reina príncipe infante guerrero soldado herrero zapatero pastor cabrera cazador pescador marino molina molino barbero sastre carpintero mercado escudero ballesteros
            mayo abril junio julio enero marzo domingo sábado lunes noche día mañana luna sol estrella cielo nieve lluvia viento fuego agua tierra luz consuelo dolores esperanza pilar mercedes remedios rosario
            soledad victoria gloria gracia concepción asunción encarnación amparo milagros caridad fe amor libertad justicia salvador ángel ángeles mérida mérito toledo cuenca burgos palencia vera soria
            vital telefónica repsol movistar mapfre meliá prisa marca as sur norte este oeste caracas limón paloma águila halcón gallo zorro lobo oso corona real vecino rueda barco banderas velázquez cabello cabezas
            barba ojeda delgada alegre feliz cuervo cuba chile panamá colón
        """,
        "it": """
            come per tra fra dopo prima quando dove secondo mentre ma questo questa celle celli lecce asti ora orta como lodi massa massi forte forlì prato prati rovigo siena trento terni vasto vita vitale rossi rosso rossa bianchi bianco bianca neri nero verdi verde bruno bruni grassi
            magri longo corti basso grande grandi piccolo piccoli leone leoni lupo lupi gatti gatto cane cani orso orsi volpe colombo colombi gallo galli merlo merli passeri falcone falco pesce agnello agnelli
            fontana fontane fiume fiumi lago laghi mare monte monti valle valli costa ponte ponti porta porto torre torri castello castelli chiesa palazzo piazza strada casa case campo campi bosco boschi selva serra
            fiore fiori rosa rose viola oliva ulivi pino pini melo mele pera mora moro mori re regina conte conti duca barone cavaliere cavalieri guerra guerrieri pace santi santo croce ferrari ferro ferri oro argento
            sarti sarto barbieri pastore pastori cacciatore marino marini villa ville mondo sole luna stella stelle cielo neve vento fuoco acqua terra terre maggio aprile giugno luglio agosto domenica sabato natale
            pasqua vittoria gloria grazia letizia gioia fede speranza libero repubblica stampa tempo unità manifesto foglio giorno corriere bari enna leva tirreno adriatico generali vodafone poste enel
            capitano sindaco segretario intesa unipol mediaset sole grillo parisi salvini renzi
        """,
        "pt": """
            como para entre sobre desde até segundo enquanto quando onde mas este esta natal rio rios porto portos campo campos costa costas lago lagos serra serras vale vales monte montes praia praias ilha ponte pontes torre casa casas castelo igreja praça rua fonte fontes rocha pedra pedras mata
            matos silva flor flores rosa rosas oliveira pereira figueira pinheiro carvalho ramos folha palma cordeiro coelho leão lobo raposo pinto galo pombo águia falcão peixe cavaleiro conde duque rei reis rainha
            guerreiro ferreiro sapateiro pastor moleiro barbeiro caçador marinho machado faria amado amaro amaral leal bom bela belo branco branca preto vermelho verde moreno louro calvo magro gordo curto longo
            vitória glória graça fé esperança luz paz guerra amor liberdade salvador natal fortaleza belém santos santo cruz espírito nascimento conceição assunção dores janeiro março abril maio junho julho agosto
            domingo sábado noite dia manhã lua sol estrela céu neve chuva vento fogo água terra ouro prata ferro aço vale vivo claro oi itaú natura globo folha estado correio público expresso palmas contagem feira
            recife ponta barra lagoa alegria sobral beja faro guarda braga leiria
        """,
        "nl": """
            berg bergen dijk bos bosch veld velden broek hoek hof molen water zee kust duin duinen meer rivier brug toren kerk kasteel huis poort straat weg dam haven markt bakker slager smid visser jager boer mulder
            molenaar kok kuiper schipper ridder koning keizer prins graaf hertog wit witte zwart zwarte bruin rood groot klein lang kort jong oud vos wolf haas leeuw beer hond kat vogel valk zwaan haan raaf vink
            bloem roos lelie tulp appel peer noot steen ijzer goud zilver zon maan ster wind sneeuw regen vuur aarde vrede vrijheid post trouw parool volkskrant delft goes hoorn ede best son lent oss heer heren
            kampen weert asten venlo assen gouden
        """,
        "de": """
            linde eiche buche tanne kiefer birke esche erle weide allianz bund bündnis gemeinschaft wende aufbruch linke grüne grünen freie union bild spiegel stern welt zeit tor tore sieg krieg frieden freiheit post bahn glück ehre treue gnade bauer bauern müller schmied fischer jäger metzger bäcker schäfer hirt richter
            könig kaiser herzog graf ritter fürst bischof papst pfarrer schwarz schwarze rot rote weiß weiße braun grün grau blau stark jung jünger alt alte neu neue reich arm frei fromm kraft ernst sommer winter
            herbst frühling morgen abend mai märz august sonntag montag freitag feld felder wiese busch baum bäume blume rose rosen lilie stein steine berge tal bach brunnen quelle see meer insel brücke turm
            burg schloss kirche kloster haus häuser tür mauer gasse straße platz ufer strand hafen mühle essen hagen hof halle hamm moers siegen bingen worms ulm aalen regen rosenheim plauen weiden leer
            gießen fulda lahn singen baden wesel fürth hirsch bär löwe adler falke hahn gans hase igel specht vogel vögel krebs lamm pferd gold silber eisen stahl sonne mond sterne himmel wind sturm schnee
            blitz donner feuer wasser erde eis hammer nagel sauer süß kern kohl kraut salz pfeffer brot bär wurst engel teufel gott held helden
        """,
        "pl": """
            piła łódź hel sopot zając wilk lis kot kos gołąb sowa sikora kruk orzeł sokół baran kozioł król książę hetman kowal młynarz rybak góra góry las pole rzeka most zamek kościół dom kamień róża kwiat lipiec maj
            sierpień luty wrzesień pokój wolność nadzieja wiara miłość słońce księżyc gwiazda śnieg deszcz wiatr ogień woda ziemia złoto srebro żelazo biały czarny czerwony mały wielki młody stary play orange
        """,
        "ru": """
            мир орёл орел тула лев волк медведь заяц соловей воробей голубь сокол ворон король князь граф царь кузнец мельник рыбак гора горы лес поле река мост замок дом камень роза цветок май март август победа
            свобода надежда вера любовь слава солнце луна звезда снег дождь ветер огонь вода земля золото серебро железо белый черный красный малый большой молодой старый правда труд заря искра восток запад север
            спартак магнит яблоко сбер связной лента лукойл вертолёт
        """,
    }.items()
}
"""Of other languages those that people, places and companies are called by, too."""
PLURALS = {"es": "s", "pt": "s", "fr": "sx"}
GERMAN_ENDINGS = ("n", "en", "e", "s", "es", "er", "ern")
ENDINGS = (("ies", "y"), ("es", ""), ("s", ""), ("ing", ""), ("ing", "e"), ("ed", ""), ("ed", "e"))


@functools.cache
def _english() -> frozenset[str]:
    """The common words of English without their regular forms: of SCOWL, whose copyright notice is in the service's README."""
    return frozenset(resources.files("enrich").joinpath("data/english_words.txt").read_text("utf-8").split())


@remembered(16_384, 100)
def is_ordinary(word: str, language: str) -> bool:
    """Whether a word in small letters is an ordinary one, too; a language that is not known is taken for English."""
    if word in COMMON and language in ("en", "und", "de"):
        return True
    if language not in ("en", "und"):
        words = OTHERS.get(language, frozenset())
        if language in PLURALS and word[-1:] in PLURALS[language] and word[:-1] in words:
            return True
        return word in words or (
            language == "de" and any(word.removesuffix(ending) in words for ending in GERMAN_ENDINGS)
        )
    return word in _english() or any(
        word.endswith(ending) and word[: -len(ending)] + rest in _english() for ending, rest in ENDINGS
    )
