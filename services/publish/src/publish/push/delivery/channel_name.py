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


def _check_all(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(check_channel(name) for name in names)


ChannelName = Annotated[str, AfterValidator(check_channel)]
ChannelNames = Annotated[tuple[str, ...], AfterValidator(_check_all)]
