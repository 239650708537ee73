"""`python -m ingest keys`: keys by their ids, those of operators too."""

from ingest.sources.keys import SourceKeys
from shared.access.commands import key_commands

keys = key_commands(SourceKeys())
