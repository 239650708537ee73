"""The key to a source's files: from the environment, and to its own hosts alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from ingest.formats import SourceProfile


class NoKey(Exception):
    """The text may not be fetched. The reason is for the operator."""


@dataclass(frozen=True, slots=True)
class Key:
    """What goes along with a request."""

    headers: Mapping[str, str]


def key_for(url: str, profile: SourceProfile, environment: Mapping[str, str], *, allow_plain: bool = False) -> Key:
    """The key for a file. Raises `NoKey` where there is none, or the file is not where the key belongs.

    `allow_plain` permits http, for a local installation only.
    """
    if not profile.media_key_env:
        raise NoKey("the source's profile names no media_key_env")
    value = environment.get(profile.media_key_env, "")
    if not value:
        raise NoKey(f"{profile.media_key_env} is not set")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise NoKey("its address cannot be read") from None
    if parts.scheme != "https" and not allow_plain:
        raise NoKey("a key is sent over https alone")
    if (parts.hostname or "") not in profile.media_key_hosts:
        raise NoKey(f"{(parts.hostname or 'it')[:200]} is not among the profile's media_key_hosts")
    return Key({profile.media_key_header: value})
