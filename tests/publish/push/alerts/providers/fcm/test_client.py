"""FCM against a local server that speaks its protocol."""

import asyncio
import base64
from typing import Any
from urllib.parse import parse_qs

import orjson
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from starlette.responses import JSONResponse, Response

from publish.push.alerts.providers.fcm.client import Fcm, ServiceAccount
from publish.push.alerts.providers.provider import Notification, Target
from publish.push.delivery.outbound import Outbound

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
    account = ServiceAccount(
        project_id="p", client_email="desk@p.example", private_key=pem(key), token_uri=f"{recipients.url}/token"
    )
    async with Outbound(allow_private=True, timeout_s=5) as outbound:
        fcm = Fcm(outbound, account, url=recipients.url)
        results = await asyncio.gather(
            *(fcm.send(Target(name), ALERT) for name in ("device", "gone", "later", "failed"))
        )
        assert [each.result for each in results] == ["sent", "gone", "later", "failed"]
        assert results[2].pause_s == 7
        assert len(assertions) == 1
        await fcm.send(Target("device"), WITHDRAWAL)
        assert (await fcm.send(Target("expired"), ALERT)).result == "later"
        assert (await fcm.send(Target("device"), ALERT)).result == "sent"
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
