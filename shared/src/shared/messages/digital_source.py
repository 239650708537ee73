"""How something came to be, by IPTC's vocabulary of digital source types (http://cv.iptc.org/newscodes/digitalsourcetype/)."""

import re
from collections.abc import Mapping
from typing import Final, Literal

URI: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/"

AiShare = Literal["", "made", "partly"]

_MADE = ("trainedAlgorithmicMedia", "trainedAlgorithmicData")
_PARTLY = ("compositeWithTrainedAlgorithmicMedia", "compositeSynthetic")
_SHARES: Mapping[str, AiShare] = {**dict.fromkeys(_MADE, "made"), **dict.fromkeys(_PARTLY, "partly")}
_RETIRED: Mapping[str, str] = {
    "softwareImage": "digitalCreation",
    "minorHumanEdits": "humanEdits",
    "trainedAlgorithmMedia": "trainedAlgorithmicMedia",
}
_KNOWN = {
    name.lower(): name
    for name in (
        *_MADE, *_PARTLY, "algorithmicMedia", "algorithmicallyEnhanced", "compositeCapture", "composite", "dataDrivenMedia",
        "digitalArt", "digitalCapture", "digitalCreation", "computationalCapture", "humanEdits", "minorHumanEdits", "multiFrame",
        "negativeFilm", "positiveFilm", "print", "screenCapture", "softwareImage", "virtualRecording", "trainedAlgorithmMedia",
    )
}  # fmt: skip
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]{2,59}")


def source_type_of(written: str) -> str:
    """The name of a digital source type that is written as a URI, as `digsrctype:…` or bare; empty for what is none.

    A name that the vocabulary may have by now is kept as it is.
    """
    name = re.split(r"[/#:]", written.strip()[:300].rstrip("/"))[-1]
    if not _NAME.fullmatch(name):
        return ""
    known = _KNOWN.get(name.lower(), name)
    return _RETIRED.get(known, known)


def ai_share_of(source_type: str) -> AiShare:
    """Whether a generative model made it, or part of it."""
    return _SHARES.get(source_type, "")
