"""Encryption of Web Push, against published vectors."""

import json

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from publish.push.alerts.providers.web.encryption import MAX_PAYLOAD_BYTES, encrypt
from support.places import conformance
from support.push import Device, b64


def _private(value: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(b64(value), "big"), ec.SECP256R1())


@pytest.mark.conformance
def test_encryption_gives_the_bytes_of_the_published_vector() -> None:
    """With the vector's salt and key, the message is RFC 8291's own, byte for byte."""
    vector = json.loads(conformance("webpush/vectors.json").read_text())["rfc8291"][0]
    sealed = encrypt(
        vector["plaintext"].encode(), b64(vector["ua_public"]), b64(vector["auth_secret"]),
        salt=b64(vector["salt"]), key=_private(vector["as_private"]),
    )  # fmt: skip
    assert sealed == b64(vector["message"])


def test_a_payload_of_the_greatest_size_fits_what_push_services_must_take() -> None:
    """The longest payload makes a message of 4,096 bytes, which a device reads."""
    device = Device.new("https://push.example/x")
    sealed = encrypt(b"x" * MAX_PAYLOAD_BYTES, device.public, device.auth)
    assert len(sealed) == 4096
    assert http_ece.decrypt(sealed, private_key=device.private, auth_secret=device.auth) == b"x" * MAX_PAYLOAD_BYTES
