"""The text step: safe HTML, plain text, language, excerpt and reading time."""

import html
from collections.abc import Mapping
from types import MappingProxyType

from enrich.short_text import line_of, tidy
from enrich.text.domain.attachments import Text
from enrich.text.steps.budget import Budget
from enrich.text.steps.text.language import direction_of, language_of, normalised_language
from enrich.text.steps.text.plain_text import ANY_TAG, plain, unescaped
from enrich.text.steps.text.reading import excerpt_of, reading
from enrich.text.steps.text.sanitise import sanitised
from shared.messages.limits import LONGEST

MOST_MARKUP = 30_000
"""Tags of a body, and a third of its references or lines: ten times what a long table of results has. What has more is shown as its words alone, since
parsers of HTML take seconds for it, in which nothing else is handled."""
SIGNS = str.maketrans("<>&", "   ")


def is_overloaded(body_html: str) -> bool:
    """Whether a body has more markup, references or lines than anybody writes."""
    return body_html.count("<") > MOST_MARKUP or max(map(body_html.count, "&>\n")) > 3 * MOST_MARKUP


def words_alone(body_html: str) -> str:
    """A body without tags, and without the signs that would each be written as a reference."""
    return unescaped(ANY_TAG.sub(" ", body_html)).translate(SIGNS)


def read_text(
    headline: str,
    body_html: str,
    summary: str,
    language: str | None,
    budget: Budget | None = None,
    *,
    anchors: Mapping[str, str] = MappingProxyType({}),
) -> Text:
    """Sanitise the words of a version and derive from them what pages need. The same words always give the same.

    `anchors` are those of the pictures that stand in the body, by their addresses.
    """
    budget = budget or Budget()
    if is_overloaded(body_html):
        return bare_text(headline, words_alone(body_html), summary, language)
    headline, summary = line_of(headline, LONGEST["headline"]), line_of(summary, LONGEST["summary"])
    body = sanitised(body_html, anchors)
    text = plain(body)
    missed = budget.spent
    code, why = language_of(language, "") if missed else language_of(language, f"{headline}\n{text or summary}")
    words, minutes = reading(text or summary, code)
    return Text(
        headline=headline,
        body_html=body,
        text=text,
        summary=summary,
        excerpt=excerpt_of(summary or text),
        language=code,
        direction=direction_of(code, headline or text),
        word_count=words,
        read_time_minutes=minutes,
        why_language=why,
        missed=missed,
    )


def bare_text(headline: str, body_html: str, summary: str, language: str | None) -> Text:
    """What the step degrades to: every tag is removed, so that nothing unsafe can be left."""
    text = tidy(unescaped(ANY_TAG.sub(" ", body_html)))
    headline, summary = line_of(headline, LONGEST["headline"]), line_of(summary, LONGEST["summary"])
    code = normalised_language(language) or "und"
    words, minutes = reading(text or summary, code)
    body = f"<p>{html.escape(text)}</p>" if text else ""
    excerpt = excerpt_of(summary or text)
    return Text(headline, body, text, summary, excerpt, code, direction_of(code, headline), words, minutes, "", True)
