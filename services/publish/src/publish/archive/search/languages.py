"""Which of Postgres' text search configurations a language is indexed with."""

from collections.abc import Mapping

SIMPLE = "simple"
"""Words as they are: for languages that Postgres has no rules of, as Ukrainian or Japanese."""

CONFIGS: Mapping[str, str] = {
    "ar": "arabic", "hy": "armenian", "eu": "basque", "ca": "catalan", "da": "danish", "nl": "dutch", "en": "english",
    "et": "estonian", "fi": "finnish", "fr": "french", "de": "german", "el": "greek", "hi": "hindi", "hu": "hungarian",
    "id": "indonesian", "ga": "irish", "it": "italian", "lt": "lithuanian", "ne": "nepali", "no": "norwegian",
    "nb": "norwegian", "nn": "norwegian", "pt": "portuguese", "ro": "romanian", "ru": "russian", "sr": "serbian",
    "es": "spanish", "sv": "swedish", "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}  # fmt: skip
"""By the first part of a language tag. A Postgres that lacks one takes `simple` (Postgres 18, section 12.7)."""


def config_of(language: str) -> str:
    """The configuration of a language tag."""
    return CONFIGS.get(language.lower().partition("-")[0], SIMPLE)
