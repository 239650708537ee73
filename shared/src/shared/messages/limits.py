"""How long the parts of an update may be, and how many of them. Whoever takes text from outside keeps to these.

They are kept where text comes in, not by the models: a message that was written before them is read as it is.
"""

from collections.abc import Mapping

LONGEST: Mapping[str, int] = {
    "guid": 1_000,
    "version": 200,
    "evolved_from": 1_000,
    "translation_of": 1_000,
    "replaces": 1_000,
    "story": 500,
    "link": 4_000,
    "language": 100,
    "headline": 1_000,
    "summary": 10_000,
    "body_html": 1_000_000,
    "byline": 1_000,
    "credit": 1_000,
    "copyright": 2_000,
    "usage_terms": 10_000,
    "located": 1_000,
    "slugline": 500,
    # Of a story's profile; `story_point` is one sentence or two of its summary.
    "story_name": 200,
    "standfirst": 600,
    "story_point": 400,
    "editors_note": 10_000,
    "private_note": 10_000,
    "correction_reason": 2_000,
    "keywords": 200,
    # Of blocks: titles, names, questions, options, and what is said at length (facts, quotes, answers).
    "block_line": 500,
    "block_text": 5_000,
    # Parts of subjects, creators and media.
    "code": 1_000,
    "name": 500,
    "scheme": 1_000,
    "uri": 2_000,
    "role": 200,
    "email": 320,
    "organisation": 500,
    "url": 4_000,
    "renditions": 4_000,
    "mime_type": 200,
    "caption": 5_000,
    "alt_text": 5_000,
    "creator": 1_000,
    "instructions": 10_000,
    "digital_source_type": 100,
    "terms_url": 4_000,
    "licensor_url": 4_000,
}
"""Characters by field of a raw update and of its parts; of a list, of each of its texts."""

MOST: Mapping[str, int] = {
    "keywords": 200,
    "subjects": 500,
    "creators": 100,
    "media": 100,
    "renditions": 50,
    "replaces": 2_000,
    "story_points": 12,
    "blocks": 20,
    "facts": 30,
    "sides": 40,
    "options": 12,
}
"""How many of each."""

MOST_EXTRA_BYTES = 64 * 1024
"""As JSON: what is kept of the source's words that have no field of ours, for one update."""
