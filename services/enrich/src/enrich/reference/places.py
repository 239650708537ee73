"""Countries, large states and large cities of the world, in small plain letters, by some of their names in other languages too."""

COUNTRIES = frozenset(
    name.strip()
    for name in """
    samoa, tonga, vanuatu, palau, nauru, kiribati, tuvalu, micronesia, marshall islands, solomon islands, papua new guinea, timor leste, east timor, comoros, cape verde, equatorial guinea, guinea bissau,
    central african republic, dominican republic, dominica, saint lucia, trinidad and tobago, antigua, seychelles, san marino, vatican, curacao, faroe islands, gibraltar, holland, czech republic, schottland, irland,
    norwegen, schweden, danemark, finnland, ungarn, tschechien, kroatien, serbien, belgien, agypten, marokko, japon, chine, bresil, mexique, maroc, algerie, tunisie, egypte, irlande, suede, norvege, hongrie, marruecos, argelia, japon, suecia,
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
