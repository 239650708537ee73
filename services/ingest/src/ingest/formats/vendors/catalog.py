"""The vendors whose profiles are here, by name."""

import tomllib
from functools import lru_cache
from importlib import resources


@lru_cache(1)
def names() -> tuple[str, ...]:
    """Their names, in order."""
    files = resources.files("ingest.formats.vendors").iterdir()
    return tuple(sorted(one.name.removesuffix(".toml") for one in files if one.name.endswith(".toml")))


@lru_cache(64)
def settings_of(name: str) -> dict[str, object]:
    """The settings of a vendor's profile; raises KeyError for one that is not here."""
    if name not in names():
        raise KeyError(name)
    return tomllib.loads((resources.files("ingest.formats.vendors") / f"{name}.toml").read_text("utf-8"))
