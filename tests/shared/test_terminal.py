"""Words of strangers in an operator's terminal."""

import io
import json
import sys

import click
import orjson
import pytest
import structlog
from click.testing import CliRunner

from shared.commands import Commands
from shared.observability.logs import configure_logging
from shared.settings import Connections
from shared.terminal import drawable, escaped, escaping_output, on_one_line

HOSTILE = "a\x1b[2J\x1b]0;title\x07b\x9b8mc\u202egpj.exe\x00\x7f\r\x08\u2066\U000e0041"


def test_whatever_a_terminal_obeys_is_written_out() -> None:
    """As JSON writes it, so that JSON says the same with it; and what is escaped once is not escaped again."""
    shown = escaped(HOSTILE)
    assert shown.isascii()
    assert shown.isprintable()
    assert escaped(shown) == shown
    assert json.loads(f'"{shown}"') == HOSTILE
    for plain in ("Ölpreis steigt – 中文 \u200fעברית\n\tx", click.style("red", fg="red", bold=True), "a" * 9):
        assert escaped(plain) == plain
    assert on_one_line("a\nb\t\u2028c") == "a\\u000ab\\u0009\\u2028c"


def test_no_command_prints_what_a_terminal_obeys() -> None:
    """Neither what it says nor the error that it ends with; its colours stay, and so does what its JSON says."""
    group = Commands("tests", places={})

    @group.command()
    def show() -> None:
        click.echo(f"{click.style('mark', fg='red')} {HOSTILE}", color=True)
        click.echo(orjson.dumps({"said": HOSTILE}).decode())
        print(HOSTILE, file=sys.stderr)
        raise click.ClickException(f"no such thing: {HOSTILE}")

    done = CliRunner().invoke(group, ["show"], color=True)
    assert done.exit_code == 1
    first, second = done.stdout.splitlines()
    assert first == f"{click.style('mark', fg='red')} {escaped(HOSTILE)}"
    assert json.loads(second) == {"said": HOSTILE}
    assert done.stderr == f"{escaped(HOSTILE)}\nError: no such thing: {escaped(HOSTILE)}\n"


def test_a_bar_of_progress_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """It moves the cursor itself, and shows nobody's words."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with escaping_output(), click.progressbar(length=2, label="replaying", file=drawable(sys.stderr)) as bar:
        bar.update(2)
    assert "\r" in terminal.getvalue()
    assert "100%" in terminal.getvalue()
    assert "\\u000d" not in terminal.getvalue()


@pytest.mark.parametrize("form", ["json", "text"])
def test_no_word_begins_a_line_of_the_log(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A value with a line end in it is one line still, and nothing in it moves a cursor."""
    said = io.StringIO()
    monkeypatch.setattr(sys, "stderr", said)
    try:
        configure_logging(Connections(log_format=form), "tests")
        structlog.get_logger().error(
            "refused", reason=f"{HOSTILE}\n2026-11-29T09:00:00Z [info] all is well", name=HOSTILE
        )
    finally:
        structlog.reset_defaults()
        structlog.contextvars.clear_contextvars()
    (line,) = said.getvalue().splitlines()
    assert "\x1b" not in line
    assert "all is well" in line
