"""Plays the sample wire: posts its documents to ingest, the first ones at once and the rest at a human pace."""

import json
import re
import time
import tomllib
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from local.stack import say

PLACEHOLDER = re.compile(r"@(wire|now(?:([+-]\d+)([smh]))?)@")
TRY_AGAIN_S = 2.0
UNITS = {"s": "seconds", "m": "minutes", "h": "hours"}


@dataclass(frozen=True)
class Step:
    """One document of the wire. `turn` 0 goes out at once, the others one turn after the other."""

    turn: int
    source: str
    document: str
    content_type: str
    says: str


def filled(text: str, now: datetime, wire: str) -> str:
    """The document with its placeholders filled: `@wire@`, `@now@`, `@now-40m@` (RFC 3339, UTC)."""

    def value(match: re.Match[str]) -> str:
        if match[1] == "wire":
            return wire
        moment = now + (timedelta(**{UNITS[match[3]]: int(match[2])}) if match[2] else timedelta())
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

    return PLACEHOLDER.sub(value, text)


@dataclass
class Replay:
    """The wire and how far it has been played."""

    folder: Path
    ingest: str
    wire: str
    key: str
    pace_s: float
    steps: list[Step]
    due: float = 0.0

    @classmethod
    def load(cls, folder: Path, ingest: str, wire: str, key: str, pace_s: float) -> "Replay":
        """The wire of `folder/wire.toml`."""
        table = tomllib.loads((folder / "wire.toml").read_text())
        steps = [Step(**step) for step in table["step"]]
        return cls(folder, ingest, wire, key, pace_s, sorted(steps, key=lambda step: step.turn))

    def tick(self) -> None:
        """Post what is due; on a refusal that may pass, the same again later."""
        while self.steps and time.monotonic() >= self.due:
            step = self.steps[0]
            if not self._post(step):
                self.due = time.monotonic() + TRY_AGAIN_S
                return
            self.steps.pop(0)
            if self.steps and self.steps[0].turn > 0:
                self.due = time.monotonic() + self.pace_s
                return
            if not self.steps:
                say("the sample wire is through; the page goes on listening")

    def _post(self, step: Step) -> bool:
        text = filled((self.folder / step.document).read_text(), datetime.now(UTC), self.wire)
        path = "/v1/updates" if step.content_type == "application/json" else f"/v1/wire/{step.source}"
        request = urllib.request.Request(
            self.ingest + path,
            text.encode(),
            {"Content-Type": step.content_type, "Authorization": f"Bearer {key_of(step.source, self.key)}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                status, body = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, body = error.code, error.read()
        except OSError as error:
            say(f"{step.source}: {error}; again in {TRY_AGAIN_S:.0f} s")
            return False
        if status in (429, 503):
            return False
        told = "" if status == 202 else f"  -> {status} {_reason(body)}"
        say(f"{datetime.now(UTC):%H:%M:%S}  {step.source:15} {step.says}{told}")
        return True


def key_of(source: str, key: str) -> str:
    """The key of a source of the sample, made of the one that the person at the desk is told."""
    return key if source == "newsroom" else f"{key}-{source}"


def _reason(body: bytes) -> str:
    try:
        return json.dumps(json.loads(body), ensure_ascii=False)[:400]
    except ValueError:
        return body[:400].decode(errors="replace")
