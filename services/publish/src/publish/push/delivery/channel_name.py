"""Names of channels as subscribers give them."""

from typing import Annotated

from pydantic import AfterValidator


def check_channel(name: str) -> str:
    """The name, if it can be a channel's."""
    kind, colon, rest = name.partition(":")
    known = name == "news" or (kind in ("source", "tag", "story", "author", "update") and colon and rest)
    if not known or len(name) > 200 or not name.isprintable():
        raise ValueError("a channel is news, source:…, tag:…, story:…, author:… or update:…")
    return name


ChannelName = Annotated[str, AfterValidator(check_channel)]
