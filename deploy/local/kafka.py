"""Kafka for local stacks: Apache Kafka's own jars on Java, its image on Docker, or librdkafka's in-memory cluster."""

import hashlib
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from local.child import Child, ServerProcess, free_port, listens

POM = Path(__file__).resolve().parent.parent / "kafka" / "pom.xml"
IMAGE = "apache/kafka:4.2.0"
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


def broker_settings(listener: str, servers: str, controller_listener: str, controller: str) -> dict[str, str]:
    """Settings of a node that is broker and controller (KRaft), whose clients reach it at `servers`."""
    return {
        "node.id": "1",
        "process.roles": "broker,controller",
        "controller.quorum.voters": f"1@{controller}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"{listener},CONTROLLER://{controller_listener}",
        "advertised.listeners": f"PLAINTEXT://{servers}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "auto.create.topics.enable": "false",
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "group.initial.rebalance.delay.ms": "0",
    }


@dataclass
class Kafka(ServerProcess):
    """Apache Kafka by its own jars."""

    cache: Path
    """Where its jars are kept."""
    heap: str = "512m"

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
        self.prepare()
        controller = f"127.0.0.1:{free_port()}"
        settings = broker_settings(f"PLAINTEXT://{self.servers}", self.servers, controller, controller)
        settings["log.dirs"] = str(self.data.resolve() / "log")
        properties = self.data / "server.properties"
        properties.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
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
        self.wait_until(lambda: listens(self.port), 90)


def as_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Settings of a broker as the image takes them: `node.id` is KAFKA_NODE_ID."""
    return {f"KAFKA_{name.replace('.', '_').upper()}": value for name, value in settings.items()}


def container_settings(servers: str) -> dict[str, str]:
    """Settings of a broker in a container whose clients reach it at `servers`."""
    return as_environment(broker_settings("PLAINTEXT://:9092", servers, ":9093", "localhost:9093"))


def docker_answers() -> bool:
    """Whether there is a Docker engine."""
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0


@dataclass
class ContainerKafka:
    """Apache Kafka's image on a Docker engine, its log in a volume: where there is no Java."""

    name: str
    """Of container and volume."""
    log: Path
    port: int = 0
    child: Child | None = None

    @property
    def servers(self) -> str:
        """As `KAFKA_SERVERS`."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it; the container ends with the client in the foreground, and so with this process."""
        self.port = self.port or free_port()
        variables = container_settings(self.servers) | {
            "KAFKA_LOG_DIRS": "/var/lib/kafka/data",
            "KAFKA_HEAP_OPTS": "-Xmx512m",
        }
        command = [
            "docker", "run", "--rm", "--name", self.name, "-p", f"127.0.0.1:{self.port}:9092",
            "-v", f"{self.name}:/var/lib/kafka/data", *(part for each in variables.items() for part in ("-e", "=".join(each))),
            IMAGE,
        ]  # fmt: skip
        self.child = Child("kafka", command, self.log)
        self.child.start()

    def wait(self) -> None:
        """Return once the broker serves; its port is open before."""
        assert self.child is not None
        self.child.wait_until(lambda: "Kafka Server started" in self.log.read_text(errors="replace"), 300)


def durable_kafka(folder: Path, log: Path, cache: Path) -> Kafka | ContainerKafka:
    """Apache Kafka whose data survives a restart: on Java where it is, else in a container."""
    no_java = why_no_java()
    if no_java is None:
        return Kafka(folder, log, cache)
    if docker_answers():
        checkout = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:8]
        return ContainerKafka(f"slugline-kafka-{checkout}", log)
    raise NoKafka(f"real Kafka is needed: {no_java}, and no Docker engine answers. `make demo` needs neither.")


FETCH_WAIT_MS = 100


@dataclass
class MemoryKafka(ServerProcess):
    """librdkafka's in-memory cluster; what it holds is gone when it ends, and it chooses its ports itself.

    It tells news only once the wait for it is over, so services are to ask often (`FETCH_WAIT_MS`).
    """

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
        self.wait_until(self._file.exists, 30)
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
