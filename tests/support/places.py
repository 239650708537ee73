"""Where the repository is, and the third-party test data beside it."""

import os
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).resolve().parents[2]
_CONFORMANCE = ROOT.parent / "shared" / "conformance"


def skip_or_fail(variable: str, reason: str) -> NoReturn:
    """Skip the test, or the module that is being imported; fail it where the environment sets `variable` to 1."""
    if os.environ.get(variable) == "1":
        pytest.fail(f"{reason}, and {variable}=1 is set")
    pytest.skip(reason, allow_module_level=True)


def conformance(path: str = "") -> Path:
    """A file or folder of the published test suites, which are not part of the repository.

    Where it is absent the test is skipped; REQUIRE_CORPUS=1 makes an error of that.
    """
    found = _CONFORMANCE / path
    if not found.exists():
        skip_or_fail("REQUIRE_CORPUS", f"{found} is absent")
    return found


def conformance_files(folder: str, pattern: str) -> list[Path]:
    """Files of one suite, for modules that have tests without them: none where the suites are absent and not required."""
    if os.environ.get("REQUIRE_CORPUS") == "1":
        conformance(folder)
    return sorted((_CONFORMANCE / folder).glob(pattern))
