"""`python -m enrich keys`: keys to the newsroom's own API."""

from enrich.admin.authentication import KEYS
from shared.access.commands import key_commands
from shared.access.management import KeyManagement

keys = key_commands(KeyManagement(KEYS))
