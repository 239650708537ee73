"""The three kinds of failure. Anything else that is raised is a bug and is treated as transient: pause, retry, alert."""


class Invalid(Exception):
    """The payload breaks the contract: it goes to the dead letters. `field` is a JSON pointer to what is at fault."""

    def __init__(self, reason: str, *, field: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.field = field


class Permanent(Exception):
    """Valid, but it can never be done: it goes to the dead letters."""

    def __init__(self, reason: str, *, field: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.field = field


class Transient(Exception):
    """Infrastructure is away: pause and retry in order."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Unanswered(OSError):
    """A server had not answered when it was time to stop waiting."""
