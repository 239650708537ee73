"""What the rest of a sentence says of the kind of thing that it speaks of: companies have shares, towns have mayors, clubs have scores."""

import re
from collections.abc import Mapping

WIDTH = 160
"""Characters on either side within which the sentence is looked at."""
CUES: Mapping[str, re.Pattern[str]] = {
    kind: re.compile(rf"(?<![^\W\d_])(?:{'|'.join(words.split())})(?![^\W\d_])", re.IGNORECASE)
    for kind, words in {
        "organisation": r"""
            compan(?:y|ies) firms? conglomerate banks? retailer grocer supermarkets? chain brand \w*maker manufacturer brewer brewery broadcaster airline carrier lender insurer drugmaker chipmaker startup start-up app platform operator
            network publisher studio label shares? stock shareholders? investors? profits? revenues? earnings turnover sales dividend ceo cfo chief\sexecutive founder subsidiary takeover merger ipo nasdaq antitrust franchise
            customers users subscribers employees staff workers workforce layoffs stores outlets bankruptcy brands goods\sgroup maker giant corp inc plc ltd
            konzern unternehmen firma \w*hersteller \w*konzern kette händler anbieter aktien? aktionäre umsatz gewinn quartal tochter filialen mitarbeiter beschäftigte kunden partei fraktion parteitag
            groupe entreprise société firme opérateur fabricant distributeur enseigne marque bénéfice action actions actionnaires salariés clients filiale pdg parti
            empresa compañía grupo fabricante cadena marca acciones accionistas beneficio beneficios ventas ingresos filial clientes empleados partido
            azienda società gruppo produttore catena marchio azioni utile utili ricavi vendite dipendenti clienti partito
            fabricante lucro ações receita vendas funcionários clientes empresa
            bedrijf concern keten winst omzet aandelen klanten werknemers partij
            компания акции прибыль выручка
        """,
        "place": r"""
            mayor city town village hamlet suburb residents locals inhabitants neighbou?rhood streets? downtown airport region province district capital border island coast government troops army foreign\sministry embassy parliament
            stadt stadtrat oberbürgermeister bürgermeister(?:in)? einwohner landkreis gemeinde dorf ort innenstadt hauptbahnhof region
            ville maire commune habitants village rue préfecture préfet département région agglomération
            ciudad alcaldes?a? alcalde pueblo municipio vecinos barrio provincia ayuntamiento calles capital
            città sindac[oa] comune paese abitanti residenti provincia quartiere
            cidade prefeit[oa] prefeitura município bairro moradores estado capital
            stad burgemeester gemeente inwoners dorp wijk
            город мэр мэрия жители область
        """,
    }.items()
}
SCORE = re.compile(r"(?<![\d.,:-])\d{1,3} ?[-–:] ?\d{1,3}(?![\d.,:-]\d|-)(?! ?(?:Uhr|[ap]\.?m|percent|%))")
SPORTS = re.compile(
    r"(?<![^\W\d_])(?:goals?|league|cup|season|coach|manager|striker|midfielder|goalkeeper|match|title|play-?offs?|penalt(?:y|ies)|hat-trick|innings|touchdowns?|half-time|"
    r"(?:quarter|semi)-?finals?|derby|tier|relegat(?:ed|ion)|promotion|bundesliga|ligue|serie a|la ?liga|nba|nhl|nfl|mlb|trainer|tor|tore|saison|spiel|pokal|entraîneur|but|buts|match|coupe|gol|goles|"
    r"entrenador|partido|liga|allenatore|partita|campionato|scudetto|jogo|técnico|campeonato|game|games|race|lap|series|third|fourth|fifth|sixth|seventh)(?![^\W\d_])",
    re.IGNORECASE,
)
ENDS = (". ", "! ", "? ", "\n", "; ")


def sentence(whole: str, start: int, end: int) -> tuple[str, str]:
    """What stands before and behind a place in its sentence."""
    before, behind = whole[max(0, start - WIDTH) : start], whole[end : end + WIDTH]
    begin = max(before.rfind(each) for each in ENDS)
    stops = [at for at in (behind.find(each) for each in ENDS) if at >= 0]
    return before[begin + 1 :] if begin >= 0 else before, behind[: min(stops)] if stops else behind


def speaks_of(kind: str, said: tuple[str, str]) -> bool:
    """Whether the words around a name are those that go with that kind of thing."""
    cues = CUES.get(kind)
    return cues is not None and any(cues.search(part) is not None for part in said)


def is_scored(said: tuple[str, str]) -> bool:
    """Whether a sentence tells a result."""
    return any(SCORE.search(part) is not None for part in said)


def is_of_sport(said: tuple[str, str]) -> bool:
    """Whether a sentence is about a match."""
    return is_scored(said) or any(SPORTS.search(part) is not None for part in said)
