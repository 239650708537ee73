"""APNs against a local server that speaks its protocol."""

import asyncio
import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import h2.config
import h2.connection
import h2.events
import orjson
import pytest_asyncio
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from publish.push.alerts.providers.apns.client import Apns
from publish.push.alerts.providers.provider import Notification, Target
from shared.postgres.pool import Connection

ALERT = Notification(b'{"kind":"alert","tag":"t"}', "Title", "Body", "https://site/u", "topic", 600, "high")
WITHDRAWAL = Notification(
    b'{"kind":"withdraw","tag":"t"}', "", "", "https://site/u", "topic", 600, "high", withdraws=True
)


def decoded(part: str) -> bytes:
    """base64url without padding."""
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def pem(key: Any) -> str:
    """A private key as its file has it."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@dataclass
class Apple:
    """A server that speaks HTTP/2 as APNs does, in clear text."""

    url: str = ""
    connections: int = 0
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answers: dict[str, tuple[int, str]] = field(default_factory=dict)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self.connections += 1
        connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        connection.initiate_connection()
        writer.write(connection.data_to_send())
        streams: dict[int, tuple[dict[str, str], bytearray]] = {}
        while data := await reader.read(65536):
            for event in connection.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    headers = {_text(name): _text(value) for name, value in event.headers or []}
                    streams[event.stream_id or 0] = (headers, bytearray())
                elif isinstance(event, h2.events.DataReceived):
                    streams[event.stream_id or 0][1].extend(event.data or b"")
                    connection.acknowledge_received_data(event.flow_controlled_length or 0, event.stream_id or 0)
                elif isinstance(event, h2.events.StreamEnded):
                    self._answer(connection, event.stream_id or 0, *streams.pop(event.stream_id or 0))
            writer.write(connection.data_to_send())
        writer.close()

    def _answer(self, connection: Connection, stream: int, headers: dict[str, str], body: bytearray) -> None:
        self.got.append((headers, bytes(body)))
        status, reason = self.answers.get(headers[":path"].rsplit("/", 1)[1], (200, ""))
        connection.send_headers(stream, [(":status", str(status)), ("apns-id", "x")], end_stream=not reason)
        if reason:
            connection.send_data(stream, orjson.dumps({"reason": reason}), end_stream=True)


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value


@pytest_asyncio.fixture
async def apple() -> AsyncIterator[Apple]:
    """The server of this test."""
    made = Apple()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield made
    server.close()


async def test_apns_carries_all_on_one_connection_and_each_reason_means_what_apple_says(apple: Apple) -> None:
    """One HTTP/2 connection and one signed token carry all; 410 and bad tokens are gone, 429 is later, 400 is failed."""
    key = ec.generate_private_key(ec.SECP256R1())
    apple.answers = {
        "gone": (410, "Unregistered"),
        "bad": (400, "BadDeviceToken"),
        "busy": (429, "TooManyRequests"),
        "large": (413, "PayloadTooLarge"),
    }
    apns = Apns(private_key_pem=pem(key), key_id="KEY", team_id="TEAM", app="org.example.news", url=apple.url)
    try:
        assert (await apns.send(Target("device"), ALERT)).result == "sent"
        names = ("gone", "bad", "busy", "large")
        results = await asyncio.gather(*(apns.send(Target(name), ALERT) for name in names))
        assert [each.result for each in results] == ["gone", "gone", "later", "failed"]
        assert (await apns.send(Target("device"), WITHDRAWAL)).result == "sent"
    finally:
        await apns.aclose()
    assert apple.connections == 1
    headers, body = apple.got[0]
    assert (headers[":method"], headers[":path"]) == ("POST", "/3/device/device")
    assert (headers["apns-topic"], headers["apns-push-type"]) == ("org.example.news", "alert")
    assert (headers["apns-priority"], headers["apns-collapse-id"]) == ("10", "topic")
    assert orjson.loads(body)["aps"]["alert"] == {"title": "Title", "body": "Body"}
    assert orjson.loads(body)["slugline"]["kind"] == "alert"
    signed, signature = headers["authorization"].removeprefix("bearer ").rsplit(".", 1)
    raw = decoded(signature)
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    key.public_key().verify(der, signed.encode(), ec.ECDSA(hashes.SHA256()))
    assert orjson.loads(decoded(signed.split(".")[0])) == {"alg": "ES256", "kid": "KEY"}
    last, body = apple.got[-1]
    assert (last["apns-push-type"], last["apns-priority"]) == ("background", "5")
    assert orjson.loads(body)["aps"] == {"content-available": 1}
