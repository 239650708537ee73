"""What operators see in a terminal: words of strangers are shown there, and must not do anything.

A headline, a file's name or a server's error may hold control characters. A terminal takes those for orders: to clear the screen, to
hide a line, to rename the window, on some to type. Overrides of direction show a name as another one.
"""

import contextlib
import io
import re
import sys
from collections.abc import Iterator
from typing import TextIO

_ORDERS = re.compile(
    r"(?P<colour>\x1b\[(?:0|1|3[0-7]|9[0-7])m)"
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_LINES = re.compile(r"[\t\n]")


def _shown(match: re.Match[str]) -> str:
    """As JSON writes a character, so that JSON says the same with it."""
    character = match[0]
    if len(character) > 1:
        return character
    data = character.encode("utf-16-be")
    return "".join(f"\\u{data[at : at + 2].hex()}" for at in range(0, len(data), 2))


def escaped(text: str) -> str:
    """The text with every character that a terminal obeys or hides written out; line ends, tabs and the colours of our own stay."""
    return text if text.isascii() and text.isprintable() else _ORDERS.sub(_shown, text)


def on_one_line(text: str) -> str:
    """The same without line ends, so that nothing that is said within a line begins another."""
    return _LINES.sub(_shown, escaped(text))


class Escaping(io.TextIOBase):
    """Writes to another stream what `escaped` makes of it; bytes that are written to its buffer are left as they are."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    @property
    def terminal(self) -> TextIO:
        """The stream itself, where nothing is escaped."""
        return self._stream

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """That of the stream."""
        return self._stream.encoding

    @property
    def errors(self) -> str | None:  # type: ignore[override]
        """How the stream writes what its encoding has no bytes for."""
        return self._stream.errors

    @property
    def buffer(self) -> io.BufferedIOBase:
        """The stream's bytes."""
        return self._stream.buffer  # type: ignore[return-value]

    def write(self, text: str, /) -> int:
        """Write it escaped."""
        self._stream.write(escaped(text))
        return len(text)

    def flush(self) -> None:
        """Flush the stream."""
        self._stream.flush()

    def isatty(self) -> bool:
        """Whether the stream is a terminal."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """That of the stream."""
        return self._stream.fileno()

    def writable(self) -> bool:
        """It is."""
        return True


def drawable(stream: TextIO) -> TextIO:
    """The terminal behind a stream, for what draws in it and shows nobody's words, such as a bar of progress."""
    return stream.terminal if isinstance(stream, Escaping) else stream


@contextlib.contextmanager
def escaping_output() -> Iterator[None]:
    """Whatever is printed in the block is escaped."""
    with contextlib.redirect_stdout(Escaping(sys.stdout)), contextlib.redirect_stderr(Escaping(sys.stderr)):
        yield
