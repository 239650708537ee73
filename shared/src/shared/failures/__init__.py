"""The kinds of failure. Anything else that is raised is a bug."""


class Invalid(Exception):
    """The payload violates the contract; it becomes a dead letter. `field` is a JSON pointer to the fault."""

    def __init__(self, reason: str, *, field: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.field = field


class Permanent(Exception):
    """The payload is valid, but can never be processed; it becomes a dead letter."""

    def __init__(self, reason: str, *, field: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.field = field


class Transient(Exception):
    """A server is unavailable: pause, and retry in order."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Unanswered(OSError):
    """A server had not answered when waiting ended."""
