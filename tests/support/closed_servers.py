"""Kafka, Postgres and Redis that speak TLS alone and know who asks, with certificates of an authority of this run."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import trustme
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from redis.asyncio import Redis as Client

from local import kafka, postgres, redis
from local.child import free_port
from local.stack import open_folder
from shared.settings import Connections
from support.servers import CACHE

USER, PASSWORD = "slugline", "a secret of the tests"
NEIGHBOUR = "coast"
"""A user of Kafka who is no administrator, with the same password."""


@dataclass
class ClosedServers:
    """Where they are, and the files that clients need."""

    kafka: str
    postgres: str
    redis: str
    ca: Path
    certificate: Path
    """Of a client, with its key."""


@contextlib.asynccontextmanager
async def closed_servers() -> AsyncIterator[ClosedServers]:
    """All three, while the block runs."""
    authority = trustme.CA()
    of_server = authority.issue_cert("localhost", "127.0.0.1")
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(open_folder())
        ca, server, client = folder / "ca.pem", folder / "server.pem", folder / "client.pem"
        authority.cert_pem.write_to_path(ca)
        server.write_bytes(_for_java(of_server))
        authority.issue_cert("slugline").private_key_and_cert_chain_pem.write_to_path(client)
        for each in (ca, client):
            each.chmod(0o644)
        broker = _kafka(folder, ca, server)
        database = postgres.Postgres(folder / "postgres", folder / "postgres.log")
        cache = redis.Redis(folder / "redis", folder / "redis.log")
        for each_server in (broker, database, cache):
            await asyncio.to_thread(each_server.start)
            assert each_server.child is not None
            stack.callback(each_server.child.end)
        for each_server in (broker, database, cache):
            await asyncio.to_thread(each_server.wait)
        async with Client.from_url(cache.url) as admin:
            await admin.execute_command("ACL", "SETUSER", USER, "on", f">{PASSWORD}", "~slugline:*", "+@all")
            await admin.execute_command("ACL", "SETUSER", "default", "off")
        async with (
            _behind_tls(cache.port, of_server) as redis_port,
            _behind_tls(database.port, of_server, asked_by=SSL_REQUEST) as postgres_port,
        ):
            login = f"{USER}:{PASSWORD.replace(' ', '%20')}"
            nobody = free_port()
            yield ClosedServers(
                f"localhost:{broker.port}",
                # A host that is down stands first, as it does after a failover.
                f"postgresql://slugline:slugline@localhost:{nobody},localhost:{postgres_port}/slugline"
                f"?target_session_attrs=read-write&sslmode=verify-full&sslrootcert={ca}",
                f"rediss://{login}@localhost:{redis_port}/0?ssl_ca_certs={ca}",
                ca,
                client,
            )


def keep_to_prefix(settings: Connections, user: str, prefix: str) -> None:
    """Let a user of Kafka do all with the topics and groups of a prefix, and nothing else: deploy/newsrooms/README.md."""
    admin = AdminClient(
        {
            "bootstrap.servers": settings.kafka_servers, "security.protocol": "sasl_ssl", "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": USER, "sasl.password": PASSWORD, "ssl.ca.location": settings.kafka_ca_file,
            "ssl.certificate.location": settings.kafka_certificate_file, "ssl.key.location": settings.kafka_certificate_file,
        }
    )  # fmt: skip
    rules = [
        AclBinding(kind, prefix, ResourcePatternType.PREFIXED, f"User:{user}", "*", AclOperation.ALL, AclPermissionType.ALLOW)
        for kind in (ResourceType.TOPIC, ResourceType.GROUP)
    ]  # fmt: skip
    for made in admin.create_acls(rules).values():
        made.result(20)


def _for_java(certificate: trustme.LeafCert) -> bytes:
    """Key and chain, the key as PKCS 8, the only form that Kafka reads from PEM."""
    key = load_pem_private_key(certificate.private_key_pem.bytes(), password=None)
    encoded = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return encoded + b"".join(each.bytes() for each in certificate.cert_chain_pems)


def _kafka(folder: Path, ca: Path, server: Path) -> kafka.Kafka:
    mechanism = "SCRAM-SHA-512"
    module = "org.apache.kafka.common.security.scram.ScramLoginModule"
    listener = f"listener.name.sasl_ssl.{mechanism.lower()}"
    more = {
        "sasl.enabled.mechanisms": mechanism,
        "sasl.mechanism.inter.broker.protocol": mechanism,
        f"{listener}.sasl.jaas.config": f'{module} required username="{USER}" password="{PASSWORD}";',
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(server),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(ca),
        "listener.name.sasl_ssl.ssl.client.auth": "required",
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        # The controller's own listener knows no users.
        "super.users": f"User:{USER};User:ANONYMOUS",
    }
    users = [f"{mechanism}=[name={name},password={PASSWORD}]" for name in (USER, NEIGHBOUR)]
    return kafka.Kafka(folder / "kafka", folder / "kafka.log", CACHE, more=more, protocol="SASL_SSL", users=users)


SSL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
"""What a client of Postgres asks first; the source is chapter 54.2.10 of its manual."""


@contextlib.asynccontextmanager
async def _behind_tls(port: int, certificate: trustme.LeafCert, *, asked_by: bytes = b"") -> AsyncIterator[int]:
    """The port of a proxy that takes TLS off: the Redis and Postgres of the wheels are built without.

    With `asked_by`, a client must ask for TLS by these bytes first, and is answered S.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(context)

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if asked_by:
            if await reader.read(len(asked_by)) != asked_by:
                writer.close()
                return
            writer.write(b"S")
            await writer.start_tls(context)
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(pump(reader, inner_writer), pump(inner_reader, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=None if asked_by else context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
