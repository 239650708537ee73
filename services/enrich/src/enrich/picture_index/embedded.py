"""The words that a picture carries in itself, as the index keeps them."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from pydantic import JsonValue


@dataclass(frozen=True, slots=True)
class Embedded:
    """The words that a picture's own IPTC and XMP carry; empty where they say nothing."""

    headline: str = ""
    caption: str = ""
    credit: str = ""
    creator: str = ""
    source: str = ""
    copyright: str = ""
    usage_terms: str = ""
    instructions: str = ""
    alt_text: str = ""
    terms_url: str = ""
    """XMP WebStatement."""
    licensor_url: str = ""
    """PLUS LicensorURL."""
    data_mining: str = ""
    """PLUS data mining value, as its name."""
    digital_source: str = ""
    """IPTC digital source type, as its name: `trainedAlgorithmicMedia` is a generated picture."""

    @classmethod
    def from_json(cls, value: Mapping[str, JsonValue]) -> "Embedded":
        """From the index; what a newer writer added is ignored."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: str(text) for name, text in value.items() if name in known})


NOTHING = Embedded()
"""The words of a picture that says nothing."""
