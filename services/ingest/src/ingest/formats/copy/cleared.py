"""A body for readers, and what was taken out of it."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Cleared:
    """A body for readers, and what was taken out of it."""

    html: str
    notes: list[str] = field(default_factory=list)
    """For desks."""
    sign_offs: list[str] = field(default_factory=list)
    furniture: list[str] = field(default_factory=list)
    bylines: list[str] = field(default_factory=list)
    heading: str = ""
    """The first heading, where it is the headline, or could be since there is none."""
    first: str = ""
    """The first paragraph."""
    first_at: int = -1
    """Where it begins."""
    is_embargoed: bool = False
    kicker: str = ""
