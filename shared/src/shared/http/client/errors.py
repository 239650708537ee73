"""What goes wrong with a request."""


class RequestRefused(Exception):
    """The request is not made, or its response not accepted, and repeating it changes nothing."""


class RequestFailed(Exception):
    """No usable response came. It may, later."""
