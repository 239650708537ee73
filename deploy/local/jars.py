"""Apache Kafka's jars: those that deploy/kafka/jars.lock names and no others, each known by its SHA-256.

They come from the Maven registry, by jgo's own client, so no Maven is needed. What is on the disk is checked against the
lock at every start, in a fifth of a second, since a jar is a program.
"""

import contextlib
import fcntl
import hashlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

VERSION = "4.2.0"
BROKER = f"org.apache.kafka:kafka_2.13:{VERSION}"
LOG_API = "org.apache.logging.log4j:log4j-core"
LOG_BINDING = "org.apache.logging.log4j:log4j-slf4j-impl"
"""What leads Kafka's log to log4j, which it depends on; taken in the same version, and alone, for it would bring others."""
LOCK = Path(__file__).resolve().parent.parent / "kafka" / "jars.lock"
ATTEMPTS = 3
AT_ONCE = 8
TIMEOUT_S = 10


class NoJars(RuntimeError):
    """Kafka's jars cannot be had; the message says why."""


@dataclass(frozen=True)
class Jar:
    """One jar of the lock."""

    sha256: str
    coordinate: str
    """`group:artifact:version`, as Maven names it."""

    @property
    def file_name(self) -> str:
        """As in a Maven repository."""
        _, artifact, version = self.coordinate.split(":")
        return f"{artifact}-{version}.jar"

    def is_in(self, folder: Path) -> bool:
        """Whether the folder has it, byte for byte."""
        path = folder / self.file_name
        return path.is_file() and sha256_of(path) == self.sha256


def sha256_of(path: Path) -> str:
    """In hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def locked(lock: Path = LOCK) -> list[Jar]:
    """What the lock names: a line `SHA-256 coordinate` each."""
    return [Jar(*line.split()) for line in lock.read_text().splitlines() if line and not line.startswith("#")]


def from_registry(coordinate: str, repository: Path) -> Path:
    """Fetch a jar into a folder that is laid out as a Maven repository; an OSError or a RuntimeError where it cannot be had."""
    from jgo.maven import MavenContext  # noqa: PLC0415 -- half a second that most starts can do without

    context = MavenContext(repo_cache=repository, timeout=TIMEOUT_S)
    path: Path = context.create_dependency(coordinate).artifact.resolve()
    return path


Fetch = Callable[[str, Path], Path]
"""As `from_registry`."""


def classpath(cache: Path, jars: Sequence[Jar] | None = None, fetch: Fetch = from_registry) -> str:
    """For `java -cp`: the jars, whole and checked, in a folder of `cache`; fetched where they are not there.

    Raises `NoJars` where the registry does not answer, or has something else than the lock names.
    """
    wanted = locked() if jars is None else jars
    folder = cache.resolve() / f"kafka-{VERSION}"
    folder.mkdir(parents=True, exist_ok=True)
    with _one_at_a_time(folder):
        missing = [jar for jar in wanted if not jar.is_in(folder)]
        if missing:
            print(f"kafka {VERSION}: fetching {len(missing)} jars", file=sys.stderr, flush=True)
            _fetch_all(missing, folder, fetch)
    return ":".join(str(folder / jar.file_name) for jar in wanted)


@contextlib.contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Of two that start at once, one fetches and the other finds."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _fetch_all(jars: Sequence[Jar], folder: Path, fetch: Fetch) -> None:
    # One goes first: a registry that is out of reach is not asked for every jar.
    for some in (jars[:1], jars[1:]):
        missing = list(some)
        for _ in range(ATTEMPTS):
            failed = _attempt(missing, folder, fetch) if missing else {}
            missing = list(failed)
        if missing:
            raise NoJars(f"Kafka's {missing[0].coordinate} cannot be had: {failed[missing[0]][:300]}")


def _attempt(jars: Sequence[Jar], folder: Path, fetch: Fetch) -> dict[Jar, str]:
    """Try to fetch each once; returns those that cannot be had, and why."""
    # jgo counts a file that was begun as fetched, so every attempt has a repository of its own.
    with (
        tempfile.TemporaryDirectory(prefix="fetching-", dir=folder) as repository,
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        told = pool.map(lambda jar: _fetch_one(jar, Path(repository), folder, fetch), jars)
        return {jar: why for jar, why in zip(jars, told, strict=True) if why}


def _fetch_one(jar: Jar, repository: Path, folder: Path, fetch: Fetch) -> str:
    """Put it into the folder; returns why it cannot be had."""
    try:
        path = fetch(jar.coordinate, repository)
    except (OSError, RuntimeError) as error:
        return str(error)
    found = sha256_of(path)
    if found != jar.sha256:
        return f"the registry's has SHA-256 {found}, {LOCK.name} wants {jar.sha256}"
    path.replace(folder / jar.file_name)
    return ""


def resolved() -> list[str]:
    """The coordinates of the broker and of all that it needs, as the registry tells them now."""
    from jgo.maven import MavenContext  # noqa: PLC0415 -- as above

    with tempfile.TemporaryDirectory() as repository:
        context = MavenContext(repo_cache=Path(repository), timeout=TIMEOUT_S)
        broker, needed = context.resolver.resolve([context.create_dependency(BROKER)])
        found = [f"{each.groupId}:{each.artifactId}:{each.version}" for each in (*broker, *needed)]
    (version,) = [each.removeprefix(f"{LOG_API}:") for each in found if each.startswith(f"{LOG_API}:")]
    return sorted([*found, f"{LOG_BINDING}:{version}"])


def write_lock(coordinates: Iterable[str], lock: Path = LOCK) -> None:
    """Fetch them all and note what they are."""
    with tempfile.TemporaryDirectory() as repository:
        lines = [f"{sha256_of(from_registry(each, Path(repository)))}  {each}\n" for each in coordinates]
    lock.write_text(
        f"# SHA-256 and coordinate of each jar of a broker {VERSION}; written by `make lock`.\n" + "".join(lines)
    )


if __name__ == "__main__":
    write_lock(resolved())
