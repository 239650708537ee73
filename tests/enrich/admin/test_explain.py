"""`python -m enrich explain`: nothing is connected to, and everything says why."""

import json
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from enrich.__main__ import cli

FERRY = (
    "A ferry carrying 120 people ran aground off Port Marrow on Monday morning, the coastguard said. No one was hurt."
)
LINES = [
    {"source": "pa", "guid": "1", "received_at": "2026-11-23T09:00:00Z", "headline": "Ferry aground", "body_html": f"<p>{FERRY}</p>",
     "byline": "By Ada Quill and Joe Doe", "subjects": [{"code": "subj:03010000"}], "language": "en"},
    {"updates": [{"source": "afp", "guid": "2", "received_at": "2026-11-23T09:05:00Z", "headline": "Ferry runs aground",
                  "body_html": f"<p>{FERRY} Lifeboats came.</p>"}]},
    {"source": "pa", "guid": "1", "received_at": "2026-11-23T09:10:00Z", "headline": "Ferry refloated", "signal": "correction",
     "body_html": f"<p>{FERRY}</p>", "correction_reason": "It floats", "language": "en"},
    {"source": "pa", "guid": "1", "received_at": "2026-11-23T09:20:00Z", "status": "canceled"},
]  # fmt: skip


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection would fail the test."""

    def refuse(*_: object) -> None:
        raise AssertionError("explain connects to nothing")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def explain(*arguments: str, lines: str) -> Result:
    """The command with the lines on its standard input."""
    return CliRunner().invoke(cli, ["explain", "-", *arguments], input=lines)


def test_each_step_says_what_it_makes_of_an_update_and_why(tmp_path: Path) -> None:
    """Transition, authors, tags, story and text of each version in its order, whole lines of `ingest read` included."""
    authors = tmp_path / "authors.csv"
    authors.write_text("id,name,role,sources\nada-quill,Ada Quill,Reporter,pa\n")
    names = tmp_path / "names.jsonl"
    names.write_text(json.dumps({"code": "place:port-marrow", "kind": "place", "label": "Port Marrow"}))
    result = explain("--authors", str(authors), "--names", str(names), lines="\n".join(map(json.dumps, LINES)))
    assert result.exit_code == 0, result.output
    first, second, corrected, killed = [json.loads(line) for line in result.output.splitlines()]
    assert first["authors"]["because"] == ["Ada Quill: name or alias", "Joe Doe: not in the directory"]
    assert {tag["code"] for tag in first["tags"]} >= {"place:port-marrow", "medtop:20000139"}
    assert "same story because its text is" in second["story"]["because"]
    assert second["text"]["language"] == "en"
    assert (corrected["emits"]["kind"], corrected["emits"]["change"]["reason"]) == ("correct", "It floats")
    assert (killed["decision"]["visibility"], killed["emits"]["removal"]) == ("killed", "killed")
    assert "Ferry" not in json.dumps(killed)


@pytest.mark.parametrize("line", ["{", "3", '{"guid": 1}', '{"guid": "1", "urgency": 99}', "[1]", "\x00"])
def test_a_line_that_cannot_be_understood_ends_with_its_place(line: str) -> None:
    """Exit code 1 and the line's number, whatever the line is."""
    result = explain(lines=f"{json.dumps(LINES[0])}\n{line}")
    assert result.exit_code == 1
    assert "/2" in result.output or "line 2" in result.output


def test_for_people_it_prints_lines(tmp_path: Path) -> None:
    """`--text` is the same for eyes."""
    result = explain("--text", lines=json.dumps(LINES[0]))
    assert result.exit_code == 0
    assert "because: a newer version" in result.output
