"""Licences of packages, from their installed metadata, against the list of what is allowed.

pip-licenses reads the same metadata, but compares names of licences as words: it cannot tell that "MIT OR Apache-2.0" is allowed
where MIT is, and "MPL-2.0 AND MIT" is not.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.message import Message
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any

from license_expression import ExpressionError, LicenseSymbol, get_spdx_licensing

POLICY = Path(__file__).with_name("policy.toml")
CLASSIFIERS = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "GNU General Public License v2 (GPLv2)": "GPL-2.0-only",
    "GNU Lesser General Public License v3 or later (LGPLv3+)": "LGPL-3.0-or-later",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
"""What older packages say in their classifiers, or in words, in SPDX."""
_SPDX = get_spdx_licensing()
_LOCKED = re.compile(r"^([A-Za-z0-9._-]+)==", re.MULTILINE)


@dataclass(frozen=True)
class Policy:
    """Licences that are allowed, packages under others that are named with a reason, and old packages with theirs."""

    allowed: frozenset[str]
    named: Mapping[str, str]
    old: Mapping[str, str]

    @classmethod
    def load(cls, path: Path = POLICY) -> "Policy":
        """From its file."""
        found = tomllib.loads(path.read_text("utf-8"))
        return cls(frozenset(found["licences"]["allowed"]), found["licences"]["named"], found["old"])


def locked(*locks: Path) -> set[str]:
    """The names of the packages of locks, as PEP 503 writes them."""
    return {normal(name) for lock in locks for name in _LOCKED.findall(lock.read_text("utf-8"))}


def normal(name: str) -> str:
    """A name as PEP 503 writes it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def licence_of(name: str) -> str | None:
    """The licence as SPDX, empty where the metadata says none that is known; None where the package is not for this platform."""
    try:
        said = metadata(name)
    except PackageNotFoundError:
        return None
    # Typed as a protocol without `get`.
    assert isinstance(said, Message)
    for field in ("License-Expression", "License"):
        words = str(said.get(field) or "").strip()
        expression = CLASSIFIERS.get(words, words)
        if _is_spdx(expression):
            return expression
    classifiers = [
        str(each).rpartition(" :: ")[2] for each in said.get_all("Classifier") or [] if str(each).startswith("License")
    ]
    return " OR ".join(CLASSIFIERS[each] for each in classifiers if each in CLASSIFIERS)


def refused(names: Iterable[str], policy: Policy) -> dict[str, str]:
    """Packages whose licence neither is allowed nor named, with what it is."""
    found = {name: licence_of(name) for name in names if name not in policy.named}
    return {
        name: licence or "none that is known"
        for name, licence in found.items()
        if licence is not None and not (licence and allows(policy.allowed, licence))
    }


def allows(allowed: Iterable[str], expression: str) -> bool:
    """Whether an expression is met by allowed licences alone: any part of an OR, every part of an AND."""
    known = set(allowed)

    def met(part: Any) -> bool:
        if isinstance(part, LicenseSymbol):
            return part.key in known
        parts = [met(each) for each in getattr(part, "args", ())]
        return bool(parts) and (any(parts) if type(part).__name__ == "OR" else all(parts))

    return met(_SPDX.parse(expression))


def _is_spdx(expression: str) -> bool:
    # Some have the whole text of a licence in the field.
    if not expression or "\n" in expression:
        return False
    try:
        _SPDX.parse(expression, validate=True)
    except ExpressionError:
        return False
    return True
