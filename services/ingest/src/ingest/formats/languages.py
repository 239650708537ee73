"""Languages as BCP 47 tags, whatever a source calls them: `English`, `eng`, `en_US`. Pure."""

import re

_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,6}")
_THREE = {
    "eng": "en", "deu": "de", "ger": "de", "fra": "fr", "fre": "fr", "spa": "es", "ita": "it", "por": "pt", "nld": "nl", "dut": "nl", "swe": "sv", "nor": "no", "nob": "nb",
    "dan": "da", "fin": "fi", "pol": "pl", "ces": "cs", "cze": "cs", "slk": "sk", "slo": "sk", "hun": "hu", "ron": "ro", "rum": "ro", "bul": "bg", "ell": "el", "gre": "el",
    "rus": "ru", "ukr": "uk", "ara": "ar", "heb": "he", "tur": "tr", "fas": "fa", "per": "fa", "urd": "ur", "hin": "hi", "ben": "bn", "zho": "zh", "chi": "zh", "jpn": "ja",
    "kor": "ko", "vie": "vi", "tha": "th", "ind": "id", "msa": "ms", "may": "ms", "cat": "ca", "eus": "eu", "glg": "gl", "hrv": "hr", "srp": "sr", "slv": "sl", "est": "et",
    "lav": "lv", "lit": "lt", "isl": "is", "ice": "is", "cym": "cy", "gle": "ga", "swa": "sw",
}  # fmt: skip
"""ISO 639-2 where ISO 639-1 has a shorter code, which BCP 47 wants."""
_NAMES = {
    "english": "en", "german": "de", "deutsch": "de", "french": "fr", "français": "fr", "francais": "fr", "spanish": "es", "español": "es", "espanol": "es", "castellano": "es",
    "italian": "it", "italiano": "it", "portuguese": "pt", "português": "pt", "dutch": "nl", "nederlands": "nl", "swedish": "sv", "svenska": "sv", "norwegian": "no",
    "norsk": "no", "bokmål": "nb", "nynorsk": "nn", "danish": "da", "dansk": "da", "finnish": "fi", "suomi": "fi", "polish": "pl", "polski": "pl", "czech": "cs", "čeština": "cs",
    "hungarian": "hu", "magyar": "hu", "romanian": "ro", "română": "ro", "greek": "el", "ελληνικά": "el", "russian": "ru", "русский": "ru", "ukrainian": "uk", "українська": "uk",
    "arabic": "ar", "العربية": "ar", "عربي": "ar", "hebrew": "he", "עברית": "he", "turkish": "tr", "türkçe": "tr", "persian": "fa", "farsi": "fa", "فارسی": "fa", "urdu": "ur",
    "hindi": "hi", "chinese": "zh", "中文": "zh", "japanese": "ja", "日本語": "ja", "korean": "ko", "한국어": "ko", "vietnamese": "vi", "indonesian": "id", "catalan": "ca", "català": "ca",
}  # fmt: skip


def tag_of(written: str) -> str:
    """The tag of a language as a source writes it; empty where nobody can say which it is."""
    bare = written.strip().replace("_", "-")
    low = bare.casefold()
    if known := _THREE.get(low) or _NAMES.get(low) or _NAMES.get(low.partition(" ")[0]):
        return known
    return bare if _TAG.fullmatch(bare) else ""
