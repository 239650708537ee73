"""The script of a video as agencies send it: restrictions, a list of its shots, then the story. Readers get the story. Pure."""

import re

from ingest.formats.copy import blocks

_SIGNS = ("SHOTLIST", "SHOT LIST", "SHOWS", "RESTRICTIONS")
_STORY = re.compile(r"\W*(?:STORY ?LINE|STORY|SCRIPT|LEAD-?IN)\s*:\s*", re.IGNORECASE)
_SHOTS = re.compile(
    r"\W*(?:SHOT ?LIST|(?:VIDEO )?SHOWS|RESTRICTIONS|ACCESS ALL|DURATION|SOURCE|TRT)\s*:", re.IGNORECASE
)


def without_script(html: str) -> tuple[str, str]:
    """The story of a script, and what stands before it; a body that is none is left as it is."""
    if "STORY" not in html or not any(one in html for one in _SIGNS):
        return html, ""
    before: list[str] = []
    has_shots = False
    for block in blocks.leaves(html):
        words = block.words
        story = _STORY.match(words)
        if story is not None and has_shots:
            rest = html[block.end :] if story.end() == len(words) else html[block.start :]
            label = _STORY.match(block.inner)
            if story.end() < len(words) and label is not None:
                rest = (
                    html[block.start : block.inner_at]
                    + block.inner[label.end() :]
                    + html[block.inner_at + len(block.inner) :]
                )
            return (rest.strip(), "\n".join(before)) if rest.strip() else (html, "")
        has_shots = has_shots or _SHOTS.match(words) is not None
        before += [words] if words else []
    return html, ""
