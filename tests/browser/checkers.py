"""Judges of pages: the Nu HTML checker and axe-core where npm can bring them, html5lib everywhere; and what makes clients of our API."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import html5lib

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / ".local" / "checkers"
VERSIONS = {
    "vnu-jar": "26.9.27",
    "axe-core": "4.14.1",
    "openapi-typescript": "7.13.0",
    "openapi-fetch": "0.13.8",
    "typescript": "5.9.3",
}
PYTHON_VERSIONS = {"openapi-python-client": "0.29.1"}
PATIENCE_S = 120


@cache
def fetched(package: str, *beside: str) -> Path | None:
    """The folder of an npm package, with others beside it, brought on first use; None where it cannot be had."""
    if os.environ.get("CHECKERS") == "none":
        return None
    # A folder for each: npm takes away what it was not asked for.
    place = TOOLS / package
    place.mkdir(parents=True, exist_ok=True)
    with (place / "lock").open("w") as lock:
        # Another worker may be fetching it: a folder that is there is whole.
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _installed(place, package, *beside)


def _installed(place: Path, *packages: str) -> Path | None:
    folders = [place / "node_modules" / package for package in packages]
    if all(folder.exists() for folder in folders):
        return folders[0]
    npm = shutil.which("npm")
    if npm is None:
        return None
    command = [npm, "install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(place)]
    try:
        subprocess.run(
            [*command, *(f"{package}@{VERSIONS[package]}" for package in packages)],
            check=True,
            capture_output=True,
            timeout=PATIENCE_S,
        )
    except (subprocess.SubprocessError, OSError):
        return None
    return folders[0] if all(folder.exists() for folder in folders) else None


@cache
def python_tool(package: str) -> Path | None:
    """The folder of a Python package with all that it needs, apart from ours, brought on first use; None where it cannot be had."""
    folder = TOOLS / "python" / package
    if (folder / package.replace("-", "_")).exists():
        return folder
    if os.environ.get("CHECKERS") == "none":
        return None
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-input", "--no-compile", "--target", str(folder)]
    try:
        subprocess.run(
            [*command, f"{package}=={PYTHON_VERSIONS[package]}"], check=True, capture_output=True, timeout=PATIENCE_S
        )
    except (subprocess.SubprocessError, OSError):
        return None
    return folder


def strictly_parsed(name: str, page: bytes) -> None:
    """Fail where a browser would have to mend the page."""
    parser = html5lib.HTMLParser(strict=False, namespaceHTMLElements=False)
    parser.parse(page, transport_encoding="utf-8")
    errors = [f"{name}:{place}: {code} {data}" for place, code, data in parser.errors]
    assert not errors


def checked(pages: dict[str, bytes], folder: Path) -> list[str] | None:
    """What the Nu HTML checker finds wrong with the pages; None where there is no checker."""
    jar = fetched("vnu-jar")
    java = shutil.which("java")
    if jar is None or java is None:
        return None
    for name, page in pages.items():
        (folder / f"{name}.html").write_bytes(page)
    command = [java, "-Xss4m", "-jar", str(jar / "build/dist/vnu.jar"), "--format", "json", "--exit-zero-always"]
    done = subprocess.run(
        [*command, *(str(folder / f"{name}.html") for name in pages)],
        capture_output=True,
        timeout=PATIENCE_S,
        check=True,
    )
    messages = json.loads(done.stderr)["messages"]
    return [
        f"{Path(each['url']).name}:{each.get('lastLine')}: {each['message']} | {each.get('extract', '')!r}"
        for each in messages
        if each["type"] != "info"
    ]
