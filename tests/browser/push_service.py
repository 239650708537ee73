"""The push service of a real Chromium, on this machine.

Chromium lets the three addresses of its push service be given by switches: where a device checks in, where a site's
subscription is registered, and where messages come from (MCS, protocol buffers over TLS). This speaks as much of them
as a browser needs, and takes messages by RFC 8030 from the newsroom. So the subscription, its keys, the decryption and
the service worker are the browser's own.
"""

import asyncio
import contextlib
import datetime
import ssl
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from py_vapid import Vapid02
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.child import free_port
from shared.http.server.server import http_server

ANDROID_ID, SECURITY_TOKEN = 1_234_567, 7_654_321
MCS_VERSION = 41
HEARTBEAT_PING, HEARTBEAT_ACK, LOGIN_REQUEST, LOGIN_RESPONSE, DATA_MESSAGE = 0, 1, 2, 3, 8


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def _text(number: int, value: str | bytes) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _fixed(number: int, value: int) -> bytes:
    return _varint(number << 3 | 1) + struct.pack("<Q", value)


@dataclass
class Taken:
    """One message as the newsroom brought it."""

    token: str
    headers: dict[str, str]
    body: bytes


@dataclass
class PushService:
    """Devices check in, sites register, messages go through."""

    http_port: int
    mcs_port: int
    registered: dict[str, dict[str, str]] = field(default_factory=dict)
    """By token: what the browser said of the subscription."""
    taken: list[Taken] = field(default_factory=list)
    held: list[Taken] = field(default_factory=list)
    """For a device that is away; a later message takes the place of an earlier one of the same Topic."""
    online: bool = True
    count: int = 0
    connections: list[asyncio.StreamWriter] = field(default_factory=list)

    @property
    def subscriptions(self) -> list[dict[str, str]]:
        """Those of sites; Chromium registers for itself too."""
        return [each for each in self.registered.values() if each.get("X-subtype", "").startswith("wp:")]

    @property
    def switches(self) -> list[str]:
        """What Chromium is started with."""
        http = f"http://127.0.0.1:{self.http_port}"
        return [
            f"--gcm-checkin-url={http}/checkin",
            f"--gcm-registration-url={http}/register",
            f"--gcm-mcs-endpoint=https://127.0.0.1:{self.mcs_port}",
            "--ignore-certificate-errors",
        ]

    def routes(self) -> list[Route]:
        """What it answers by HTTP."""
        return [
            Route("/checkin", self.checkin, methods=["POST"]),
            Route("/register", self.register, methods=["POST"]),
            Route("/fcm/send/{token}", self.take, methods=["POST"]),
        ]

    async def checkin(self, _: Request) -> Response:
        """A device becomes one: AndroidCheckinResponse."""
        body = _number(1, 1) + _fixed(7, ANDROID_ID) + _fixed(8, SECURITY_TOKEN)
        return Response(body, 200, media_type="application/x-protobuf")

    async def register(self, request: Request) -> Response:
        """A subscription begins or ends."""
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        if form.get("delete") == "true":
            ended = [token for token, each in self.registered.items() if each.get("X-subtype") == form.get("X-subtype")]
            for token in ended:
                del self.registered[token]
            return Response(f"token={form.get('app', '')}", 200, media_type="text/plain")
        self.count += 1
        token = f"token{self.count}"
        self.registered[token] = form
        return Response(f"token={token}", 200, media_type="text/plain")

    async def take(self, request: Request) -> Response:
        """A message of the newsroom (RFC 8030, section 5), whose sender must be who the browser subscribed to (RFC 8292)."""
        token = request.path_params["token"]
        of = self.registered.get(token)
        if of is None:
            return Response(None, 410)
        headers = dict(request.headers)
        signer = headers["authorization"].partition("k=")[2]
        if not Vapid02.verify(headers["authorization"]) or signer != of["sender"]:
            return Response("the sender is another one", 403)
        if "ttl" not in headers or headers.get("content-encoding") != "aes128gcm":
            return Response("TTL and aes128gcm are needed", 400)
        taken = Taken(token, headers, await request.body())
        self.taken.append(taken)
        if self.online and self.connections:
            await self._deliver(taken)
        else:
            self.held = [
                each for each in self.held if (each.token, each.headers.get("topic")) != (token, headers.get("topic"))
            ]
            self.held.append(taken)
        return Response(None, 201, {"Location": f"/m/{len(self.taken)}"})

    async def come_back(self) -> None:
        """The device is online again, and gets what was held."""
        self.online = True
        held, self.held = self.held, []
        for taken in held:
            await self._deliver(taken)

    async def _deliver(self, taken: Taken) -> None:
        of = self.registered[taken.token]
        about = {"subtype": of["X-subtype"], "content-encoding": "aes128gcm"}
        stanza = (
            _text(2, f"m{len(self.taken)}")
            + _text(3, of["sender"])
            + _text(5, of["app"])
            + b"".join(_text(7, _text(1, name) + _text(2, value)) for name, value in about.items())
            + _text(9, f"p{len(self.taken)}")
            + _number(17, 60)
            + _text(21, taken.body)
        )
        writer = self.connections[-1]
        writer.write(bytes([DATA_MESSAGE]) + _varint(len(stanza)) + stanza)
        await writer.drain()

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One device's connection for messages."""
        with contextlib.closing(writer), contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await reader.readexactly(1)
            writer.write(bytes([MCS_VERSION]))
            while True:
                tag = (await reader.readexactly(1))[0]
                await reader.readexactly(await _length(reader))
                if tag == LOGIN_REQUEST:
                    response = _text(1, "login")
                    writer.write(bytes([LOGIN_RESPONSE]) + _varint(len(response)) + response)
                    self.connections.append(writer)
                elif tag == HEARTBEAT_PING:
                    writer.write(bytes([HEARTBEAT_ACK, 0]))
                await writer.drain()


async def _length(reader: asyncio.StreamReader) -> int:
    length = shift = 0
    while True:
        byte = (await reader.readexactly(1))[0]
        length |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return length


def _certificate(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    file = folder / "push-service.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(private + made.public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


@contextlib.asynccontextmanager
async def push_service(folder: Path) -> AsyncIterator[PushService]:
    """A push service while the block runs."""
    service = PushService(free_port(), free_port())
    app: Any = Starlette(routes=service.routes())
    server = await asyncio.start_server(service.connect, "127.0.0.1", service.mcs_port, ssl=_certificate(folder))
    try:
        async with http_server(app, "127.0.0.1", service.http_port):
            yield service
    finally:
        server.close()
        for writer in service.connections:
            writer.close()
