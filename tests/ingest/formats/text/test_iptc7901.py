"""IPTC 7901 as it is sent."""

import pytest

from ingest.formats.text import teleprinter

pytestmark = pytest.mark.unit


def test_columns_parted_by_semicolons_are_a_table() -> None:
    """Rows in a row with as many cells each; a sentence with semicolons is none, and markup in a text stays words."""
    body = "Resultate:\n\n   Bern;10;20;24\n   Basel;10;18;21\n\n   He came; he saw; he won.\n   <table>x</table>"
    assert teleprinter.body_html(body) == (
        "<p>Resultate:</p><table><tr><td>Bern</td><td>10</td><td>20</td><td>24</td></tr><tr><td>Basel</td><td>10</td><td>18</td>"
        "<td>21</td></tr></table><p>He came; he saw; he won.</p><p>&lt;table&gt;x&lt;/table&gt;</p>"
    )
    assert teleprinter.body_html("One; two.") == "<p>One; two.</p>"
