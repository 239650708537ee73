"""Keeps secrets out of logs: those of the settings by their values, and keys, tokens and passwords by how they look.

Nothing may log a secret in the first place. This is for what others wrote into an error: a URL with a password, a header.
"""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel

MASK = "[secret]"
SHORTEST = 6
"""Characters from which a value is looked for: a shorter one would blank ordinary words, and is no secret."""
NAMED = re.compile(r"(_|^)(secret|password|token|auth|vapid_key)$")
"""Names of settings that hold a secret."""
ADDRESSES = re.compile(r"(_|^)(dsn|url|servers)$")
"""Names of settings that may hold one in an address."""
LOOKS = re.compile(
    r"""
    (?P<kept>
        :// [^/\s:@"'\\]{0,200} : (?= [^/\s@"'\\]{1,500} @ )
        | \b (?: [Bb]earer | [Bb]asic ) \s
        | (?: [?&] | \b ) (?: access_token | api_?key | x-api-key | token | secret | password | passwd | signature ) =
    )
    [^\s"'&@,;}\\]{3,}
    | \b (?: sl[kp]_ | whsec_ ) [A-Za-z0-9+/=_-]{16,}
    """,
    re.VERBOSE,
)
"""A password in an address, a credential in a header, the value of a parameter, and keys of ours and of webhooks."""


def secrets_of(settings: BaseModel) -> set[str]:
    """The secrets among settings."""
    return secrets_among(settings.model_dump(mode="json", warnings=False))


def secrets_among(settings: Mapping[str, object]) -> set[str]:
    """The same, of names and values."""
    found: set[str] = set()
    for name, value in settings.items():
        if not isinstance(value, str):
            continue
        if NAMED.search(name.lower()):
            found.add(value)
        elif ADDRESSES.search(name.lower()):
            found |= _passwords(value)
    return {each for each in found if len(each) >= SHORTEST}


def _passwords(address: str) -> set[str]:
    try:
        password = urlsplit(address).password
    except ValueError:
        return set()
    return {password, unquote(password)} if password else set()


class SecretMask:
    """Blanks secrets in a line."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        literal = sorted(secrets, key=len, reverse=True)
        self._literal = re.compile("|".join(map(re.escape, literal))) if literal else None

    def __call__(self, line: str) -> str:
        """The line without them."""
        if self._literal is not None:
            line = self._literal.sub(MASK, line)
        return LOOKS.sub(lambda match: (match["kept"] or "") + MASK, line)
