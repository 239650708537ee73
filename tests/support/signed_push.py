"""A push that is signed as Standard Webhooks 1.0 say."""

import base64
import hashlib
import hmac

MASTER = "the installation's secret"
BODY = b'<?xml version="1.0"?><rss version="2.0"><channel><title>T</title><item><guid>r1</guid><title>Signed</title></item></channel></rss>'


def signed(body: bytes, secret: bytes, at: float, identity: str = "msg-1") -> dict[str, str]:
    """As a sender's library signs."""
    content = f"{identity}.{int(at)}.".encode() + body
    value = base64.b64encode(hmac.new(secret, content, hashlib.sha256).digest()).decode()
    return {"webhook-id": identity, "webhook-timestamp": str(int(at)), "webhook-signature": f"v1,{value}"}
