"""Content credentials of pictures: read, believed as far as they go, and harmless whatever they are."""

import io
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import c2pa
import pytest
import pyvips
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from enrich.media.render.credentials import has_manifest, read_credentials
from enrich.media.render.pool import RendererPool, RenderLimits

AI = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
PEM = serialization.Encoding.PEM


def _name(common: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Harbour"), x509.NameAttribute(NameOID.COMMON_NAME, common)]
    )


def _certificate(subject: str, key: Any, issuer: str, issuer_key: Any, *, is_issuer: bool) -> x509.Certificate:
    now = datetime.now(UTC)
    usage = x509.KeyUsage(not is_issuer, False, False, False, False, is_issuer, is_issuer, False, False)
    builder = (
        x509.CertificateBuilder().subject_name(_name(subject)).issuer_name(_name(issuer)).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=9))
        .add_extension(x509.BasicConstraints(is_issuer, None), critical=True).add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )  # fmt: skip
    if not is_issuer:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


@cache
def signed_picture() -> tuple[bytes, str]:
    """A JPEG with a manifest that calls it made with AI and colour corrected, and the issuer's certificate."""
    issuer_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = _certificate("Harbour Root", issuer_key, "Harbour Root", issuer_key, is_issuer=True).public_bytes(PEM)
    own = _certificate("Harbour Pictures", key, "Harbour Root", issuer_key, is_issuer=False).public_bytes(PEM)
    private = key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    signer = c2pa.Signer.from_info(
        c2pa.C2paSignerInfo(alg=b"es256", sign_cert=own + issuer, private_key=private, ta_url=None)
    )
    actions = [{"action": "c2pa.created", "digitalSourceType": AI}, {"action": "c2pa.color_adjustments"}]
    manifest = {
        "claim_generator_info": [{"name": "Harbour Camera", "version": "1"}],
        "assertions": [{"label": "c2pa.actions", "data": {"actions": actions}}],
    }
    image = pyvips.Image.xyz(400, 300).cast("uchar")
    plain = image.bandjoin(image[0]).copy(interpretation="srgb").jpegsave_buffer()
    out = io.BytesIO()
    c2pa.Builder(manifest).sign(signer, "image/jpeg", io.BytesIO(plain), out)
    return out.getvalue(), issuer.decode()


async def test_credentials_are_read_in_confinement_and_ai_is_labelled(renderers: RendererPool) -> None:
    """Signer, tool and actions; the type that the manifest names is the picture's, and in its renditions."""
    picture, _ = signed_picture()
    rendered = await renderers.render(picture)
    found = rendered.credentials
    assert found is not None
    assert (found.state, found.signer, found.tool) == ("valid", "Harbour Pictures", "Harbour Camera")
    assert found.actions == ("c2pa.created", "c2pa.color_adjustments")
    assert not found.embedded
    assert rendered.embedded.digital_source == "trainedAlgorithmicMedia"
    for each in rendered.renditions:
        assert AI.encode() in each.data
        assert not has_manifest(each.data)


async def test_a_signer_on_the_newsrooms_list_is_trusted() -> None:
    """The issuer's certificate is a setting."""
    picture, issuer = signed_picture()
    async with RendererPool(1, RenderLimits(), trusted=issuer) as renderers:
        rendered = await renderers.render(picture)
    assert rendered.credentials is not None
    assert rendered.credentials.state == "trusted"


@pytest.mark.unit
@pytest.mark.parametrize("at", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_what_was_altered_is_invalid_and_names_no_origin(at: float) -> None:
    """A byte anywhere in the manifest or the picture: it is no longer what was signed."""
    picture = bytearray(signed_picture()[0])
    picture[int(len(picture) * at)] ^= 0xFF
    found, origin = read_credentials(bytes(picture), "jpeg")
    assert found is None or found.state == "invalid"
    assert origin == ""


@pytest.mark.unit
def test_hostile_manifests_are_invalid_and_no_more() -> None:
    """Torn, repeated, filled with rubbish or of enormous claims: an answer comes, and soon."""
    picture = signed_picture()[0]
    start = picture.index(b"jumb") - 8
    hostile = [
        picture[: start + 100] + picture[-2000:],
        picture[:start] + picture[start : start + 30_000] * 20,
        picture[: start + 60] + b"\xff" * 20_000 + picture[start + 20_060 :],
        picture[: start + 12] + b"\x7f\xff\xff\xff" + picture[start + 16 :],
        b"\xff\xd8\xff\xeb\xff\xff" + b"JP\x00\x01\x00\x00\x00\x01\xff\xff\xff\xffjumb" + b"c2pa" * 10_000,
        b"\x89PNG\r\n\x1a\n" + b"jumbc2pa" * 10_000,
    ]
    for each in hostile:
        found, origin = read_credentials(each, "jpeg")
        assert found is None or found.state == "invalid"
        assert origin == ""


@pytest.mark.unit
def test_a_picture_without_a_manifest_costs_nothing() -> None:
    """The library is not asked at all."""
    assert read_credentials(b"\xff\xd8\xff" + b"\x00" * 1000, "jpeg") == (None, "")
