"""Plays the sample wire: pushes or drops its documents, the first ones at once and the rest at a human pace."""

import json
import re
import time
import tomllib
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from local.stack import say

PLACEHOLDER = re.compile(r"@(wire|drop|now(?:([+-]\d+)([smh]))?)@")
TRY_AGAIN_S = 2.0
UNITS = {"s": "seconds", "m": "minutes", "h": "hours"}


@dataclass(frozen=True)
class Step:
    """One document of the wire. `turn` 0 goes out at once, the others one turn after the other."""

    turn: int
    source: str
    document: str
    says: str
    content_type: str = ""
    """Empty where the document is not pushed but put into the folder of its source, as an agency's FTP does."""


def filled(text: str, now: datetime, **places: str) -> str:
    """The document with its placeholders filled: `@wire@` and `@drop@` from `places`, `@now@`, `@now-40m@` (RFC 3339, UTC)."""

    def value(match: re.Match[str]) -> str:
        if not match[1].startswith("now"):
            return places[match[1]]
        moment = now + (timedelta(**{UNITS[match[3]]: int(match[2])}) if match[2] else timedelta())
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

    return PLACEHOLDER.sub(value, text)


@dataclass
class Replay:
    """The wire and how far it has been played."""

    folder: Path
    ingest: str
    wire: str
    drop: Path
    """Where the folders of the sources that drop files are."""
    key: str
    pace_s: float
    steps: list[Step]
    due: float = 0.0

    @classmethod
    def load(cls, folder: Path, **how: Any) -> "Replay":
        """The wire of `folder/wire.toml`; `how` is told of in the fields."""
        table = tomllib.loads((folder / "wire.toml").read_text())
        steps = [Step(**step) for step in table["step"]]
        return cls(folder=folder, steps=sorted(steps, key=lambda step: step.turn), **how)

    def tick(self) -> None:
        """Send what is due; on a refusal that may pass, the same again later."""
        while self.steps and time.monotonic() >= self.due:
            step = self.steps[0]
            if not (self._post(step) if step.content_type else self._drop(step)):
                self.due = time.monotonic() + TRY_AGAIN_S
                return
            self.steps.pop(0)
            if self.steps and self.steps[0].turn > 0:
                self.due = time.monotonic() + self.pace_s
                return
            if not self.steps:
                say("the sample wire is through; the page goes on listening")

    def _text(self, step: Step) -> str:
        return filled((self.folder / step.document).read_text(), datetime.now(UTC), wire=self.wire)

    def _drop(self, step: Step) -> bool:
        folder = self.drop / step.source
        folder.mkdir(parents=True, exist_ok=True)
        name = Path(step.document).name
        whole = folder / f"{name}.part"
        whole.write_text(self._text(step))
        whole.rename(folder / name)
        _say(step)
        return True

    def _post(self, step: Step) -> bool:
        path = "/v1/updates" if step.content_type == "application/json" else f"/v1/wire/{step.source}"
        request = urllib.request.Request(
            self.ingest + path,
            self._text(step).encode(),
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
        _say(step, "" if status == 202 else f"  -> {status} {_reason(body)}")
        return True


def _say(step: Step, told: str = "") -> None:
    say(f"{datetime.now(UTC):%H:%M:%S}  {step.source:15} {step.says}{told}")


def key_of(source: str, key: str) -> str:
    """The key of a source of the sample, made of the one that the person at the desk is told."""
    return key if source == "newsroom" else f"{key}-{source}"


def _reason(body: bytes) -> str:
    try:
        return json.dumps(json.loads(body), ensure_ascii=False)[:400]
    except ValueError:
        return body[:400].decode(errors="replace")
