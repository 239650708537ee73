"""What enrich keeps, and for how long unless a policy says otherwise."""

from shared.messages.raw import MediaReference
from shared.retention.command import prune_command
from shared.retention.rules import Rule

WORDS_OF_PICTURES = ("headline", "caption", "credit", "copyright", "usage_terms", "alt_text")
"""The fields of a `MediaReference` that hold words."""
assert set(WORDS_OF_PICTURES) <= MediaReference.model_fields.keys()  # noqa: S101

_LIST = ", ".join(f"'{name}'" for name in WORDS_OF_PICTURES)
WITHOUT_WORDS = f"wanted = wanted - ARRAY[{_LIST}], fetched_as = fetched_as - ARRAY[{_LIST}]"
"""Assignments that take the words out of references."""
_HAS_WORDS = f"(t.wanted ?| ARRAY[{_LIST}] OR t.fetched_as ?| ARRAY[{_LIST}])"

RULES = (
    Rule(
        "killed-captions", "caption, credit and the like of pictures of killed updates, if the kill has left any",
        "enrich.media_references", "update_id, reference",
        "$1::timestamptz IS NOT NULL AND EXISTS (SELECT FROM enrich.updates u WHERE u.update_id = t.update_id "
        f"AND u.status IN ('killed', 'taken-down')) AND {_HAS_WORDS}", 1, erase=WITHOUT_WORDS,
    ),
    Rule(
        "unknown-names", "names of bylines that the directory does not know, and that nobody has written since",
        "enrich.unknown_names", "name", "t.last_seen < $1", 180,
    ),
)  # fmt: skip

prune = prune_command("enrich", RULES)
