"""Firebase Cloud Messaging, HTTP v1 (https://firebase.google.com/docs/cloud-messaging/send/v1-api)."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from urllib.parse import urlencode

import orjson
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import BaseModel, JsonValue

from publish.push.alerts.providers import jwt
from publish.push.alerts.providers.fcm.error import DEFAULT_PAUSE_S, send_result
from publish.push.alerts.providers.fcm.settings import FcmSettings
from publish.push.alerts.providers.provider import Notification, Resources, SendResult, Target
from publish.push.delivery.outbound import Outbound

SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
TOKEN_LIFE_S = 3600
RENEWED_BEFORE_S = 300


class ServiceAccount(BaseModel):
    """The JSON file of a Google service account."""

    project_id: str
    client_email: str
    private_key: str
    token_uri: str

    def assertion(self, now: int) -> str:
        """The signed JWT that is exchanged for an access token (RFC 7523)."""
        key = load_pem_private_key(self.private_key.encode(), None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise TypeError("the key of a service account is an RSA key")
        claims: dict[str, JsonValue] = {
            "iss": self.client_email, "scope": SCOPE, "aud": self.token_uri, "iat": now, "exp": now + TOKEN_LIFE_S,
        }  # fmt: skip
        return jwt.encoded(
            {"alg": "RS256", "typ": "JWT"}, claims, lambda data: key.sign(data, padding.PKCS1v15(), hashes.SHA256())
        )


class _Grant(BaseModel):
    access_token: str
    expires_in: float = TOKEN_LIFE_S


def message_of(target: Target, notification: Notification) -> dict[str, JsonValue]:
    """The request's JSON. A withdrawal is data only: the app takes the notification away."""
    android: dict[str, JsonValue] = {
        "priority": "HIGH" if notification.urgency == "high" else "NORMAL",
        "ttl": f"{notification.ttl_s}s",
        "collapse_key": notification.topic,
    }
    message: dict[str, JsonValue] = {
        "token": target.address,
        "data": {"slugline": notification.payload.decode()},
        "android": android,
    }
    if not notification.withdraws:
        message["notification"] = {"title": notification.title, "body": notification.body}
        android["notification"] = {"tag": notification.topic}
    return {"message": message}


class Fcm:
    """Sends notifications to Android devices."""

    def __init__(self, client: Outbound, account: ServiceAccount, *, url: str = "https://fcm.googleapis.com") -> None:
        self._client = client
        self._account = account
        self._url = f"{url}/v1/projects/{account.project_id}/messages:send"
        self._token = ""
        self._token_until = 0.0
        self._lock = asyncio.Lock()

    async def _access_token(self) -> str | None:
        async with self._lock:
            if time.time() > self._token_until - RENEWED_BEFORE_S:
                form = {
                    "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
                    "assertion": self._account.assertion(int(time.time())),
                }
                answer = await self._client.send(
                    "POST",
                    self._account.token_uri,
                    headers={"Content-Type": "application/x-www-form-urlencoded"},
                    body=urlencode(form).encode(),
                )
                if not answer.ok:
                    return None
                grant = _Grant.model_validate_json(answer.body)
                self._token = grant.access_token
                self._token_until = time.time() + grant.expires_in
            return self._token

    async def send(self, target: Target, notification: Notification) -> SendResult:
        """Send one notification."""
        token = await self._access_token()
        if token is None:
            return SendResult("later", None, "no access token was granted", DEFAULT_PAUSE_S)
        answer = await self._client.send(
            "POST",
            self._url,
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json; charset=UTF-8"},
            body=orjson.dumps(message_of(target, notification)),
        )
        if answer.status == 401:
            self._token_until = 0.0
        return send_result(answer)


@contextlib.asynccontextmanager
async def open_fcm(settings: FcmSettings, resources: Resources) -> AsyncIterator[Fcm | None]:
    """FCM, where a service account is given."""
    if settings.publish_push_fcm_account is None:
        yield None
        return
    account = ServiceAccount.model_validate_json(settings.publish_push_fcm_account.read_bytes())
    yield Fcm(resources.trusted, account, url=settings.publish_push_fcm_url)
