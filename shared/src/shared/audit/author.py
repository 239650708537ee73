"""Who makes a change, from where and why: what a caller hands down to where the change is written."""

import getpass
import os
import socket
from dataclasses import dataclass

from shared.access.holder import OPERATE, KeyHolder
from shared.audit.entry import Entry


@dataclass(frozen=True, slots=True)
class Author:
    """Who makes a change, from where and why."""

    actor: KeyHolder
    address: str = ""
    reason: str = ""

    def entry(self, action: str, subject: str, before: object = None, after: object = None) -> Entry:
        """The entry of a change."""
        return Entry(self.actor, action, subject, before, after, self.reason, self.address)


def of_command(reason: str = "") -> Author:
    """Who runs a command: the account on the machine, which needs no key."""
    try:
        person = getpass.getuser()
    except (OSError, KeyError):  # a container may run under a number that has no name
        person = f"uid {os.getuid()}"
    return Author(KeyHolder("command", "operator", person, frozenset({OPERATE})), socket.gethostname(), reason)
