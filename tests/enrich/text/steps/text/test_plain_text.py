"""Plain text has the words that another parser finds."""

import pytest
from selectolax.lexbor import LexborHTMLParser

from enrich.text.steps.text.plain_text import plain
from enrich.text.steps.text.sanitise import sanitised


@pytest.mark.parametrize(
    "body",
    [
        "<p>One &amp; two</p><p>Three<br>four</p>",
        "<ul><li>one<li>two</ul><p>x <b>bold</b> y</p>",
        '<p>See <a href="https://x.example/?a=1>2&amp;b">here</a> now</p>',
        "<blockquote><p>quoted</p></blockquote><h2>Head</h2>text",
        "<p>a&nbsp;b &lt;tag&gt; &quot;q&quot;</p>",
        "<table><tr><td>a<td>b<tr><td>c</table>",
    ],
)
def test_the_plain_text_has_the_words_that_another_parser_finds(body: str) -> None:
    """Read off the sanitised HTML by two parsers, the words are the same, in order, and blocks do not run together."""
    clean = sanitised(body)
    tree = LexborHTMLParser(clean)
    assert tree.body is not None
    assert plain(clean).split() == tree.body.text(separator=" ").replace("\xa0", " ").split() or plain(clean).replace("\xa0", " ").split() == tree.body.text(separator=" ").replace("\xa0", " ").split()  # fmt: skip


def test_blocks_are_parted_by_a_blank_line_and_breaks_by_a_line() -> None:
    """What a reader sees apart is apart in the text."""
    assert (
        plain(sanitised("<p>One</p>\n<p>Two<br>three</p><ul><li>a</li><li>b</li></ul>"))
        == "One\n\nTwo\nthree\n\na\n\nb"
    )
