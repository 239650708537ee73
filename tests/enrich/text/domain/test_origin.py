"""A text that was made with AI goes out labelled, or after a person took responsibility for it."""

from enrich.reference.loader import ReferenceData
from enrich.settings import Settings
from enrich.text.domain.attachments import Attachments
from enrich.text.domain.lifecycle import Input, decide
from enrich.text.domain.revision import build_revision
from enrich.text.domain.state import State
from enrich.text.steps.runner import Steps
from shared.messages import EnrichedUpdate, Signature
from support.incoming import minute, order, version

AI = "trainedAlgorithmicMedia"


def published(*inputs: Input, signed_by: str = "") -> EnrichedUpdate:
    """The revision after these, with the desk's orders signed by a person or by none."""
    state = State(update_id=inputs[0].update_id)
    for each in inputs:
        transition = decide(each, state)
        state = transition.state
        decisions = {
            matter: decision.model_copy(update={"person": signed_by})
            for matter, decision in state.desk_decisions.items()
        }
        state = state.model_copy(update={"desk_decisions": decisions})
    raw = state.current_version.raw
    read = Steps(ReferenceData(), Settings()).run(raw, (raw.headline, raw.body_html), {})
    attachments = Attachments(read.text, read.authorship, read.tagging)
    revision = build_revision(
        transition.__class__(state, "enriched", "", "visible", forced=True), attachments, minute(9)
    )
    assert revision is not None
    return revision.update


def test_what_the_wire_says_of_the_origin_is_kept() -> None:
    """From the version to the revision."""
    update = published(version(digital_source_type=AI))
    assert (update.digital_source_type, update.responsible) == (AI, "")


def test_a_person_who_corrects_it_takes_responsibility_for_that_version() -> None:
    """A desk's key alone does not, nor does a correction cover what the source says next."""
    made, correction = version(digital_source_type=AI), order("correct", 2, headline="Checked")
    assert published(made, correction, signed_by="Erika Muster").responsible == "Erika Muster"
    assert published(made, correction).responsible == ""
    later = version(3, digital_source_type=AI)
    assert published(made, correction, later, signed_by="Erika Muster").responsible == ""
    assert published(version(), correction, signed_by="Erika Muster").responsible == ""


def test_the_person_is_the_one_who_signed_the_order() -> None:
    """Not the holder of the key."""
    made = version(digital_source_type=AI)
    first = decide(made, State(update_id=made.update_id)).state
    signed = order(
        "correct", 2, headline="Checked", signed_by=Signature(key_id="k", holder="desk", person="Erika Muster")
    )
    assert decide(signed, first).state.desk_decisions["correction"].person == "Erika Muster"
    unsigned = order("correct", 2, headline="Checked", signed_by=Signature(key_id="k", holder="desk"))
    assert decide(unsigned, first).state.desk_decisions["correction"].person == ""
