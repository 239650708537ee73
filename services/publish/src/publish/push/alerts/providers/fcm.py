"""Firebase Cloud Messaging, HTTP v1 (https://firebase.google.com/docs/cloud-messaging/send/v1-api)."""

import asyncio
import base64
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import orjson
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from publish.push.alerts.providers import MAX_ATTEMPT_PAUSE_S, Brought, Message, Target
from publish.push.delivery.outbound import Outbound
from shared.http.retry_after import retry_after_s

SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
TOKEN_LIFE_S = 3600
DEFAULT_PAUSE_S = 60.0
"""Where FCM names none, as its documentation asks."""


def _base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """What the JSON file of a Google service account says."""

    project_id: str
    client_email: str
    private_key: str
    token_uri: str

    @classmethod
    def read(cls, content: bytes) -> "ServiceAccount":
        """From the file's bytes; ValueError names what is missing."""
        value = orjson.loads(content)
        try:
            return cls(value["project_id"], value["client_email"], value["private_key"], value["token_uri"])
        except (KeyError, TypeError) as error:
            raise ValueError(f"the service account's file lacks {error}") from error

    def assertion(self, now: int) -> str:
        """The signed JWT that is exchanged for an access token (RFC 7523)."""
        key = load_pem_private_key(self.private_key.encode(), None)
        assert isinstance(key, rsa.RSAPrivateKey)  # noqa: S101
        claims = {
            "iss": self.client_email, "scope": SCOPE, "aud": self.token_uri, "iat": now, "exp": now + TOKEN_LIFE_S,
        }  # fmt: skip
        signed = b".".join(_base64url(orjson.dumps(part)) for part in ({"alg": "RS256", "typ": "JWT"}, claims))
        return (signed + b"." + _base64url(key.sign(signed, padding.PKCS1v15(), hashes.SHA256()))).decode()


def message_of(target: Target, message: Message) -> dict[str, Any]:
    """The request's JSON. A withdrawal is data only: the app takes the notification away."""
    body: dict[str, Any] = {
        "token": target.address,
        "data": {"slugline": message.payload.decode()},
        "android": {
            "priority": "HIGH" if message.urgency == "high" else "NORMAL",
            "ttl": f"{message.ttl_s}s",
            "collapse_key": message.topic,
        },
    }
    if not message.withdraws:
        body["notification"] = {"title": message.title, "body": message.body}
        body["android"]["notification"] = {"tag": message.topic}
    return {"message": body}


class Fcm:
    """Brings messages to Android devices."""

    def __init__(self, outbound: Outbound, account: ServiceAccount, *, url: str = "https://fcm.googleapis.com") -> None:
        self._outbound = outbound
        self._account = account
        self._url = f"{url}/v1/projects/{account.project_id}/messages:send"
        self._token = ""
        self._token_until = 0.0
        self._lock = asyncio.Lock()

    async def _access_token(self) -> str | None:
        async with self._lock:
            if time.time() > self._token_until - 300:
                form = {
                    "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
                    "assertion": self._account.assertion(int(time.time())),
                }
                answer = await self._outbound.send(
                    "POST",
                    self._account.token_uri,
                    headers={"Content-Type": "application/x-www-form-urlencoded"},
                    body=urlencode(form).encode(),
                )
                if not answer.ok:
                    return None
                granted = orjson.loads(answer.body)
                self._token = granted["access_token"]
                self._token_until = time.time() + float(granted.get("expires_in", TOKEN_LIFE_S))
            return self._token

    async def bring(self, target: Target, message: Message) -> Brought:
        """One message."""
        token = await self._access_token()
        if token is None:
            return Brought("later", None, "no access token was granted", DEFAULT_PAUSE_S)
        answer = await self._outbound.send(
            "POST",
            self._url,
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json; charset=UTF-8"},
            body=orjson.dumps(message_of(target, message)),
        )
        if answer.ok:
            return Brought("sent", answer.status)
        code = _error_code(answer.body)
        if answer.status == 404 or code == "UNREGISTERED":
            return Brought("gone", answer.status, code or "the app is not installed any more")
        if answer.status == 401:
            self._token_until = 0.0
        if answer.status is None or answer.status in (401, 429) or answer.status >= 500:
            asked_s = retry_after_s(answer.headers, longest_s=MAX_ATTEMPT_PAUSE_S)
            return Brought(
                "later", answer.status, code or answer.error, DEFAULT_PAUSE_S if asked_s is None else asked_s
            )
        return Brought("failed", answer.status, code or f"answered {answer.status}")


def _error_code(body: bytes) -> str:
    try:
        error = orjson.loads(body)["error"]
        for detail in error.get("details", []):
            if "errorCode" in detail:
                return str(detail["errorCode"])
        return str(error.get("status", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""
