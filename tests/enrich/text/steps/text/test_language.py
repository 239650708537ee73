"""Which language a text is in, and which way it is written."""

import pytest

from enrich.text.steps.text.language import direction_of, language_by_small_words, language_of


def test_the_language_is_guessed_only_where_the_source_says_nothing_and_the_text_is_long_enough() -> None:
    """What the source says is taken, in its usual form; a short text stays undetermined."""
    german = "Der Stadtrat hat am Montag den Haushalt für das kommende Jahr beschlossen, wie der Bürgermeister sagte."
    assert language_of("EN_gb", german)[0] == "en-GB"
    assert language_of(None, german)[0] == "de"
    assert language_of("not a tag!", german)[0] == "de"
    assert language_of(None, "OK")[0] == "und"


SENTENCES = {
    "en": "The harbour master said that the tug would bring the ferry alongside before noon on Monday.",
    "de": "Der Minister sagte am Montag in Berlin, dass die Regierung den Entwurf nicht vor dem Sommer vorlegen werde.",
    "fr": "Le président a déclaré lundi que le gouvernement ne présentera pas la proposition avant les vacances d'été.",
    "es": "El presidente dijo el lunes que el Gobierno no presentará la propuesta antes del verano y habló con los municipios.",
    "pt": "O presidente disse na segunda-feira que o governo não vai apresentar a proposta antes do verão, segundo os jornais.",
    "it": "Il presidente ha detto lunedì che il governo non presenterà la proposta prima dell'estate, come è stato chiesto.",
    "nl": "De minister zei maandag dat de regering het voorstel niet voor de zomer zal indienen en verwees naar de gemeenten.",
    "af": "Die minister het Maandag gesê dat die regering nie die voorstel voor die somer sal voorlê nie, en het gepraat.",
    "sv": "Statsministern sade på måndagen att regeringen inte kommer att lägga fram förslaget före sommaren.",
    "ca": "El president va dir dilluns que el govern no presentarà la proposta abans de l'estiu i va parlar amb els municipis.",
    "pl": "Minister powiedział w poniedziałek, że rząd nie przedstawi projektu przed latem i nawiązał do rozmów z gminami.",
    "cs": "Ministr v pondělí řekl, že vláda návrh nepředloží před létem, a odkázal na probíhající jednání s obcemi.",
    "sk": "Minister v pondelok povedal, že vláda návrh nepredloží pred letom, a odkázal na prebiehajúce rokovania s obcami.",
    "ro": "Ministrul a spus luni că guvernul nu va prezenta propunerea înainte de vară și s-a referit la discuțiile în curs.",
    "gl": "O presidente dixo o luns que o goberno non presentará a proposta antes do verán e falou cos concellos da zona.",
}


@pytest.mark.parametrize("language", SENTENCES)
def test_small_words_never_speak_for_a_neighbour(language: str) -> None:
    """A language that small words name is right, and the model decides wherever languages share them."""
    assert language_by_small_words(SENTENCES[language]) in (language, None)
    assert language_of(None, SENTENCES[language])[0] == language


@pytest.mark.parametrize(
    ("language", "text", "direction"),
    [("ar", "", "rtl"), ("he-IL", "", "rtl"), ("az-Arab", "", "rtl"), ("ur-Latn", "", "ltr"), ("und", "— שלום", "rtl"), ("en", "שלום", "ltr")],
)  # fmt: skip
def test_direction_is_the_scripts(language: str, text: str, direction: str) -> None:
    """By the tag's script, by its language, or by the first letter where neither is known."""
    assert direction_of(language, text) == direction


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("서울에서 화재", "ko"), ("東京で火災、3人けが", "ja"), ("火災のニュース", "ja"), ("Φωτιά στην Αθήνα", "el"), ("שריפה בירושלים", "he"), ("ไฟไหม้ในกรุงเทพ", "th"), ("حريق في بيروت", "ar"),
        ("آتش‌سوزی در تهران؛ پنج کشته", "fa"), ("کراچی میں آگ لگ گئی، پانچ افراد ہلاک ہوئے", "ur"), ("Հրդեհ Երևանում", "hy"), ("ხანძარი თბილისში", "ka"), ("சென்னையில் தீ", "ta"),
        ("Reuters: 서울에서 화재가 발생했다고 밝혔다", "ko"), ("北京发生火灾", "und"), ("Пожар в Москве", "und"), ("Fire in Seoul (서울)", "und"), ("Feuer in Wien", "und"), ("", "und"),
    ],
)  # fmt: skip
def test_a_script_tells_the_language_of_a_few_words(text: str, language: str) -> None:
    """Where one language alone is written so; a word that is quoted in another script tells nothing."""
    assert language_of(None, text)[0] == language


def test_a_guess_needs_seventy_letters() -> None:
    """In scripts of many languages a shorter text stays undetermined."""
    text = "Der Stadtrat hat am Montag den Haushalt für das kommende Jahr beschlossen, wie es hieß, und mehr."
    letters = [number for number, letter in enumerate(text, 1) if letter.isalpha()]
    assert language_of(None, text[: letters[68]])[0] == "und"
    assert language_of(None, text[: letters[69]])[0] == "de"
