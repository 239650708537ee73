"""Kafka as a local process: Apache Kafka's own jars on Java, or librdkafka's in-memory cluster."""

import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from local.child import Child, free_port, listens

POM = Path(__file__).resolve().parent.parent / "kafka" / "pom.xml"
CLUSTER_ID = "c2x1Z2xpbmUtbG9jYWwtMQ"
JAVA_AT_LEAST = 17


class NoKafka(RuntimeError):
    """Kafka cannot be run here; the message says what is missing."""


def why_no_java() -> str | None:
    """Why Kafka's jars cannot be run or fetched here; None where they can."""
    java = shutil.which("java")
    if java is None:
        return f"java {JAVA_AT_LEAST} or newer is not on PATH"
    told = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', told)
    if version is None or int(version[1]) < JAVA_AT_LEAST:
        return f"java {JAVA_AT_LEAST} or newer is needed, here is {told.splitlines()[0] if told else 'an unknown one'}"
    if shutil.which("mvn") is None:
        return "mvn is not on PATH"
    return None


def jars(cache: Path) -> Path:
    """The folder of Kafka's jars, fetched by Maven the first time."""
    version = re.search(r"<kafka.version>([^<]+)<", POM.read_text())
    assert version is not None
    folder = cache.resolve() / f"kafka-{version[1]}"
    if (folder / ".complete").exists():
        return folder
    print(f"kafka {version[1]}: fetching its jars", file=sys.stderr, flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    command = ["mvn", "-q", "-B", "-f", str(POM), "dependency:copy-dependencies", f"-DoutputDirectory={folder}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise NoKafka(f"Maven could not fetch Kafka's jars:\n{done.stdout[-2000:]}")
    (folder / ".complete").touch()
    return folder


@dataclass
class Kafka:
    """Apache Kafka, one node that is broker and controller (KRaft), on the loopback interface."""

    data: Path
    log: Path
    cache: Path
    port: int = 0
    heap: str = "512m"
    child: Child | None = None

    @property
    def servers(self) -> str:
        """As `KAFKA_SERVERS`."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Format the log folder where there is none, and start the broker."""
        reason = why_no_java()
        if reason is not None:
            raise NoKafka(f"real Kafka is needed: {reason}")
        classpath = f"{jars(self.cache)}/*"
        self.port = self.port or free_port()
        self.data.mkdir(parents=True, exist_ok=True)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        properties = self.data / "server.properties"
        properties.write_text(self._properties())
        if not (self.data / "log" / "meta.properties").exists():
            arguments = ["format", "-t", CLUSTER_ID, "-c", str(properties)]
            command = ["java", "-XX:TieredStopAtLevel=1", "-cp", classpath, "kafka.tools.StorageTool", *arguments]
            with self.log.open("ab") as out:
                subprocess.run(command, stdout=out, stderr=out, check=True)
        command = [
            "java", f"-Xmx{self.heap}", "-XX:+UseG1GC", "-XX:+ExitOnOutOfMemoryError", "-Djava.awt.headless=true",
            "-cp", classpath, "kafka.Kafka", str(properties),
        ]  # fmt: skip
        self.child = Child("kafka", command, self.log)
        self.child.start()

    def wait(self) -> None:
        """Return once the broker accepts connections."""
        assert self.child is not None
        self.child.wait_until(lambda: listens(self.port), 90)

    def _properties(self) -> str:
        controller = free_port()
        settings = {
            "node.id": "1",
            "process.roles": "broker,controller",
            "controller.quorum.voters": f"1@127.0.0.1:{controller}",
            "controller.listener.names": "CONTROLLER",
            "listeners": f"PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{controller}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{self.port}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "log.dirs": str(self.data.resolve() / "log"),
            "auto.create.topics.enable": "false",
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "4",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
            "group.initial.rebalance.delay.ms": "0",
        }
        return "".join(f"{name}={value}\n" for name, value in settings.items())


@dataclass
class MemoryKafka:
    """librdkafka's in-memory cluster; what it holds is gone when it ends."""

    data: Path
    log: Path
    child: Child | None = None
    _address: list[str] = field(default_factory=list)

    @property
    def servers(self) -> str:
        """As `KAFKA_SERVERS`."""
        return self._address[0]

    @property
    def topic_port(self) -> int:
        """Where topics are made; see `create_topics`."""
        return int(self._address[1])

    def start(self) -> None:
        """Start it."""
        self.data.mkdir(parents=True, exist_ok=True)
        self._file.unlink(missing_ok=True)
        path = str(Path(__file__).resolve().parent.parent)
        command = [sys.executable, "-m", "local.kafka_memory", str(self._file)]
        self.child = Child("kafka", command, self.log, env={"PYTHONPATH": path})
        self.child.start()

    def wait(self) -> None:
        """Return once it serves."""
        assert self.child is not None
        self.child.wait_until(self._file.exists, 30)
        self._address = self._file.read_text().split()

    @property
    def _file(self) -> Path:
        return self.data.resolve() / "kafka.address"


def create_topics(topic_port: int, topics: Iterable[tuple[str, int]]) -> None:
    """Make topics (name, partitions) on an in-memory cluster; one that exists is left as it is."""
    with socket.create_connection(("127.0.0.1", topic_port), 10) as connection, connection.makefile("rwb") as stream:
        for name, partitions in topics:
            stream.write(f"{name} {partitions}\n".encode())
            stream.flush()
            answer = stream.readline().decode().strip()
            if answer != "ok":
                raise NoKafka(f"topic {name}: {answer}")
