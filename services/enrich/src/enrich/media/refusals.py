"""The two ways in which a picture does not come."""


class Refused(Exception):
    """It will never come: what it is, or where it lies, is not acceptable. The reason is for people."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Later(Exception):
    """It may come later. `after_s` is the pause that the other side asked for, where it did."""

    def __init__(self, reason: str, after_s: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after_s = after_s
