"""`ingest read`: one JSON line a file, no server, an exit status that a script can use."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from ingest.cli.read import read_command


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """A good file, one with a bad item, one that is no document, and one that is absent."""
    documents = {
        "good.json": '{"guid": "a", "headline": "A", "urgency": "3"}',
        "mixed.json": '[{"guid": "a", "headline": "A"}, {"headline": "B"}]',
        "bad.json": '{"headline": "no guid", "body_html": "x", "guid": ""}',
        "broken.xml": "<nitf><body>",
    }
    for name, content in documents.items():
        (tmp_path / name).write_text(content)
    return {name: str(tmp_path / name) for name in (*documents, "absent.xml")}


def test_a_line_says_what_would_be_emitted(files: dict[str, str]) -> None:
    """Format, updates, repairs and refusals; exit status 0 where nothing is an error."""
    result = CliRunner().invoke(read_command, ["--source", "wire", files["good.json"], files["mixed.json"]])
    good, mixed = (json.loads(line) for line in result.output.splitlines())
    assert result.exit_code == 0
    assert (good["format"], good["error"], good["updates"][0]["guid"], good["updates"][0]["source"]) == (
        "native",
        None,
        "a",
        "wire",
    )
    assert [repair["code"] for repair in good["repairs"]] == ["text-for-number"]
    assert (len(mixed["updates"]), mixed["refused"][0]["place"], mixed["error"]) == (1, "/1/guid", None)


@pytest.mark.parametrize(
    ("name", "code"), [("bad.json", "invalid-field"), ("broken.xml", "malformed-xml"), ("absent.xml", "no-file")]
)
def test_an_error_has_code_place_and_reason_and_exit_status_1(files: dict[str, str], name: str, code: str) -> None:
    """The other files are still told."""
    result = CliRunner().invoke(read_command, [files[name], files["good.json"]])
    failed, good = (json.loads(line) for line in result.output.splitlines())
    assert result.exit_code == 1
    assert failed["error"]["code"] == code
    assert failed["error"]["reason"]
    assert (failed["file"], failed["updates"]) == (files[name], [])
    assert good["updates"]


def test_it_loads_no_client_of_any_server() -> None:
    """The command works where there is no Kafka, Postgres or Redis, and starts without their clients."""
    code = "import sys, ingest.cli.read; print([name for name in ('aiokafka', 'asyncpg', 'redis', 'httpx', 'faststream') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_document_without_items_says_so(tmp_path: Path) -> None:
    """An empty feed is no error, and not silent either."""
    feed = tmp_path / "empty.xml"
    feed.write_text('<rss version="2.0"><channel><title>T</title><link>https://x.example/</link></channel></rss>')
    answer = CliRunner().invoke(read_command, [str(feed)])
    assert answer.exit_code == 0
    line = json.loads(answer.output)
    assert (line["format"], line["updates"], line["error"]) == ("rss", [], None)
    assert line["note"] == "the document is well formed and has no items"


def test_a_number_of_more_than_64_bits_is_shown(tmp_path: Path) -> None:
    """What a vendor keeps in members of its own ends no reading, however large it is."""
    file = tmp_path / "large.json"
    file.write_text(
        '{"uri": "urn:a", "headline": "x", "body_text": "y", "mine": {"n": 123456789012345678901234567890}}'
    )
    answer = CliRunner().invoke(read_command, [str(file)])
    assert answer.exit_code == 0
    assert json.loads(answer.output)["updates"][0]["headline"] == "x"
