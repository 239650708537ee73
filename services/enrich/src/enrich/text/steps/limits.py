"""Lines that are too long: ingest cuts them where they come in, and what was sent before it did is cut here."""

from shared.messages.limits import LONGEST

LONGEST_NAME = 200
"""Characters of the name of an author, a tag or a keyword: the longest of real copy has 80."""
LONGEST_CODE = 200
"""Of a code that a source gives a subject."""
MOST_REPAIRS = 50
"""That travel with a revision; each with `LONGEST_DETAIL` characters of where and what was found."""
LONGEST_DETAIL = 300


def cut(text: str, most: int) -> str:
    """The text, cut between words where it is longer than `most` characters, with an ellipsis that counts."""
    if len(text) <= most:
        return text
    end = text.rfind(" ", most // 2, most)
    return text[: end if end > 0 else most - 1].rstrip() + "…"


__all__ = ("LONGEST", "LONGEST_CODE", "LONGEST_DETAIL", "LONGEST_NAME", "MOST_REPAIRS", "cut")
