"""Content credentials: what a picture's C2PA manifest says of who signed it and what was done. Runs in confined processes only.

Nothing is fetched: a manifest that lies elsewhere is not looked for, nor is any list of revoked certificates.
Source: C2PA Technical Specification 2.1, validation states and actions.
"""

import io
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Literal

import c2pa
import orjson
from pydantic import BaseModel, JsonValue

from shared.messages import ContentCredentials
from shared.messages.digital_source import ai_share_of, source_type_of

MAX_REPORT_CHARS = 4_000_000
"""Of what the library tells of a manifest; those of real pictures have some thousand."""
MAX_ACTIONS = 20
MAX_TEXT = 200
_MEDIA_TYPES = {
    "jpeg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "gif": "image/gif",
    "avif": "image/avif",
}
_STATES: Mapping[str, Literal["trusted", "valid", "invalid"]] = {"Trusted": "trusted", "Valid": "valid"}


class _Named(BaseModel):
    name: str = ""


class _Action(BaseModel):
    action: str = ""
    digitalSourceType: str = ""  # noqa: N815 -- C2PA's name


class _Assertion(BaseModel):
    label: str = ""
    data: JsonValue = None


class _Signature(BaseModel):
    issuer: str | None = None
    common_name: str | None = None
    time: str | None = None


class _Manifest(BaseModel):
    claim_generator_info: list[_Named] = []
    claim_generator: str | None = None
    assertions: list[_Assertion] = []
    ingredients: list[JsonValue] = []
    signature_info: _Signature = _Signature()


class _Report(BaseModel):
    active_manifest: str = ""
    manifests: dict[str, _Manifest] = {}


def has_manifest(data: bytes) -> bool:
    """Whether bytes look like those of a file with a manifest; a look that costs next to nothing."""
    return b"jumb" in data and b"c2pa" in data


def read_credentials(data: bytes, kind: str, trusted: str = "") -> tuple[ContentCredentials | None, str]:
    """What the manifest in a picture says, and the digital source type it names; None where there is none.

    `trusted`: certificates of issuers that the newsroom trusts, as PEM. A manifest that cannot be read is `invalid`.
    """
    if not has_manifest(data):
        return None, ""
    try:
        reader = c2pa.Reader.try_create(_MEDIA_TYPES[kind], io.BytesIO(data), context=_context(trusted))
        if reader is None:
            return None, ""
        with reader:
            written = reader.json()
            state = str(reader.get_validation_state())
        if len(written) > MAX_REPORT_CHARS:
            return ContentCredentials(state="invalid"), ""
        return _summary(_Report.model_validate_json(written), _STATES.get(state, "invalid"))
    except (c2pa.C2paError, ValueError, TypeError, RecursionError):
        return ContentCredentials(state="invalid"), ""


def warm_up() -> None:
    """Load the library and what it needs while files can still be opened."""
    _context("")


@lru_cache(2)
def _context(trusted: str) -> c2pa.Context:
    settings: dict[str, dict[str, bool | str]] = {
        "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False, "verify_trust": bool(trusted)},
    }
    if trusted:
        settings["trust"] = {"trust_anchors": trusted}
    return c2pa.Context(c2pa.Settings.from_json(orjson.dumps(settings).decode()))


def _summary(report: _Report, state: Literal["trusted", "valid", "invalid"]) -> tuple[ContentCredentials, str]:
    manifest = report.manifests.get(report.active_manifest)
    if manifest is None:
        return ContentCredentials(state="invalid"), ""
    signature = manifest.signature_info
    tools = [one.name for one in manifest.claim_generator_info] or [(manifest.claim_generator or "").partition(" ")[0]]
    credentials = ContentCredentials(
        state=state,
        signer=_short(signature.common_name or signature.issuer or ""),
        signed_at=_short(signature.time or ""),
        tool=_short(next(filter(None, tools), "")),
        actions=tuple(dict.fromkeys(_short(one.action) for one in _actions(manifest) if one.action))[:MAX_ACTIONS],
        ingredients=len(manifest.ingredients),
    )
    return credentials, _source_type(report) if state != "invalid" else ""


def _source_type(report: _Report) -> str:
    """The type that the manifests name, of the picture or of what it was made of; one of AI before any other."""
    names = [
        name
        for manifest in report.manifests.values()
        for action in _actions(manifest)
        if (name := source_type_of(action.digitalSourceType))
    ]
    made = [name for name in names if ai_share_of(name)]
    return next(iter(made or names), "")


def _actions(manifest: _Manifest) -> Iterator[_Action]:
    for assertion in manifest.assertions:
        if assertion.label.startswith("c2pa.actions") and isinstance(assertion.data, dict):
            several = assertion.data.get("actions")
            for one in several[:MAX_ACTIONS] if isinstance(several, list) else []:
                if isinstance(one, dict):
                    yield _Action.model_validate(
                        {name: one.get(name) or "" for name in ("action", "digitalSourceType")}
                    )


def _short(text: str) -> str:
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text[: 2 * MAX_TEXT]).split())[
        :MAX_TEXT
    ]
