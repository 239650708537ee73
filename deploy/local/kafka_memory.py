"""librdkafka's in-memory Kafka cluster as a process of its own: real protocol, groups and offsets, no disk.

It has no requests for topics, so they are made through a second port, a line `name partitions` each; both addresses
are written to a file once it serves. It keeps the newest 5 MB of each partition.
"""

import ctypes
import importlib
import importlib.util
import socketserver
import sys
from pathlib import Path
from typing import Any

RD_KAFKA_PRODUCER = 0
TOPIC_ALREADY_EXISTS = 36


class NoMemoryKafka(RuntimeError):
    """confluent-kafka's library is not there."""


def library() -> ctypes.CDLL:
    """librdkafka as confluent-kafka's wheel brings it."""
    spec = importlib.util.find_spec("confluent_kafka")
    if spec is None or spec.origin is None:
        raise NoMemoryKafka("the wheel confluent-kafka is needed")
    package = Path(spec.origin).parent
    places = [*package.parent.glob("confluent_kafka.libs/librdkafka*"), *package.glob(".dylibs/librdkafka*")]
    if not places:
        raise NoMemoryKafka("confluent-kafka's wheel has no librdkafka beside it")
    # The extension module is loaded first: its run path finds what librdkafka itself needs.
    importlib.import_module("confluent_kafka.cimpl")
    loaded = ctypes.CDLL(str(places[0]))
    loaded.rd_kafka_new.restype = ctypes.c_void_p
    loaded.rd_kafka_new.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]
    loaded.rd_kafka_mock_cluster_new.restype = ctypes.c_void_p
    loaded.rd_kafka_mock_cluster_new.argtypes = [ctypes.c_void_p, ctypes.c_int]
    loaded.rd_kafka_mock_cluster_bootstraps.restype = ctypes.c_char_p
    loaded.rd_kafka_mock_cluster_bootstraps.argtypes = [ctypes.c_void_p]
    loaded.rd_kafka_mock_topic_create.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_int]
    loaded.rd_kafka_mock_group_initial_rebalance_delay_ms.argtypes = [ctypes.c_void_p, ctypes.c_int32]
    return loaded


class _TopicRequests(socketserver.StreamRequestHandler):
    server: "_TopicServer"

    def handle(self) -> None:
        for line in self.rfile:
            name, partitions = line.split()
            error = self.server.rdkafka.rd_kafka_mock_topic_create(self.server.cluster, name, int(partitions), 1)
            self.wfile.write(b"ok\n" if error in (0, TOPIC_ALREADY_EXISTS) else f"error {error}\n".encode())


class _TopicServer(socketserver.TCPServer):
    def __init__(self, rdkafka: ctypes.CDLL, cluster: Any) -> None:
        super().__init__(("127.0.0.1", 0), _TopicRequests)
        self.rdkafka = rdkafka
        self.cluster = cluster


def main(address_file: Path) -> None:
    """Serve until ended."""
    rdkafka = library()
    reason = ctypes.create_string_buffer(512)
    handle = rdkafka.rd_kafka_new(RD_KAFKA_PRODUCER, None, reason, len(reason))
    if not handle:
        raise NoMemoryKafka(reason.value.decode())
    cluster = rdkafka.rd_kafka_mock_cluster_new(handle, 1)
    if not cluster:
        raise NoMemoryKafka("librdkafka made no cluster")
    # Its default holds every first member of a group back for three seconds.
    rdkafka.rd_kafka_mock_group_initial_rebalance_delay_ms(cluster, 0)
    with _TopicServer(rdkafka, cluster) as server:
        bootstrap = rdkafka.rd_kafka_mock_cluster_bootstraps(cluster).decode()
        written = address_file.with_suffix(".new")
        written.write_text(f"{bootstrap} {server.server_address[1]}\n")
        written.rename(address_file)
        server.serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
