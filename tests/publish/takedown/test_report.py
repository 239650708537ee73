"""The report as JSON, signed, and as a page; and when a takedown is looked at again."""

import base64
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from publish.takedown.proof import next_look
from publish.takedown.report import FullLook, Report, SinkReport, as_json, as_page
from publish.takedown.signing import NotSigned, ReportKey, _encoded, key_id, verify
from support.revisions import NOON, read, revision

LATER = NOON + timedelta(seconds=1.5)


def report(**fields: str) -> Report:
    """Of two sinks, one of which does not answer."""
    killed = read(revision("a", 2, removal="killed", change={"reason": "wrong <b>name</b>"}), 7)
    sinks = (
        SinkReport("archive", LATER, LATER, ""),
        SinkReport("http://web API", None, LATER, fields.get("detail", "x")),
    )
    return Report(killed, True, sinks, (FullLook(LATER, False, ["http://web API"]),), None)


def new_key() -> ReportKey:
    """A key of its own."""
    return ReportKey(_encoded(Ed25519PrivateKey.generate().private_bytes_raw()))


def test_a_signed_report_is_proven_and_a_changed_one_is_not() -> None:
    """By the public key alone; another key, another word, another algorithm or no report at all are refused."""
    key = new_key()
    said = as_json(report(), LATER)
    document = key.sign(said)
    assert verify(orjson.dumps(document), key.public_key) == said
    assert said["clean"] is False
    assert orjson.loads(orjson.dumps(said["sinks"]))[0]["seconds"] == 1.5
    forged = document | {"payload": _encoded(orjson.dumps(said | {"clean": True}))}
    header = _encoded(orjson.dumps({"alg": "none"}))
    for wrong in (forged, document | {"protected": header}, {}, document | {"signature": ""}):
        with pytest.raises(NotSigned):
            verify(orjson.dumps(wrong), key.public_key)
    with pytest.raises(NotSigned):
        verify(orjson.dumps(document), new_key().public_key)
    assert verify_by_the_book(document, key.public_key)
    assert len(key_id(key.public_key)) == 43


def verify_by_the_book(document: dict[str, str], public_key: str) -> bool:
    """RFC 7515, section 5.2, step by step, as a partner would."""

    def decoded(text: str) -> bytes:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

    signed = f"{document['protected']}.{document['payload']}".encode("ascii")
    Ed25519PublicKey.from_public_bytes(decoded(public_key)).verify(decoded(document["signature"]), signed)
    return bool(orjson.loads(decoded(document["protected"]))["alg"] == "EdDSA")


def test_the_page_says_what_is_not_clean_and_runs_nothing() -> None:
    """Details come from servers and reasons from desks: they are text."""
    page = as_page(report(detail="answers <script>200</script>"), datetime.now(UTC), "signed")
    assert "NOT every place is clean" in page
    assert "answers &lt;script&gt;200&lt;/script&gt;" in page
    assert "wrong &lt;b&gt;name&lt;/b&gt;" in page
    assert "<script" not in page
    assert "src=" not in page


def test_a_takedown_is_looked_at_until_clean_then_after_an_hour_and_a_day() -> None:
    """What stays unclean is looked at ever more rarely, for a week."""
    hour, day = timedelta(hours=1), timedelta(days=1)
    assert next_look(timedelta(seconds=1), 1, clean=True) == hour - timedelta(seconds=1)
    assert next_look(hour, 2, clean=True) == day - hour
    assert next_look(day, 3, clean=True) is None
    assert next_look(day * 2, 1, clean=True) == timedelta(0), "what was clean so late is looked at once more at once"
    pauses = [next_look(timedelta(seconds=age), 0, clean=False) for age in (0, 10, 600, 10**5)]
    assert pauses == [timedelta(seconds=each) for each in (0.25, 1, 60, 900)]
    assert next_look(timedelta(days=8), 0, clean=False) is None
