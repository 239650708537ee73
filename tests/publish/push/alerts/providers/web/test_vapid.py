"""The token that says who sends."""

import json

from py_vapid import Vapid02

from publish.push.alerts.providers.web.vapid import Vapid, new_vapid_key
from support.push import b64


def test_the_token_names_the_push_service_and_is_kept() -> None:
    """The VAPID token verifies, is for the endpoint's origin, and is not made anew for each message."""
    vapid = Vapid(new_vapid_key(), "mailto:desk@example.org")
    header = vapid.authorization("https://push.example:8443/abc")
    assert Vapid02.verify(header)
    claims = json.loads(b64(header.split("t=")[1].split(",")[0].split(".")[1]))
    assert claims["aud"] == "https://push.example:8443"
    assert header == vapid.authorization("https://push.example:8443/other")
    assert header.endswith(f"k={vapid.public_key}")
