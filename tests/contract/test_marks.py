"""What the contract marks: fields that enrich passes on as sent, and fields that hold a source's words."""

from shared.messages import AS_SENT, SOURCE_WORDS, Change, EnrichedUpdate, RawUpdate, marked, without_source_words
from shared.messages.limits import LONGEST
from support.revisions import revision


def test_what_is_passed_on_as_sent_has_the_same_field_in_a_raw_update_and_a_limit() -> None:
    """Enrich copies by name; a text without a limit would let a source send any number of megabytes to every reader."""
    for name in marked(EnrichedUpdate, AS_SENT):
        assert RawUpdate.model_fields[name].annotation == EnrichedUpdate.model_fields[name].annotation, name
        assert EnrichedUpdate.model_fields[name].annotation is not str or name in LONGEST, name


def test_marked_fields_are_emptied_in_parts_as_well_and_nothing_else_is() -> None:
    """Of a change the words go and the reason stays."""
    update = revision("a", story="s", change=Change(fields=("body",), reason="why", diff=(("+", "word"),)))
    bare = without_source_words(update)
    assert bare.change == Change(fields=("body",), reason="why")
    emptied = {name for name in EnrichedUpdate.model_fields if getattr(bare, name) != getattr(update, name)}
    assert emptied == {"headline", "text", "slug", "change"}
    assert emptied - {"change"} <= set(marked(EnrichedUpdate, SOURCE_WORDS))
