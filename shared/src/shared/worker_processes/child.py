"""A worker's side: jobs in on standard input, answers out on standard output, nothing else.

A job is two frames, the request and its data; an answer is the number of its frames and the frames. A frame is its
length and its bytes; numbers have four bytes, big end first. A worker ends when standard input does, or with its parent.
"""

import contextlib
import ctypes
import os
import resource
import signal
import struct
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

_PR_SET_PDEATHSIG = 1


def confine(memory_bytes: int) -> None:
    """Bound the address space; no file may be written, no core left, few files opened; end with the parent, and before
    it where the container runs out of memory."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    for what, value in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(what, (value, value))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def serve(prepare: Callable[[], bytes], answer: Callable[[bytes, bytes], Sequence[bytes]]) -> None:
    """Say what `prepare` returns, then answer jobs until standard input ends."""
    # Whatever a library prints must not be taken for an answer.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    jobs = sys.stdin.buffer
    _send(answers, [prepare()])
    while (request := _frame(jobs)) is not None:
        _send(answers, answer(request, _frame(jobs) or b""))


def _frame(stream: IO[bytes]) -> bytes | None:
    head = stream.read(4)
    if len(head) < 4:
        return None
    return stream.read(struct.unpack(">I", head)[0])


def _send(stream: IO[bytes], frames: Sequence[bytes]) -> None:
    stream.write(struct.pack(">I", len(frames)))
    for frame in frames:
        stream.write(struct.pack(">I", len(frame)))
        stream.write(frame)
    stream.flush()
