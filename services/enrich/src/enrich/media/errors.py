"""Why a picture is not there."""


class PictureRefused(Exception):
    """The picture, or its address, is not acceptable, and trying again changes nothing. The reason is for people."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class PictureUnavailable(Exception):
    """The picture may be available later. `after_s` is the pause that the server asked for, if it did."""

    def __init__(self, reason: str, after_s: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after_s = after_s
