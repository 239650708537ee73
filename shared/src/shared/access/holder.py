"""Who a request is from, once its key is known."""

from dataclasses import dataclass

OPERATE = "operate"
"""The scope that opens everything of a port, and the making of keys."""


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """Whose key a request showed. `key_id` is public; the key itself is known to nobody but its holder."""

    key_id: str
    holder: str
    """The source, desk, partner or team that the key was made for."""
    person: str = ""
    """The person that it was made for; empty for a key that several use."""
    scopes: frozenset[str] = frozenset()

    def may(self, scope: str) -> bool:
        """Whether the key opens what needs `scope`."""
        return scope in self.scopes or OPERATE in self.scopes

    @property
    def name(self) -> str:
        """Who did it, in one word for people: the person where one is known."""
        return self.person or self.holder
