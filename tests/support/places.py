"""Where the repository is, and the third-party test data beside it."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONFORMANCE = ROOT.parent / "shared" / "conformance"
"""Not part of the repository: tests that read it are skipped where it is absent, and fail where `REQUIRE_CORPUS=1` is set."""
