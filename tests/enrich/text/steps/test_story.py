"""What a story is called before readers."""

import pytest

from enrich.reference.stories import gathered_story, is_made, own_story
from enrich.text.domain.state import KnownUpdate, State
from enrich.text.steps.story import place_in_story
from support.incoming import version

RAW = version(1)
OWN = own_story(RAW.update_id)
GATHERED = gathered_story("vgdp57awvvaaaaaaaaaaaaaaaa")


@pytest.mark.parametrize(
    ("known", "into", "labels", "gathered_labels", "label"),
    [
        ({"story": OWN, "gathered": GATHERED, "gathered_is_sure": True, "gathered_label": "Ferry aground"}, {OWN: GATHERED}, {}, {}, "Ferry aground"),
        ({"story": OWN}, {OWN: GATHERED}, {}, {GATHERED: "Ferry aground"}, "Ferry aground"),
        ({"story": OWN}, {OWN: GATHERED}, {GATHERED: "The ferry"}, {GATHERED: "Ferry aground"}, "The ferry"),
        ({"story": OWN}, {OWN: GATHERED}, {}, {}, "Headline of its own"),
        ({"story": "port-marrow"}, {"port-marrow": "ferries"}, {}, {}, "ferries"),
    ],
)  # fmt: skip
def test_a_merged_story_is_called_by_its_label_and_never_by_an_id(
    known: dict[str, str], into: dict[str, str], labels: dict[str, str], gathered_labels: dict[str, str], label: str
) -> None:
    """An editor's name, else that of the story it went into, else the update's own headline."""
    placed = place_in_story(
        RAW, KnownUpdate(State(update_id=RAW.update_id), **known), None,  # type: ignore[arg-type]
        into=into, labels=labels, gathered_labels=gathered_labels, family="pa", headline="Headline of its own",
    )  # fmt: skip
    assert placed.label == label


def test_ids_that_were_made_here_are_known() -> None:
    """A source may call a story so that it looks like one, only."""
    assert is_made(OWN)
    assert is_made(GATHERED)
    assert not is_made("story-of-the-year")
    assert not is_made("update-on-the-budget")


def test_what_only_seems_to_be_one_story_is_none_for_readers() -> None:
    """A merely gathered update is a suggestion to the desk; a surely gathered one is in its story."""
    for is_sure, story in ((True, GATHERED), (False, None)):
        known = KnownUpdate(State(update_id=RAW.update_id), gathered=GATHERED, gathered_is_sure=is_sure)
        placed = place_in_story(RAW, known, None, into={}, labels={}, family="pa", headline="Airport reopens")
        assert placed.story == story
        assert placed.corroboration.count == 1
