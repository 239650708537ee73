"""What is taken into the directory, and what is said of a file that cannot be."""

import pytest
from click.testing import CliRunner

from enrich.__main__ import cli
from enrich.admin.author_directory import read_profiles
from shared.failures import Invalid


def test_csv_and_json_say_the_same() -> None:
    """An id is made of the name, and lists are parted by a bar."""
    table = "name,role,aliases\nAda Quill,Reporter,A. Quill|Adelaide Quill\n".encode("utf-8-sig")
    lines = b'{"name": "Ada Quill", "role": "Reporter", "aliases": ["A. Quill", "Adelaide Quill"]}\n'
    assert read_profiles(table, ".csv") == read_profiles(lines)
    assert read_profiles(lines)[0].id == "ada-quill"


@pytest.mark.parametrize(
    ("body", "suffix", "field", "reason"),
    [
        (b"name,role\n,x\n", ".csv", "/0/name", "has a name"),
        (b"nam,role\nAda,x\n", ".csv", "", "no field of an author: nam"),
        (b'{"name": "Ada"}\n{"name":', "", "", "line 2 is not JSON"),
        (b'[{"name": "Ada", "links": ["ftp://x"]}]', "", "/0/links", "http(s) URLs"),
        (b'[{"name": "Ada"}, {"name": "ADA"}]', "", "/1/id", "twice"),
        (b"[3]", "", "/0", "JSON object"),
        (b"\xff", ".csv", "", "UTF-8"),
    ],
)
def test_a_file_that_cannot_be_taken_says_where_and_why(body: bytes, suffix: str, field: str, reason: str) -> None:
    """Place and reason are named, and nothing is imported in part."""
    with pytest.raises(Invalid) as failure:
        read_profiles(body, suffix)
    assert reason in failure.value.reason
    assert failure.value.field == field


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["tags", "override", "nosuchid", "--add", "medtop:04000000"], "no id of an update"),
        (["tags", "override", "a" * 26, "--add", "politics"], "no code of a tag: politics"),
        (["tags", "override", "a" * 26], "one of --add"),
        (["stories", "split", "x"], "no id of an update"),
    ],
)
def test_a_slip_of_an_editor_is_told_before_anything_is_asked_for(arguments: list[str], reason: str) -> None:
    """A mistyped id or code is no decision that is remembered for ever."""
    result = CliRunner().invoke(cli, arguments, env={"POSTGRES_DSN": "postgresql://nobody@127.0.0.1:1/none"})
    assert result.exit_code == 2
    assert reason in result.output
