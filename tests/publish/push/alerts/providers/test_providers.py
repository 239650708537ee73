"""FCM and APNs against local servers that speak their protocols."""

import asyncio
import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import h2.config
import h2.connection
import h2.events
import orjson
import pytest_asyncio
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from starlette.responses import JSONResponse, Response

from publish.push.alerts.providers import Message, Target
from publish.push.alerts.providers.apns import Apns
from publish.push.alerts.providers.fcm import Fcm, ServiceAccount
from publish.push.delivery.outbound import Outbound
from shared.postgres.pool import Connection

ALERT = Message(b'{"kind":"alert","tag":"t"}', "Title", "Body", "https://site/u", "topic", 600, "high")
WITHDRAWAL = Message(b'{"kind":"withdraw","tag":"t"}', "", "", "https://site/u", "topic", 600, "high", withdraws=True)


def decoded(part: str) -> bytes:
    """base64url without padding."""
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def pem(key: Any) -> str:
    """A private key as its file has it."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


async def test_fcm_gets_a_token_for_a_signed_assertion_and_each_error_means_what_google_says(recipients: Any) -> None:
    """One token serves many messages; UNREGISTERED is gone, 503 with Retry-After is later, 400 is failed, 401 renews the token."""
    key = rsa.generate_private_key(65537, 2048)
    assertions: list[str] = []

    def token(got: Any, n: int) -> Response:
        assertions.append(parse_qs(got.body.decode())["assertion"][0])
        return JSONResponse({"access_token": f"token{n}", "expires_in": 3600})

    def error(status: int, code: str) -> Response:
        return JSONResponse({"error": {"status": code, "details": [{"errorCode": code}]}}, status)

    answers: dict[str, Any] = {
        "gone": lambda: error(404, "UNREGISTERED"),
        "later": lambda: Response(None, 503, {"Retry-After": "7"}),
        "failed": lambda: error(400, "INVALID_ARGUMENT"),
    }
    expired: set[str] = set()

    def send(got: Any, n: int) -> Response:
        device = orjson.loads(got.body)["message"]["token"]
        if device == "expired" and got.headers["authorization"] not in expired:
            expired.add(got.headers["authorization"])
            return error(401, "UNAUTHENTICATED")
        return answers[device]() if device in answers else JSONResponse({"name": "projects/p/messages/1"})

    recipients.behave["/token"] = token
    recipients.behave["/v1/projects/p/messages:send"] = send
    account = ServiceAccount("p", "desk@p.example", pem(key), f"{recipients.url}/token")
    async with Outbound(allow_private=True, timeout_s=5) as outbound:
        fcm = Fcm(outbound, account, url=recipients.url)
        results = await asyncio.gather(
            *(fcm.bring(Target(name), ALERT) for name in ("device", "gone", "later", "failed"))
        )
        assert [each.result for each in results] == ["sent", "gone", "later", "failed"]
        assert results[2].pause_s == 7
        assert len(assertions) == 1
        await fcm.bring(Target("device"), WITHDRAWAL)
        assert (await fcm.bring(Target("expired"), ALERT)).result == "later"
        assert (await fcm.bring(Target("device"), ALERT)).result == "sent"
        assert len(assertions) == 2
    signed, signature = assertions[0].rsplit(".", 1)
    key.public_key().verify(decoded(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    claims = orjson.loads(decoded(signed.split(".")[1]))
    assert (claims["iss"], claims["aud"]) == ("desk@p.example", f"{recipients.url}/token")
    messages = [orjson.loads(got.body)["message"] for got in recipients.at("/v1/projects/p/messages:send")]
    shown = next(each for each in messages if each["token"] == "device")
    assert shown["notification"] == {"title": "Title", "body": "Body"}
    assert shown["android"] | {"notification": 0} == {
        "priority": "HIGH", "ttl": "600s", "collapse_key": "topic", "notification": 0,
    }  # fmt: skip
    assert sum("notification" not in each for each in messages) == 1, "a withdrawal shows nothing"


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
        assert (await apns.bring(Target("device"), ALERT)).result == "sent"
        names = ("gone", "bad", "busy", "large")
        results = await asyncio.gather(*(apns.bring(Target(name), ALERT) for name in names))
        assert [each.result for each in results] == ["gone", "gone", "later", "failed"]
        assert (await apns.bring(Target("device"), WITHDRAWAL)).result == "sent"
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
