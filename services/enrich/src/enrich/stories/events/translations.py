"""Words of news in English, German, French, Spanish, Italian, Portuguese and Dutch, and the adjectives of countries: what stands between two bars is one word to us, called by its first."""

TRANSLATIONS = """
train trains zug züge bahn tgv tren trenes treno treni comboio | bus buses coach autobús autobuses autobus autocar reisebus pullman | car cars auto autos voiture voitures coche coches macchina carro
lorry lorries truck trucks lkw lastwagen camion camions camión camiones | plane planes aircraft airplane airliner flugzeug avion avions avión aviones aereo velivolo avião | helicopter hubschrauber helikopter hélicoptère helicóptero elicottero
ship ships vessel schiff frachter navire bateau barco buque nave navio | boat boats boot boote embarcation barca lancha | ferry ferries fähre traghetto transbordador | tram tramway straßenbahn tranvía
airport flughafen aéroport aeropuerto aeroporto | station bahnhof gare estación stazione | port harbour harbor hafen puerto porto | rail railway eisenbahn ferroviaire ferroviario ferrovia
school schools schule schulen école écoles escuela escuelas colegio scuola scuole | hospital hospitals krankenhaus klinik hôpital ospedale | university universität université universidad università
church kirche église iglesia chiesa | cathedral dom cathédrale catedral duomo cattedrale | museum museums musée museo | library bibliothek bibliothèque biblioteca | hotel hôtel | theatre theater théâtre teatro | market markt marché mercado mercato
bridge brücke pont puente ponte passerelle | tunnel túnel galleria | road roads street straße route rue carretera calle strada | motorway autobahn autoroute autopista autostrada | house houses home homes haus häuser maison maisons casa casas
building buildings gebäude immeuble bâtiment edificio edificios palazzo | prison gefängnis haft cárcel prisión carcere prigione jail jailed | factory fabrik werk usine fábrica fabbrica | mine bergwerk mina miniera
river fluss rivière fleuve río fiume | lake lac lago | mountain mountains berg montagne montaña montagna | island insel île isla isola ilha | coast küste côte costa | forest wald forêt bosque foresta | beach strand plage playa spiaggia
mayor bürgermeister bürgermeisterin oberbürgermeister oberbürgermeisterin maire alcalde alcaldesa sindaco sindaca | king könig roi rey | queen königin reine reina regina | pope papst pape papa | president präsident präsidentin président présidente presidente
minister ministerin ministre ministro ministra | government regierung gouvernement gobierno governo | parliament parlament parlement parlamento bundestag | police polizei policía polizia | army armee militär armée ejército esercito | council rat conseil consejo consiglio
bank banken banque banco banca | banker bankier banquier banquero banchiere | company konzern unternehmen entreprise société empresa azienda società | union gewerkschaft syndicat sindicato sindacato | worker workers employees beschäftigte arbeiter salariés employés trabajadores lavoratori
teacher teachers lehrer lehrerin enseignant enseignants profesor profesores insegnante insegnanti | student students pupils schüler studenten élèves étudiants alumnos estudiantes studenti alunni | doctor doctors arzt ärzte médecin médecins médico médicos medico medici
soldier soldiers troops soldat soldaten soldats soldados soldati | driver drivers fahrer chauffeur chauffeurs conductor conductores autista autisti | farmers bauern landwirte agriculteurs agricultores agricoltori | fishermen fischer pêcheurs pescadores pescatori
actor actress schauspieler schauspielerin acteur actrice attore attrice actriz | singer sänger sängerin chanteur chanteuse cantante | writer novelist author schriftsteller schriftstellerin autor autorin écrivain romancier romancière escritor escritora scrittore scrittrice
engineer engineers ingenieur ingenieure ingénieur ingénieurs ingeniero ingenieros ingegnere ingegneri | journalist journalists journalisten journaliste journalistes periodista periodistas giornalista giornalisti | tourists touristen touristes turistas turisti
film movie película | book buch livre libro | painting gemälde tableau cuadro dipinto quadro | prize award preis prix premio | record rekord | festival | album | novel roman novela romanzo
tax steuer impôt taxe impuesto tassa | budget haushalt presupuesto bilancio | law gesetz loi ley legge | water wasser eau eaux agua aguas acqua acque | electricity strom électricité electricidad elettricità | oil öl pétrole petróleo petrolio | fuel kraftstoff carburant carburante combustible
snow schnee neige nieve neve | rain rains regen pluie pluies lluvia lluvias pioggia piogge | fog nebel brouillard niebla nebbia | heat heatwave hitze hitzewelle canicule chaleur calor caldo | ice eis glace hielo ghiaccio | drought dürre sécheresse sequía siccità
avalanche lawine alud valanga | volcano vulkan volcan volcán vulcano | landslide erdrutsch glissement deslizamiento frana | dog hund chien perro cane | wolf loup lobo lupo | bear bär ours oso orso | lion löwe león leone
vaccine impfung impfstoff vaccin vacuna vaccino | disease krankheit maladie enfermedad malattia | drugs drogen drogue droga droghe | cocaine kokain cocaïne cocaína cocaina | weapons waffen armes armas armi | gold | diamonds diamanten diamants diamantes diamanti
border grenze frontière frontera confine | migrants migranten migrantes migranti | refugees flüchtlinge réfugiés refugiados rifugiati | passengers passagiere fahrgäste passagers pasajeros passeggeri passageiros | victims opfer victimes víctimas vittime
injured hurt wounded verletzt verletzte blessé blessés blessée heridos herido feriti ferito feridos | missing vermisst vermisste vermissten disparu disparus portées desaparecidos dispersi | kidnap kidnapped seize seized abducted entführt entführung enlevé enlevés enlèvement secuestrados secuestran rapiti rapito
stolen steal thieves gestohlen stehlen diebe volé volés voleurs robado roban ladrones rubato rubata rubati ladri | fraud betrug escroquerie fraude estafa truffa | murder murdered mord meurtre assassinat asesinato omicidio | bribes bribery bestechung korruption corruption soborno corrupción corruzione tangenti
inquiry investigation ermittlungen enquête investigación inchiesta indagine | suspect verdächtiger sospechoso sospettato | gunmen armed bewaffnete armés hombres armati | hostage hostages geisel geiseln otage otages rehén rehenes ostaggio ostaggi
strike strikes striking streik streiken grève huelga sciopero greve | champion meister campeón campione | trainer entraîneur entrenador allenatore | football fußball fútbol calcio | league liga ligue | swimming schwimmen stadtbad schwimmbad piscine piscina pool
satellite satellites satellit satelliten satélite satélites satelliti | rocket rakete fusée cohete razzo | moon mond lune luna | nuclear atomkraft nucléaire nucleare | peace frieden paix paz pace | truce ceasefire waffenruhe trêve tregua | sanctions sanktionen sanciones sanzioni
children kinder enfants niños bambini | couple paar pareja coppia | baby säugling bébé bebé neonato | twins zwillinge jumeaux gemelos gemelli | daughter tochter fille hija figlia | son sohn fils hijo figlio
rate rates leitzins zins zinsen taux tasa tipos tasso tassi | cut cuts lower lowers lowering senkt senken gesenkt réduit abaisse abaissé recorta rebaja taglia | raise raises raised erhöht relève relevé augmente sube aumenta alza | growth wachstum croissance crecimiento crescita
unemployment jobless arbeitslosigkeit chômage desempleo disoccupazione | inflation teuerung inflación inflazione | trade handel commerce comercio commercio | prices preise precios prezzi | merge merger fusion fusionieren fusionan fusionne fusión fusione
derail derails derailed entgleist entgleisen déraille déraillé descarrila descarrilado deraglia deragliato | quake earthquake tremor erdbeben beben séisme sismo terremoto temblor | flood floods flooded hochwasser überschwemmung crue crues inondé inondation inondations inondées inundación inundaciones alluvione
found gefunden retrouvé retrouvée retrouvés encontrado encontrados hallados trovato trovati | rescued rescue gerettet secourus sauvés rescatados salvati soccorsi | alive lebend vivant vivants vivos vivi
sign signs signed unterzeichnet unterzeichnen signé signent signe firma firman firmado firmato | pact treaty accord agreement abkommen vertrag traité acuerdo tratado accordo trattato | summit gipfel sommet cumbre vertice
explosion blast explosión esplosione explosão | chemical chemie chimique chimiques química químico chimico chimica chemiewerk | plant planta impianto anlage | refinery raffinerie refinería raffineria | gas gaz | tanker pétrolier petrolero petroliera | cable kabel câble pipeline
nurse nurses pflegekräfte pflegekraft infirmiers infirmières infirmier enfermeros enfermeras infermieri infermiere | miners bergleute mineurs mineros minatori | operators operarios operai operaio ouvriers ouvrier obreros arbeiter operário | firefighters feuerwehr feuerwehrleute pompiers bomberos pompieri
knife messer couteau cuchillo coltello stabbed stabbing apuñalado poignardé accoltellato | insolvency insolvenz insolvent faillite bankruptcy quiebra insolvenza bancarotta | exports ausfuhren exporte exportations exportaciones esportazioni | imports einfuhren importe importations importaciones importazioni
damaged beschädigt beschädigten beschädigte endommagé endommagés dañado dañadas danneggiato danneggiati | destroyed zerstört détruit détruite destruido destruida distrutto distrutta | evacuated evakuiert évacués évacuées evacuados evacuadas evacuati | closed shut geschlossen gesperrt fermé fermée cerrado cerrada chiuso chiusa
furniture möbel möbelhändler meubles muebles mobili | shops stores läden filialen magasins tiendas negozi | jobs arbeitsplätze stellen emplois empleos posti | wages pay löhne lohn salaires salarios salari stipendi | pension pensions rente renten retraites pensiones pensioni
poet dichter dichterin poète poétesse poeta poetessa | photographer fotograf photographe fotógrafo fotografo | director regisseur réalisateur directora regista | winner sieger siegerin vainqueur ganador vincitore vincitrice | downhill abfahrt descente descenso discesa | cycling radsport cyclisme ciclismo | skiing ski esquí sci
cows kühe vaches vacas mucche | birds vögel oiseaux aves pájaros uccelli | fish fische poissons peces pesci | whale wal baleine ballena balena | elephant elefant éléphant elefante | tiger tigre
ministry ministerium ministère ministerio ministero | opposition oposición opposizione | senate senat sénat senado senato | treasury finanzministerium | ambassador botschafter ambassadeur embajador ambasciatore | embassy botschaft ambassade embajada ambasciata | spy spion espion espía spia | drone drones drohne drohnen dron droni | missile missiles raketen misiles missili
outage panne apagón blackout stromausfall coupure | breakdown störung avería guasto | network netz réseau red rete | customers kunden clients clientes clienti | internet | software | bankrupt
resign resigns resigned resignation quit quits zurückgetreten rücktritt zurücktreten démission démissionne démissionné dimite dimisión dimitido dimissioni dimette demissão demite aftreden afgetreden ontslag
appoint appoints appointed names named ernannt ernennt berufen nommé nomme nommée nomina nombra nombrado nombrada designado nominato nomeado nomeia benoemd benoemt
dismiss dismisses dismissed sacks sacked fires fired ousts ousted entlassen entlässt abberufen limogé limogée limoge remercié révoqué destituido destituye cesado cesa despide licenziato rimosso sfiduciato demitido destituído ontslagen
election elections wahl wahlen neuwahl élection élections elección elecciones comicios elezione elezioni eleição eleições verkiezing verkiezingen
voters electorate wähler électeurs votantes electores elettori eleitores kiezers | ballot poll polls scrutin urnas urne stimmzettel stembus
candidate candidates kandidat kandidatin candidat candidato candidata kandidaat | campaign wahlkampf campagne campaña campagna campanha
referendum plebiscite volksabstimmung volksentscheid référendum referéndum | coalition koalition coalición coalizione coligação coalitie
lawmakers lawmaker deputies abgeordnete abgeordneten députés député diputados diputado deputati deputato deputados kamerleden
chancellor kanzler bundeskanzler kanzlerin chancelier canciller cancelliere chanceler | premier ministerpräsident regierungschef taoiseach
governor gouverneur gouverneurin gobernador gobernadora governatore governador | senator senatorin sénateur senador senadora senatore | envoy gesandter sondergesandter émissaire enviado inviato gezant
diplomat diplomats diplomaten diplomates diplomáticos diplomatici diplomatas | consulate konsulat consulat consulado consolato | misstrauensvotum misstrauen censure censura sfiducia wantrouwen
cabinet kabinett gabinete gabinetto kabinet | decree dekret erlass décret decreto decreet | bill gesetzentwurf entwurf proposición wetsvoorstel | amendment änderung amendement enmienda emendamento
constitution verfassung constitución costituzione constituição grondwet | reform reforms reformen réforme réformes reformas riforma riforme hervorming
immunity immunität immunité inmunidad immunità imunidade | ally allies verbündete verbündeten alliés aliados alleati bondgenoten
independence unabhängigkeit indépendance independencia indipendenza independência onafhankelijkheid | secession abspaltung sécession secesión secessione
leader leaders führer dirigeant dirigeants líder líderes dirigente chef chefin leider | power macht pouvoir poder potere
ouster overthrow overthrown toppled toppling coup putsch gestürzt putschisten renversé renversée derrocado derrocada golpe golpisti rovesciato deposto staatsgreep
military militär militaire militaires militar militares militari militairen | officers offiziere officiers oficiales ufficiali oficiais
protest protests protesters demonstrators demonstration demonstrations demonstranten demonstrieren kundgebung manifestation manifestants manifestación manifestantes manifestazione manifestanti manifestação betoging
riot riots unrest ausschreitungen krawalle unruhen émeute émeutes heurts disturbios scontri tumulti rellen | clash clashes zusammenstöße affrontements enfrentamientos confrontos
tränengas lacrymogène lacrimógeno lacrimogeni | curfew ausgangssperre coprifuoco avondklok | emergency ausnahmezustand notstand urgence emergencia emergenza emergência noodtoestand
pardon pardoned pardons begnadigt begnadigung gracié graciée grâce indultado indulto indulta graziato grazia indultada gratie | amnesty amnestie amnistie amnistía amnistia
extradite extradites extradited extradition ausgeliefert auslieferung ausliefern extradé extradée extradición extraditado extradita estradizione estradato extradição uitlevering uitgeleverd
asylum asyl asile asilo asiel | deport deported deportation deportations abgeschoben abschiebung expulsion expulsé expulsés deportados espulsi espulsione expulsos uitgezet
detained arrested arrest arrests held festgenommen festnahme verhaftet verhaftung arrêté arrêtée arrêtés arrestation interpellé détenu detenido detenida detenidos detención detienen arrestado arrestato arrestati arresto fermato detido detidos gearresteerd aangehouden
court gericht landgericht gerichtshof tribunal tribunale tribunais rechtbank rechter corte juzgado audiencia | judge judges richter richterin juge juges juez jueces jueza giudice giudici juiz juízes
prosecutor prosecutors staatsanwalt staatsanwaltschaft staatsanwälte procureur parquet fiscal fiscalía procura procuratore procuradoria openbaar
lawyer lawyers anwalt anwälte rechtsanwalt avocat avocats abogado abogada abogados avvocato avvocati advogado advogados advocaat | trial prozess procès juicio processo julgamento proces
verdict urteil sentencia sentenza fallo veredicto vonnis | sentenced sentence verurteilt condamné condamnée condena condenado condenada condenan condannato condannata condanna veroordeeld
convicted convicts guilty schuldig coupable culpable colpevole culpado
acquitted acquits acquittal freigesprochen freispruch acquitté acquittée relaxé absuelto absuelta absuelve assolto assolta absolvido vrijgesproken
charge charged charges angeklagt anklage inculpé accusé acusado acusada imputado imputada imputato accusato indagato arguido aangeklaagd
appeal appeals berufung revision appel recurso recurre ricorso apelación beroep | lawsuit sue sues sued klage verklagt plainte demanda demandado querella denuncia causa schadenersatz rechtszaak
damages compensation schadenersatz entschädigung indemnisation indemnización risarcimento indemnização schadevergoeding | settlement vergleich
fine fined fines geldstrafe bußgeld geldbuße strafe amende multa multado multada multan multata boete | lebenslang lebenslange perpétuité perpetua ergastolo levenslang
rape raped vergewaltigung viol violación violador stupro violação verkrachting | abuse missbrauch abus abusos abusi misbruik | harassment belästigung harcèlement acoso molestie assédio
smuggling smugglers smuggled schmuggel schmuggler contrebande contrabando contrabbando smokkel | trafficking menschenhandel trafic tráfico traffico tratta
raid raids searched search razzia durchsuchung durchsucht perquisition descente redada registro perquisizione blitz buscas huiszoeking inval
loot looted looting geplündert pillage pillé saqueo saqueado saccheggio | burglary burglars einbruch einbrecher cambriolage cambrioleurs asalto furto inbraak
robbery robbed überfall raub überfallen braquage atraco rapina assalto overval | jewels jewellery jewelry schmuck juwelen bijoux joyas gioielli joias
gang gangs bande banden pandilla pandillas banda clan | cartel kartell cártel cartello | terror terrorist terrorists terrorism terroristen terrorisme terroriste terrorismo terrorista terroristi
bomb bombs bombe bomba bombing bombings sprengsatz bombenanschlag
attack attacks attacked assault angriff angriffe anschlag attentat attaque attaques ataque ataques atentado attacco attacchi attentato aanval aanslag
shooting shot shots shoots schüsse schießerei schoss erschossen fusillade tirs tiroteo disparos abatido sparatoria spari spara tiroteio schietpartij
gun guns firearm waffe schusswaffe pistole pistolet arme pistola | massacre massaker masacre massacro
stab stabbed stabs stabbing niedergestochen messerstecher messerattacke poignardé apuñalado apuñala accoltellato esfaqueado neergestoken
hack hacker hackers hackerangriff hackeado pirates piratage piratas pirateo | cyber cyberattack cyberangriff cyberattaque ciberataque cyberattacco cyberaanval
ransomware erpressungssoftware erpresser rançongiciel | data daten données datos dati dados gegevens | leak leaked leaks leck datenleck fuite fuites filtración fuga perdita vazamento lek
privacy datenschutz privacidad privacidade | kill kills killed killing getötet tötet tué tuée tués mata matan matado ucciso uccisa uccisi uccide matou gedood
dead deaths death dies died die tote toter tod tot gestorben stirbt starb verstorben mort morts morte mortes meurt décès décédé décédée muere mueren murió muerto muerta muertos muerte fallece falleció fallecido fallecidos fallecida morto morti muore scomparso morreu morrem falecimento overleden overlijdt doden dood
body bodies leiche leichen leichnam cadavre corps cadáver cuerpo cadavere corpo lichaam lijk
funeral funerals beerdigung begräbnis beisetzung trauerfeier obsèques funérailles entierro funerale funerali enterro begrafenis
survivor survivors überlebende überlebenden survivants supervivientes sobrevivientes superstiti sobreviventes overlevenden
crush stampede panic massenpanik gedränge bousculade estampida avalancha calca ressa tumulto verdrukking
crash crashes crashed collision collide collided collides unfall verkehrsunfall zusammenstoß zusammengestoßen accident accidente choque chocan colisión incidente scontro acidente colisão ongeluk aanrijding botsing
overturn overturned overturns umgekippt umgestürzt renversé vuelca volcado ribaltato capotou gekanteld
fall falls fell fallen gestürzt abgestürzt sturz chute tombé caída cae cayó caduta cade caduto queda val gevallen
collapse collapses collapsed topple topples eingestürzt einsturz stürzt effondré effondrée effondrement derrumbe derrumbado desplome desplomarse crolla crollo crollato desabamento desabou ingestort instorting
sink sinks sank sunk capsize capsized capsizes gesunken sinkt untergegangen gekentert naufrage coulé chaviré naufragio hundido hundimiento naufraga affondato affonda naufrágio afundou gezonken gekapseisd
crane kran grue grúa gru grua kraan | elevator lift aufzug ascenseur ascensor ascensore elevador | roof dach toit techo tetto telhado dak | wall mauer wand mur muro pared muur
construction baustelle chantier obra obras construcción cantiere estaleiro bouwplaats | dam dams staudamm staumauer talsperre barrage presa represa diga barragem stuwdam
crack cracks riss risse fissure fissures fissuré fissurée grieta grietas crepa crepe rachaduras scheuren | tower turm tour torre toren
statue monument memorial denkmal standbild estatua monumento statua estátua standbeeld gedenkteken
dismantle dismantled dismantling demolish demolished demolition abriss abgerissen abbau abgebaut démontage démoli démolition desmontaje demolición demolido demolizione demolito demolição sloop
fire fires blaze blazes feuer brand brände brennt großbrand waldbrand incendie incendies feu flammes incendio incendios fuego incendi rogo fiamme incêndio incêndios vuur | flames flammen llamas
smoke rauch fumée humo fumo rook | burn burned burning burns gutted verbrannt abgebrannt ausgebrannt brûlé brûlée quemado calcinado bruciato ardido verbrand
storm storms hurricane sturm unwetter orkan tempête ouragan tormenta temporal borrasca tempesta uragano maltempo tempestade furacão | typhoon taifun typhon tifón tifone tufão
cyclone zyklon ciclón ciclone | tornado tornade | hail hagel grêle granizo grandine | lightning blitz blitzschlag foudre rayo fulmine raio bliksem
wind winds windböen vent vents viento vientos vento venti | mudslide mudslides schlammlawine murenabgang boue lodo fango deslave modderstroom
eruption erupts ausbruch éruption erupción eruzione erupção uitbarsting | ash asche cendre cendres ceniza cenizas cenere cinza as
buried verschüttet enseveli ensevelis sepultado sepultados sepolti travolti travolto soterrado bedolven
climbers mountaineers bergsteiger kletterer alpinistes alpiniste montañeros alpinistas alpinisti alpinista
skiers skier skifahrer skitourengeher skieurs skieur esquiadores esquiador sciatori sciatore scialpinisti
hiker hikers wanderer randonneurs randonneuse senderistas excursionistas escursionisti wandelaars
drown drowned drowns ertrunken ertrinkt noyé noyés noyade ahogado ahogados ahogamiento annegato annegati afogado verdronken | coastguard küstenwache guardacostas | lifeguard rettungsschwimmer
divers taucher plongeurs buzos buceadores sommozzatori mergulhadores duikers | evacuate evacuates evacuation geräumt räumung evakuierung
village villages dorf dörfer ort pueblo aldea paese villaggio dorp
residents inhabitants einwohner bewohner anwohner habitants riverains habitantes vecinos residentes abitanti residenti moradores inwoners bewoners
city cities stadt städte ville villes ciudad ciudades città cidade cidades stad | capital hauptstadt capitale hoofdstad | suburb vorort banlieue suburbio periferia subúrbio
square platz plaza piazza praça plein | garden gärten garten jardin jardín giardino jardim tuin | park parc parque parco | mall einkaufszentrum commercial comercial commerciale winkelcentrum
kitchen küche cuisine cocina cucina keuken | clinic clinics klinikkette clinique clinica clínica kliniek | patient patients patienten pacientes pazienti patiënten
surgery operation operations operationen operiert opéré opération operación operado operato operazione cirurgia geopereerd | measles masern rougeole sarampión morbillo sarampo mazelen
flu influenza grippe gripe griep | vogelgrippe geflügelpest aviaire aviar aviaria avian vogelgriep | cholera choléra cólera colera
outbreak epidemic epidemie épidémie foyer brote epidemia focolaio surto uitbraak
infection infections infected infektion infiziert infizierte contaminé contagio contagios contagiado infecciones infezione contagiati infeção besmetting | case cases fall fälle cas caso casos casi
medicine medication medicament pill pills drug arznei arzneimittel medikament medikamente mittel médicament médicaments medicamento medicamentos medicinale farmaco farmaci medicijn geneesmiddel
drugmaker pharmaceutical pharma pharmakonzern laboratoire laboratorio farmacéutica farmaceutica farmacêutica geneesmiddelenfabrikant | cancer krebs cáncer cancro kanker tumore
abortion abtreibung schwangerschaftsabbruch avortement aborto abortus | smoking tobacco rauchen tabak tabac tabaco tabacco | heart herz coeur cœur corazón cuore coração
blood blut sang sangre sangue bloed | pressure druck bluthochdruck hypertension hipertensión ipertensione tension
poison poisoned poisoning vergiftet vergiftung empoisonné intoxication envenenado intoxicación intoxicados avvelenato intossicazione vergiftigd
recall recalls recalled rückruf zurückgerufen rappel rappelle rappelé retirada retira retirar richiama richiamo ritira ritirato terugroepen teruggeroepen
impurities contamination contaminated verunreinigung verunreinigungen verunreinigt impuretés contaminé contaminación contaminado impurezas contaminazione impurità verontreiniging
food lebensmittel nahrung aliments alimentaire alimentos alimentario cibo alimentare voedsel | meat fleisch viande carne vlees | milk milch lait leche latte leite melk | bread brot pain pane pão brood
wine wein vin vino vinho wijn | beer bier bière cerveza birra cerveja | coffee kaffee café caffè koffie | cocoa kakao cacao cacau | sugar zucker sucre azúcar zucchero açúcar suiker
wheat grain weizen getreide blé trigo cereales grano tarwe graan | rice reis riz arroz riso rijst | harvest crop crops ernte récolte cosecha raccolto colheita oogst
farm farms bauernhof betrieb ferme élevage granja finca fattoria allevamento quinta exploração boerderij | cattle rinder vieh bétail bovins ganado bestiame gado vee
pig pigs schwein schweine porc porcs cerdo cerdos maiali suini porco varkens | sheep schaf schafe mouton moutons brebis oveja ovejas pecore ovelhas schapen
duck ducks ente enten canard canards pato patos anatre eenden | chicken chickens poultry hens geflügel hühner volaille volailles poulets pollos pollame polli frango kippen pluimvee
cull culled slaughter slaughtered keulung gekeult notschlachtung abattage abattus abattu sacrificar sacrificará sacrificio sacrificados abbattuti abbattimento abate ruimen geruimd
goat goats ziege ziegen chèvre cabra capra geit | horse horses pferd pferde cheval chevaux caballo caballos cavallo cavalli cavalo paard paarden
cat cats katze katzen chat chats gato gatos gatto gatti kat | shark sharks haie requin requins tiburón tiburones squalo tubarão haai | snake snakes schlange serpent serpiente serpente cobra slang
lynx luchs lince | wolves wölfe loups lobos lupi wolven | bears bären ours osos orsi beren braunbären | monkey affe singe scimmia macaco aap | crocodile krokodil cocodrilo coccodrillo
dolphin dolphins delfine delfin dauphin dauphins delfín delfines delfino | turtle turtles schildkröte tortue tortues tortuga tortugas tartaruga tartarughe schildpad
bee bees bienen abeilles abejas abelhas bijen | insect insects insekten insectes insectos insetti | zoo tierpark tiergarten zoológico dierentuin
escape escaped escapes runaway entlaufen entlaufener geflohen ausgebrochen entkommen évadé évadés échappé fuite fuga fugado fugados escapa escapado evaso evasi fuggito scappato fugiu ontsnapt
captured caught gefasst eingefangen gefangen capturé capturée attrapé capturado capturada catturato catturata gevangen gepakt
hunt hunters hunter jagd jäger chasse chasseur chasseurs caza cazador cazadores caccia cacciatore caçador jacht jager
stranded gestrandet échoué échouée varado varada encallado spiaggiata arenato encalhada aangespoeld | species arten espèce espèces especie especies specie espécie soorten
animal animals tier tiere animaux animales animali animais dier dieren | tree trees baum bäume arbre arbres árbol árboles albero alberi árvore boom bomen
climate klima klimaschutz climat climatique clima climático climatico klimaat | emissions emissionen treibhausgase émissions emisiones emissioni emissões uitstoot
pollution umweltverschmutzung verschmutzung polución inquinamento poluição vervuiling | plastic plastik kunststoff plastique plástico plastica
waste rubbish garbage müll abfall déchets ordures basura residuos rifiuti lixo afval | recycling recyclage reciclaje riciclo | slick ölteppich ölpest nappe vertido derrame chiazza olievlek
spill spilled ausgelaufen déversement vertió fuoriuscita | energy energie énergie energía energia | coal kohle braunkohle charbon carbón carbone carvão steenkool
solar photovoltaik solaire fotovoltaica solare | turbine turbines windkraft windräder éolienne éoliennes éolien eólica eólico eolico windmolens
reactor reaktor réacteur kernkraftwerk atomkraftwerk centrale reattore kerncentrale | battery batteries batterie batterien baterías batería batterijen
hydrogen wasserstoff hydrogène hidrógeno idrogeno waterstof | pipe pipes rohr rohrbruch leitung conduite canalisation tubería tubazione cano leiding
burst bursts geplatzt rohrbruch rompu rotura reventón rottura gesprongen | supply versorgung approvisionnement suministro fornitura abastecimento aanvoer
share shares stock stocks aktie aktien actions acción acciones azione azioni ação ações aandeel aandelen titolo | exchange bourse börse bolsa borsa beurs
debut börsendebüt börsengang börsenstart debüt introduction estreno debutto estreia beursgang debuut
investor investors anleger investoren investisseurs inversores inversionistas investitori investidores beleggers
bond bonds anleihe anleihen obligations bonos obligaciones obbligazioni obrigações obligaties | debt schulden staatsschulden dette deuda debito dívida schuld | deficit defizit déficit tekort
surplus überschuss excédent superávit avanzo overschot | downgrade downgraded herabgestuft herabstufung abgesenkt dégradé dégrade abaissée rebajado declassa declassato afgewaardeerd
rating bonitätsnote bonität ratingagentur notation calificación kredietwaardigheid | junk ramsch ramschniveau pourri spazzatura | currency währung monnaie devise moneda divisa valuta moeda munt
peg pegged bindung ancrage paridad ancoraggio koppeling | devaluation devalue devalued abwertung abgewertet dévaluation devaluación svalutazione desvalorização devaluatie
plunge plunges tumble tumbles slump slumps slide slides bricht einbruch eingebrochen dégringole plonge desploma keldert
revenue sales turnover umsatz umsätze ventes chiffre ventas facturación ingresos fatturato vendite vendas receitas omzet
profit profits earnings gewinn gewinne bénéfice bénéfices beneficio beneficios ganancias utile utili profitto lucro winst
loss losses verlust verluste pertes perte pérdida pérdidas perdita perdite prejuízo verlies
acquire acquires acquisition takeover buys buy bought übernimmt übernahme kauft gekauft rachète rachat acheté compra adquiere adquisición comprado acquista acquisisce acquisizione adquire overname koopt
sell sells sold verkauft verkauf verkaufen vend vendu vente vende vendido venta venduto vendita venda verkoopt verkocht
stake beteiligung anteil anteile participation participación quota partecipazione participação belang
competition competitors rivals wettbewerb wettbewerber konkurrenten konkurrenz concurrence concurrents competencia competidores concorrenza concorrenti concorrência concurrenten
antitrust kartellamt wettbewerbshüter monopole monopolio monopol | customs zoll douane douanes aduana aduanas dogana alfândega
tariff tariffs zölle zöllen strafzölle tarifs arancel aranceles dazi tarifas heffingen | ceo vorstandschef konzernchef firmenchef geschäftsführer pdg amministratore topman
chairman aufsichtsratschef vorsitzender verwaltungsrat administrateur voorzitter | board vorstand aufsichtsrat directorio bestuur | layoffs stellenabbau licenciements despidos licenziamenti despedimentos
carmaker automaker autobauer autohersteller constructeur automovilística fabricante automobilistica autofabrikant
airline carrier fluggesellschaft fluglinie compagnie aérienne aerolínea luchtvaartmaatschappij | flight flights flug flüge vols vuelo vuelos volo voli voo voos vlucht vluchten
runway landebahn startbahn piste pista landingsbaan | pilot pilots pilotin pilote pilotes piloto pilotos pilota piloti piloot
suspend suspends suspended halt halts halted stop stops stopped eingestellt ausgesetzt gestoppt suspendu suspendus interrompu suspende suspendido suspendidos suspenden sospeso sospesi sospende suspenso opgeschort stilgelegd
cancel cancels cancelled scrap scraps scrapped abgesagt absage gestrichen annule annulé annulés cancela cancelado cancelados cancelan annulla annullato annullati cancellati geannuleerd afgelast
delay delays delayed postponed postpone verspätung verschoben verzögert retard retards reporté reportée retraso aplazado aplaza ritardo rinviato rinviata atraso adiado vertraging uitgesteld
resume resumes resumed wiederaufgenommen repris reprise reanuda reanudan ripresa hervat | reopen reopens reopened wiedereröffnet rouvert rouvre réouverture reabre reapertura riapre riapertura heropend
open opens opened opening inaugurated eröffnet eröffnung öffnet ouvre ouvert ouverture inauguré inaugure abre inaugura inaugurado apertura apre aperto inaugurato abertura opent geopend
close closes closure shuts schließt schließung schließen ferme fermeture fermées cierra cierre cierran chiude chiusura fecha encerra encerrado fechado sluit sluiting gesloten
mobile mobiles phones phone cellphone handy handys smartphone smartphones téléphone téléphones portable portables teléfono móvil móviles celulares telefono telefoni cellulari telemóveis telemóvel telefoon mobieltjes
ban bans banned outlaw outlaws outlawed forbid forbids prohibit verbietet verbot verboten untersagt interdit interdite interdiction interdisent prohíbe prohibido prohibición prohibirá vieta vietato vietati divieto proíbe proibição proibido verbiedt verbod
allow allows allowed erlaubt erlaubnis genehmigt genehmigung autorise autorisé autorisation permite autoriza autorización autorizza consente toegestaan
approve approves approved adopt adopts adopted passes beschließt beschlossen verabschiedet gebilligt adopte adopté approuve approuvé aprueba aprobado aprobada aprueban approva approvato approvata aprova aprovou goedgekeurd
reject rejects rejected abgelehnt ablehnung lehnt rejette rejeté rejetée rechaza rechazado rechazan respinge respinto rejeita rejeitado afgewezen verwerpt
abolish abolishes abolished drops abgeschafft abschaffung supprime supprimé suppression elimina suprime suprimir supresión abolisce abolito abolição afgeschaft
electric electrical elektrisch elektrische elektroauto elektroautos électrique électriques eléctrico eléctrica eléctricos eléctricas elettrico elettrica elettriche elétrico
bicycle bicycles bike bikes cyclist cyclists fahrrad fahrräder radfahrer vélo vélos cycliste bicicleta bicicletas ciclista ciclistas bici bicicletta ciclisti fiets fietsen fietser
motorcycle motorcyclist motorrad motorradfahrer moto motociclista motor
win wins won winning triumph gewinnt gewonnen siegt sieg gagne gagné victoire remporte remporté gana ganó ganado vence venció victoria conquista vinto vittoria trionfa trionfo vitória ganha ganhou wint overwinning
beat beats beaten defeat defeats defeated besiegt schlägt geschlagen niederlage battu défaite bate derrota derrotado batte battuto sconfitta sconfigge verslaat nederlaag
final finals finale endspiel finalspiel | semifinals halbfinale semifinal semifinales semifinale semifinali | tournament turnier tournoi torneo torneio toernooi | title titel titre título titolo
championship championships meisterschaft meisterschaften weltmeisterschaft championnat championnats campeonato campionato mondiali mundial kampioenschap
olympic olympics olympia olympiasieger olympische olympique olympiques olímpico olímpica olímpicos olimpico olimpica olimpiadi olimpíadas olympisch | medal medaille médaille medalla medaglia medalha
striker forward stürmer angreifer attaquant delantero attaccante avançado spits | goalkeeper torwart torhüter gardien portero portiere doelman keeper
goal goals scores scored tor tore treffer torschütze but buts gol goles golazo golo doelpunt
signing transfer wechselt wechsel verpflichtet transfert recrute recruté fichaje ficha fichado traspaso ingaggia acquisto transferência contrata | contract contrat contrato contratto
club clubs verein klub | team mannschaft équipe equipo squadra equipa ploeg elftal | stadium stadion stade estadio stadio estádio | match game spiel partie partido partita jogo wedstrijd
fans anhänger supporters hinchas aficionados tifosi adeptos | doping dopage dopaje dopagem epo | sperre gesperrter | race rennen course carrera corrida gara koers | marathon maratón maratona
runner läufer läuferin coureur corredor corridore | rider rennfahrer | tennis tenis ténis | basketball básquet baloncesto pallacanestro basquetebol | boxing boxer boxen boxe boxeo boxeador pugile
rowing rudern aviron remo canottaggio | swimmer schwimmer nageur nadador nuotatore | chess schach échecs ajedrez scacchi xadrez schaken | weltmeister weltmeisterin weltmeistertitel
world welt monde mundo mondo wereld | retire retires retired retirement karriereende retraite ritiro aposentação | injury verletzung blessure lesión infortunio lesão
filmmaker filmemacher filmregisseur cinéaste cineasta | dirigent dirigentin maestro | orchestra philharmonic orchester philharmonie philharmoniker orchestre filarmónica orquesta filarmonica orkest
opera oper opéra ópera | concert concerts konzert konzerte concierto conciertos concerto concerti concertos | tour tournee europatournee tournée gira digressão
exhibition ausstellung exposition exposición mostra exposição tentoonstelling | artist künstler künstlerin artiste artista kunstenaar | sculpture skulptur escultura scultura beeld
treasure schatz trésor tesoro tesouro schat | archaeologist archaeologists archäologe archäologen archéologues archéologue arqueólogos archeologi archeologo archeologen
excavation excavations ausgrabung ausgrabungen fouilles excavaciones excavación scavi scavo escavações opgraving | ancient antique antike antiken antikes antico antica antiguo antigua antigo
tomb grave grab gräber tombe tumba tomba túmulo graf | temple shrine sanctuary tempel heiligtum sanctuaire templo santuario tempio santuário heiligdom
discover discovers discovered unearth unearthed discovery entdeckt entdeckung entdecken découvert découverte découvrent descubren descubierto descubre descubrimiento hallazgo scoperta scoperto scoprono descoberto descoberta ontdekt ontdekking
auction auctioned versteigert versteigerung auktion enchères adjugé subasta subastado asta leilão geveild veiling | star diva estrella stella ster
dance dancer tänzer tänzerin danseur danseuse bailarín bailarina ballerino ballerina dansen | pop popsängerin popstar | voice stimme voix voz voce stem | stück pièce toneelstuk
comedy komödie comédie comedia commedia | prince prinz principe príncipe prins | princess prinzessin princesse princesa principessa prinses
royal royals königlich königshof königshaus königliche royale reales koninklijk
wedding wed weds marry marries married marriage hochzeit heiratet verheiratet mariage épouse épousé boda casamiento matrimonio nozze sposa casamento huwelijk trouwt bruiloft
engaged engagement verlobt verlobung fiançailles fiancé fiancée compromiso fidanzamento noivado verloofd verloving | divorce scheidung divorcio divorzio divórcio scheiding
birthday geburtstag anniversaire cumpleaños compleanno aniversário verjaardag | born birth geboren geburt né née naissance nace nacido nacimiento nascita nasceu nascimento geboorte
pregnant schwanger enceinte embarazada incinta grávida zwanger | widow witwe veuve viuda vedova viúva weduwe | brother bruder frère hermano fratello irmão broer
sister schwester soeur sœur hermana sorella irmã zus | father vater père padre pai vader | mother mutter mère madre mãe moeder | family familie famille familia famiglia família
boy junge garçon ragazzo rapaz jongen | girl mädchen fillette niña ragazza menina meisje | teenager jugendlicher jugendliche adolescent adolescente adolescenti tiener
pensioner rentner rentnerin retraité retraitée jubilado jubilada pensionato reformado gepensioneerde | neighbour neighbours nachbar nachbarn voisin voisins vecino vicini vizinhos buren
lottery lotto lotterie lotteriegesellschaft loterie lotería lotteria lotaria loterij | jackpot bote | gewinner gagnant gagnante ganadora vincitrice | nobel nobelpreis
scientist scientists researchers wissenschaftler forscher scientifiques chercheurs chercheuse científicos investigadores scienziati ricercatori cientistas investigadora cientista wetenschappers onderzoekers
physics physik physique física fisica natuurkunde | study studie étude estudio studio estudo | planet planète planeta pianeta | asteroid astéroïde asteroide asteróide | comet komet comète cometa komeet
earth erde terre tierra terra aarde | astronaut astronauts astronauten kosmonauten raumfahrer astronautes spationaute astronautas cosmonautas astronauti cosmonauti
space weltraum raumfahrt raumstation espace espacio spazio espaço ruimte | orbit umlaufbahn orbite órbita orbita
launch launches launched gestartet start lancé lancement lanza lanzado lanzamiento lancia lanciato lancio lançamento lanceert | telescope teleskop télescope telescopio | robot roboter
artificial künstliche artificielle artificiale kunstmatige | chip chips halbleiter semiconducteurs semiconductores semiconduttori
computer computers rechner ordinateur ordinateurs ordenador ordenadores computadora | war krieg guerre guerra oorlog | front frontline
shelling shelled artillery beschuss artillerie bombardement bombardements bombardeo bombardamento bombardeamento beschieting | rebel rebels rebellen rebelles rebeldes ribelli
militia miliz milizen milice milicia milizia milícia | navy marine marina marinha kriegsmarine | kampfjet kampfflugzeug | panzer char tanque
withdraw withdraws withdrawal withdrew abzug zurückgezogen retrait retiré terugtrekking | invade invasion einmarsch invasión invasione
freed free frei freilassung freigelassen freigekommen libéré libérée libérés libération liberado liberada liberados liberan liberación liberato liberata liberati libertado vrijgelaten
swap swapped exchanged austausch ausgetauscht tauschen échange échangé canje intercambio canjeados scambio scambiati troca uitgewisseld
prisoner prisoners inmate inmates gefangene gefangenen häftling häftlinge prisonnier prisonniers détenus preso presos prisionero prisioneros reclusos prigioniero prigionieri detenuti prisioneiros gevangenen
spying espionage spionage espionnage espionaje spionaggio espionagem
seizes boards boarded intercepts intercepted beschlagnahmt aufgebracht festgesetzt arraisonné arraisonne saisi saisie incautado incautada incauta aborda interceptado sequestrato sequestra abbordato apreendido onderschept
sabotage sabotaje sabotaggio sabotagem | anchor anker ancre ancla ancora âncora | undersea underwater unterwasser seekabel unterseekabel submarino sottomarino onderzee
aid hilfe hilfsgüter aide ayuda aiuti aiuto ajuda hulp | convoy konvoi convoi convoglio konvooi | famine hunger hungersnot faim hambre hambruna carestia fome honger
generalsekretär secrétaire secretario segretario secretário | sanction sanktioniert sanctionné | accuse accuses accused beschuldigt accusent acusa accusa
deny denies denied bestreitet dementiert nient dément niega desmiente nega smentisce ontkent | warn warns warned warning warnt warnung avertit alerte alerta advierte avverte allerta alarm waarschuwt
threaten threatens threat droht drohung menace menaces amenaza amenazas minaccia minacce ameaça dreigt dreiging | demand demands fordert forderung exige exigent reclama chiede eist
promise promises verspricht promet promete promette belooft | visit visits besuch besucht visite visita bezoek
meet meets met trifft treffen rencontre rencontrent reúne reunión incontra incontro encontro ontmoet | speech rede discours discurso discorso toespraak | interview entrevista intervista
letter brief lettre carta lettera | apologise apologises apology entschuldigt entschuldigung excuses disculpa disculpas scuse desculpas | project projekt projet proyecto progetto projeto
begin begins began start starts started beginnt begonnen beginn commence commencé début empieza comienza comenzado inicio inizia iniziato inizio começa início begint
end ends ended endet beendet ende fin finit termine termina terminado finaliza finisce finita fim eindigt | continue continúa continua
grow grows rise rises rising steigt gestiegen anstieg hausse augmente augmentation sube subida aumento aumenta salita sobe stijgt gestegen
falling declines decline dropped drop sinkt rückgang baisse recule baja bajada descenso calo scende scesi desce descida daalt gedaald | double doubles doubled verdoppelt doublé duplica raddoppia
half hälfte moitié mitad metà metade helft | rekordhoch höchststand | youngest jüngster jüngste jeune joven giovane jovem jongste | oldest älteste ältester vieux anciano vecchio
new neue neuer neues neuen nouveau nouvelle nuevo nueva nuovo nuova novo nova nieuwe nieuw | biggest largest größter größte größten maior grootste | historic historisch historique histórico storico
suspected mutmaßlich mutmaßlicher mutmaßliche présumé présumée soupçonné presunto presunta sospechoso presumível vermoedelijke verdachte | secret geheim geheime secreto segreto
illegal illegale ilegal illégal clandestin clandestino | fake false gefälscht falsch faux fausse falso falsa vals | kostenlos gratuit gratuite gratis gratuito
dangerous gefährlich dangereux peligroso pericoloso perigoso gevaarlijk | critical lebensgefährlich critique crítico grave gravi gravemente
safe sicher unversehrt sains saufs salvo sani salvi são veilig | money geld argent dinero denaro soldi dinheiro | teuer teurer | cost kosten coût coste costo custo | cheap billiger barato
subsidy subsidies subventionen zuschüsse subvention subvenciones subsidios sussidi subsídios subsidie
loan loans kredit kredite darlehen prêt prêts crédito préstamo préstamos prestito prestiti empréstimo lening | savings ersparnisse sparpaket épargne ahorros risparmi
austerity sparkurs austérité austeridad austerità austeridade bezuinigingen | mindestlohn smic minimumloon | rent miete mieten loyer loyers alquiler alquileres affitto affitti renda huur
housing wohnung wohnungen wohnungsbau logement logements vivienda viviendas alloggi habitação woning woningen | tenant mieter locataires inquilinos inquilini huurders
census volkszählung zensus recensement censo censimento volkstelling | population bevölkerung einwohnerzahl población popolazione população bevolking | religion religión religione
bishop bischof évêque obispo vescovo bispo bisschop | cardinal kardinal cardinale cardenal | priest priester pfarrer prêtre curé sacerdote cura prete pastoor
mosque moschee mosquée mezquita moschea mesquita moskee | synagogue synagoge sinagoga | jewish jüdisch jüdische juif juive judío judía ebreo ebraica
muslim muslims muslime musulmans musulmanes musulmani | pilgrims pilger pèlerins peregrinos pellegrini | heritage welterbe patrimoine patrimonio património erfgoed
language sprache langue lengua idioma lingua língua taal | shelter hostel unterkunft flüchtlingsunterkunft asylunterkunft refuge refugio albergue rifugio abrigo opvang
schlauchboot pneumatique patera gommone | minor minderjährig minderjährige mineur mineure menor menores minore minori minderjarig | homeless obdachlos obdachlose indigentes senzatetto daklozen
woman women frau frauen femme femmes mujer mujeres donna donne mulher mulheres vrouw vrouwen | man men mann männer homme hommes hombre hombres uomo uomini homem homens mannen
crew besatzung équipage tripulación tripulantes equipaggio tripulação bemanning | sailor sailors seamen seeleute matrosen marins marin marineros marinai marinheiros zeelieden
captain kapitän capitaine capitán capitano capitão kapitein | freighter cargo carguero mercante mercantile frachtschiff vrachtschip cargueiro | canal kanal canale kanaal | channel ärmelkanal manche
bay bucht baie bahía baia | sea meer see mer mare zee | ocean ozean océan océano oceano oceaan | desert wüste désert desierto deserto woestijn | glacier gletscher glaciar ghiacciaio gletsjer
cave höhle grotte cueva grotta gruta grot | valley tal vallée valle vale vallei | hill hügel colline colina collina | waterfall wasserfall | drohnensichtungen drohnensichtung
luftabwehr flugabwehr antiaérienne antiaérea antiaerea | luftangriff luftangriffe frappe frappes luchtaanval | airspace luftraum luchtruim | abgeschossen abschuss derribado derriba derribo neergehaald
strecke ligne línea linea linha lijn | track gleis gleise voie vía binario spoor | metro subway underground métro | taxi taxis | traffic verkehr circulation trânsito verkeer
speed tempo tempolimit geschwindigkeit vitesse velocidad velocità velocidade snelheid | maut péage peaje pedaggio portagem tol | holiday holidays urlaub ferien vacances vacaciones vacanze férias vakantie
tourism tourismus tourisme turismo toerisme | visitors visitor besucher visiteurs visitantes visitatori bezoekers | guest guests gäste hôtes huéspedes ospiti gasten | restaurant restaurante ristorante
kindergarten nursery kita crèche guardería creche | class classes unterricht klasse classe cours clase clases lezioni aulas les
exam exams abitur prüfung baccalauréat bac examen exámenes esame esami exame eindexamen | education bildung éducation educación istruzione educação onderwijs
professor professorin professeur catedrático professore
"""
NATIONS = """
switzerland swiss schweizer schweizerin schweizerische schweizerischen suisse suisses suizo suiza suizos svizzero svizzera svizzeri suíço zwitserland zwitserse
austria austrian austrians österreichische österreichischer österreichischen österreicher autrichien autrichienne austríaco austriaca austriaco oostenrijk oostenrijkse áustria
netherlands dutch niederländische niederländischer niederländischen niederländer néerlandais néerlandaise bajos neerlandés neerlandesa holanda holandés olanda olandese nederland nederlandse holland hollande
belgium belgian belgier belgische belgischen belge belges belga belgas belgi bélgica belgië
portugal portuguese portugiesisch portugiesische portugiesischen portugiesen portugais portugaise portugués portuguesa portoghese portoghesi português portogallo portugese
norway norwegian norwegische norwegischen norweger norvégien norvégienne noruego noruega norvegese noorwegen noorse norge
finland finnish finnische finnischen finnen finlandais finlandaise finlandés finlandesa finlandese finse
hungary hungarian ungarische ungarischen ungar hongrois hongroise húngaro húngara ungherese ungheria hongarije hongaarse
romania romanian rumänische rumänischen rumäniens roumain roumaine rumano rumana rumanía rumeno romeno roemenië roemeense
bulgaria bulgarian bulgarische bulgarischen bulgare búlgaro búlgara bulgaro bulgaren bulgarije
czechia czech tschechische tschechischen tschechin tscheche tchèque checo checa ceco ceca tsjechië tsjechische | slovakia slovak slowakische slowakischen slovaque eslovaco slovacco slowakije
slovenia slovenian slovene slovenes slowenische slowenischen slowenen slovène esloveno sloveno slovenië | serbia serbian serbische serbischen serbe serbio serbo servië
croatia croatian kroatische kroatischen kroate croate croata kroatië | bosnia bosnian bosnien bosnie bosnische | kosovo kosovan kosovarisch | albania albanian albanische albanais albanés albanese
macedonia mazedonien nordmazedonien macédoine | estonia estonian estonians estnische estnischen esten estonien estonio estone estland
latvia latvian lettische lettischen letten letton letón lettone letland | lithuania lithuanian litauische litauischen lituanien lituano litouwen
iceland icelandic isländische isländischen islandais islandés islandese ijsland | ireland irish irische irischen irin irlandais irlandaise irlandés irlandesa irlandese ierland ierse
scotland scottish schottische écossais escocés scozzese schotland | wales welsh walisische | egypt egyptian egyptians ägyptische ägyptischen égyptien égyptienne egipcio egipcia egiziano egitto egypte
morocco moroccan marokkanische marokkanischen marocain marocaine marroquí marocchino | algeria algerian algerische algérien algérienne argelino algerino
tunisia tunisian tunesische tunisien tunisienne tunecino tunisino | libya libyan libysche libyschen libyen libyenne libio libico | syria syrian syrische syrischen syrien syrienne sirio siria siriano
iraq iraqi irakische irakischen irakien iraquí iracheno | iran iranian iranische iranischen iranien iranienne iraní iraniano | lebanon lebanese libanesische libanais libanaise libanés libanese
jordan jordanian jordanische | saudi saudis saudische saudischen saoudien | yemen yemeni jemenitische yéménite yemení | qatar katar catar | kuwait koweït
palestine palestinian palestinians palästina palästinenser palästinensische palestinien palestinienne palestinos palestino palestina palestinesi
afghanistan afghan afghanische afghanischen afghans afgano | pakistan pakistani pakistanische pakistanais paquistaní pachistano | india indian inder indische indischen indien indienne indio indiano índia
bangladesh bengali | nepal nepali nepalesische népal | japan japanese japanische japanischen japanerin japaner japonais japonaise japonés japonesa giapponese japanse
korea korean südkoreanische nordkoreanische coréen coréenne coreano coreana koreaanse | thailand thai thailändische thaïlandais tailandés | vietnam vietnamese vietnamesische vietnamien vietnamita
indonesia indonesian indonesische indonésien indonesio indonesiano | philippines filipino philippinische filipinas philippin | malaysia malaysian malaysische
taiwan taiwanese taiwanische taïwanais taiwanés | mongolia mongolian mongolei mongolie
usa american americans amerikanische amerikanischen amerikaner amerikanisch américain américaine américains estadounidense estadounidenses americano americana americani statunitense statunitensi amerikaanse washington unidos eeuu uniti vereinigte
canada canadian canadians kanadische kanadischen kanadier canadien canadienne canadiense canadese canadees ottawa
mexico mexican mexikanische mexikanischen mexicain mexicaine mexicano mexicana messicano
brazil brazilian brasilianische brasilianischen brasilianer brésilien brésilienne brasileño brasileña brasiliano brasileiro brazilië | argentina argentine argentinian argentinische argentino argentin
chile chilean chilenische chilien chileno cileno | peru peruvian peruanische péruvien peruano | colombia colombian kolumbianische kolumbianischen colombien colombienne colombiano colombiana
venezuela venezuelan venezolanische vénézuélien venezolano | ecuador ecuadorian ecuadorianische équatorien ecuatoriano | bolivia bolivian bolivianische bolivien boliviano
cuba cuban kubanische cubain cubano | haiti haitian haitianische haïtien haitiano | uruguay uruguayan | nigeria nigerian nigerianische nigerianischen nigerianer nigériane nigérian nigeriano nigeriana
ghana ghanaian ghanaische ghanéen ghanéenne ghanés | kenya kenyan kenianische kenianischen kenianer kényan kényane keniano keniana keniata | ethiopia ethiopian äthiopische éthiopien etíope etiope
somalia somali somalische somalien somalí | sudan sudanese sudanesische soudanais sudanés | congo congolese kongolesische congolais congoleño | senegal senegalese senegalesische sénégalais senegalés
mali malian malische malien maliense | niger nigérien | cameroon kamerun cameroun camerún camerun | tanzania tansania tanzanie | uganda ouganda | zimbabwe simbabwe | mozambique mosambik mozambico
angola angolan angolanische | ivory ivoirien | australia australian australians australische australischen australier australien australienne australiano australiana australië
zealand seeland zélande zelanda zelandia | georgia georgian georgische georgischen géorgien géorgienne georgiano | armenia armenian armenische armenischen arménien arménienne armenio armeno
azerbaijan azerbaijani aserbaidschanische azerbaïdjanais | kazakhstan kazakh kasachische | moldova moldovan moldauische moldave moldavo moldavia | belarus belarusian belarussische biélorusse bielorruso
cyprus cypriot zypriotische chypriote chipriota | malta maltese maltesische | spain iberian spanier spaniens spanje spaanse | germany germans bundesrepublik allemands alemanes tedeschi duitse
france franzosen français franse fransk | italy italiener italiens italiaanse italië | britain uk briten british brite | russia russen russes rusos russi russische
ukraine ukrainer ukrainiens ucranianos | poland polen polens polonais poolse | turkey türkisch türken turcs turcos turchi turkse turkije | greece griechen griekenland griekse
sweden schweden zweden zweedse schwede suédois sueco | denmark dänen deense denemarken | china chinesen | israel israelis | brussels bruselas bruxelles brüssel brussel bruxelas
europe european europeans europäische europäischen europäischer européen européenne européens europeo europea europei europeu | commission kommission comisión commissione comissão commissie
africa african africans afrikanische africain africaine africano | asia asian asiatische asiatique asiático | arctic arktis arctique ártico artico | atlantic atlantik atlantique atlántico atlantico
pacific pazifik pacifique pacífico pacifico | alps alpen alpes alpi | caribbean karibik caraïbes caribe caraibi | balkans balkan | galicia galicien galice galiziana
catalonia katalonien catalogne cataluña catalogna | andalusia andalusien andalousie andalucía | normandy normandie normandía normandia | brittany bretagne | tuscany toskana toscane toscana | tyrol tirol
saxony sachsen saxe | thuringia thüringen | rhine rhein rhin | danube donau danubio | lombardy lombardei lombardie lombardia | piedmont piemont piémont piemonte | corsica korsika corse córcega
majorca mallorca majorque | flanders flandern flandre | lapland lappland | transylvania siebenbürgen
"""
