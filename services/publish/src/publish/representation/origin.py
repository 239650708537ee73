"""How a text or picture came to be, in words for readers: the label of what was made with AI, and content credentials."""

from collections.abc import Callable, Mapping

from publish.representation.reader_update import ReaderCredentials, ReaderUpdate
from publish.representation.words import printable
from shared.messages.digital_source import URI, AiShare, ai_share_of

_LABELS: Mapping[AiShare, str] = {"made": "Made with AI", "partly": "Partly made with AI", "": ""}
_OTHERS = {
    "algorithmicMedia": "Made by a computer program",
    "dataDrivenMedia": "Made by a computer program from data",
    "algorithmicallyEnhanced": "Enhanced by a computer program",
}
_ACTIONS = {
    "c2pa.created": "created", "c2pa.captured": "taken", "c2pa.edited": "edited", "c2pa.color_adjustments": "colours changed",
    "c2pa.cropped": "cropped", "c2pa.resized": "resized", "c2pa.placed": "put together of others", "c2pa.opened": "opened",
    "c2pa.drawing": "drawn on", "c2pa.filtered": "filtered", "c2pa.orientation": "turned", "c2pa.redacted": "parts taken out",
    "c2pa.converted": "converted", "c2pa.transcoded": "converted", "c2pa.published": "published", "c2pa.edited.metadata": "its data changed",
    "c2pa.enhanced": "enhanced", "c2pa.adjustedColor": "colours changed", "c2pa.removed": "parts taken out",
}  # fmt: skip


CHECKED = "Checked by an editor"


def label_of(source_type: str) -> str:
    """The label that readers see; empty where nothing needs one."""
    return _LABELS[ai_share_of(source_type)] or _OTHERS.get(source_type, "")


def text_label(update: ReaderUpdate, said: Callable[[str], str] = str) -> str:
    """The label of an update's text, as `said` says it. Where a person has taken responsibility for it, the label says so."""
    label = label_of(update.digital_source_type)
    if not label:
        return ""
    return f"{said(label)} · {said(CHECKED)}" if update.checked else said(label)


def source_type_uri(source_type: str) -> str:
    """The URI of a digital source type, as schema.org, ninjs and XMP have it; empty for none."""
    return URI + source_type if source_type else ""


def credentials_line(credentials: ReaderCredentials | None) -> str:
    """What a picture's content credentials say, in one line; empty where it has none."""
    if credentials is None:
        return ""
    if credentials.state == "invalid":
        return "The picture's content credentials do not match it."
    signer = printable(credentials.signer) or "an unnamed signer"
    done = list(dict.fromkeys(_ACTIONS[each] for each in credentials.actions if each in _ACTIONS))
    vouched = "" if credentials.state == "trusted" else " (signer not verified)"
    tool = f" with {printable(credentials.tool)}" if credentials.tool else ""
    return f"Content credentials: signed by {signer}{vouched}{tool}" + (f"; {', '.join(done)}" if done else "") + "."
