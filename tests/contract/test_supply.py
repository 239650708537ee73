"""What the locks bring is licensed as the policy allows, and what is old is named with the reason."""

import re
from pathlib import Path

import pytest

from supply.packages import Policy, allows, licence_of, locked, refused
from support.places import ROOT

POLICY = Policy.load()
LOCKS = [ROOT / "requirements.lock", *sorted(ROOT.glob("services/*/requirements.lock"))]


def test_every_package_is_under_a_licence_that_is_allowed_or_named() -> None:
    """Of all that developers, tests and images install on this platform."""
    assert refused(locked(*LOCKS), POLICY) == {}


def test_what_is_named_is_there_and_is_what_it_is_named_for() -> None:
    """No exception outlives its package, and none covers a licence that changed."""
    names = locked(*LOCKS)
    assert set(POLICY.named) <= names
    assert set(POLICY.old) <= names
    for name, reason in POLICY.named.items():
        licence, told = licence_of(name), reason.partition(":")[0].partition(" with")[0]
        assert licence is None or told in licence, (name, licence)
        assert not (licence and allows(POLICY.allowed, licence)), f"{name} needs no exception: {licence}"


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT", True), ("MIT OR GPL-3.0-only", True), ("MIT AND GPL-3.0-only", False), ("GPL-3.0-only", False),
        ("MPL-2.0 AND (Apache-2.0 OR MIT)", False), ("Apache-2.0 AND (BSD-2-Clause OR GPL-2.0-only)", True), ("LGPL-3.0-or-later", False),
    ],
)  # fmt: skip
def test_expressions_are_judged_by_their_meaning(expression: str, allowed: bool) -> None:
    """One licence of an OR is enough; all of an AND are needed."""
    assert allows(POLICY.allowed, expression) is allowed


def test_a_package_without_a_known_licence_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence is no permission, and neither is a licence that nobody has judged."""
    for name, line in (
        ("silent", ""),
        ("odd", "License: Ask me first\n"),
        ("closed", "License-Expression: BUSL-1.1\n"),
    ):
        folder = tmp_path / f"{name}-1.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.4\nName: {name}\nVersion: 1\n{line}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert refused(["silent", "odd", "closed", "not-installed"], POLICY) == {
        "silent": "none that is known", "odd": "none that is known", "closed": "BUSL-1.1",
    }  # fmt: skip


def test_images_carry_what_they_are_made_of() -> None:
    """The SBOM is made where the packages are, by a tool whose lock has hashes, and copied into every image."""
    dockerfile = (ROOT / "services" / "Dockerfile").read_text("utf-8")
    assert "cyclonedx-py environment /venv/bin/python" in dockerfile
    assert "COPY --from=build /sbom.cdx.json" in dockerfile.partition("FROM bare AS run")[2].partition("\nFROM")[0]
    # The operators' image is of all three services, and says so.
    assert "COPY --from=build-tools /sbom.cdx.json" in dockerfile.partition("FROM bare AS tools")[2]
    lock = (ROOT / "deploy" / "build.lock").read_text("utf-8")
    assert re.search(r"^cyclonedx-bom==[^ ]+ \\\n +--hash=sha256:", lock, re.MULTILINE)
