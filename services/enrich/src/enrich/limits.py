"""How long the fields beside the body may be. Ingest refuses or cuts what is longer; a message that is older than its limits is cut here."""

from collections.abc import Mapping

LONGEST: Mapping[str, int] = {
    "headline": 500,
    "summary": 5000,
    "byline": 1000,
    "credit": 500,
    "copyright": 2000,
    "located": 300,
    "editors_note": 5000,
    "reason": 2000,
    "story": 300,
    "slugline": 300,
    "caption": 4000,
    "alt_text": 2000,
    "name": 200,
    "version": 200,
    "guid": 2000,
    "code": 200,
}
"""Characters by field; `name` is of an author or a tag, `code` of a tag. The longest headline of real copy has 300."""
MOST_REPAIRS = 50
"""That travel with a revision; each with `LONGEST_DETAIL` characters of what was found."""
LONGEST_DETAIL = 300


def cut(text: str, most: int) -> str:
    """The text, cut between words where it is longer than `most` characters, with an ellipsis that counts."""
    if len(text) <= most:
        return text
    end = text.rfind(" ", most // 2, most)
    return text[: end if end > 0 else most - 1].rstrip() + "…"
