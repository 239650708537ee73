"""Whatever is sent, the sender gets an answer of ours."""

import json

import orjson
import pytest

from support.ingest_api import Wire
from support.places import conformance

FOLDERS = ("feeds", "newsml-g2", "ninjs", "xml-attacks", "naughty-strings", "jsonfeed-schema")
EACH = 60
"""Of each suite so many files, spread evenly: the readers have the whole of them in their own tests."""

FIELDS = ("guid", "headline", "body_html", "version", "byline", "story", "located", "language")


@pytest.mark.integration
@pytest.mark.conformance
async def test_every_document_is_taken_or_refused_with_a_reason(wire: Wire) -> None:
    """Published suites, attacks among them, sent as they are and cut in the middle: never an error of ours."""
    taken = 0
    for folder in FOLDERS:
        files = sorted(path for path in conformance(folder).rglob("*") if path.is_file())
        for path in files[:: max(1, len(files) // EACH)]:
            body = path.read_bytes()
            for sent in (body, body[: len(body) // 2]):
                answer = await wire.wire(sent, "application/octet-stream")
                assert answer.status_code in (202, 207, 400, 413, 415, 422), (path, answer.text)
                taken += answer.status_code in (202, 207)
                assert answer.status_code < 300 or answer.json()["detail"], path
    assert taken > 100


@pytest.mark.integration
@pytest.mark.conformance
async def test_naughty_strings_are_no_error_of_ours(wire: Wire) -> None:
    """Every naughty string in every field, as guid and version too, is taken or refused with a reason."""
    lists = sorted(conformance("naughty-strings").rglob("*.json"))
    strings = [each for path in lists for each in orjson.loads(path.read_bytes()) if isinstance(each, str)]
    batch = [
        {"guid": f"g{number}"} | dict.fromkeys(FIELDS, each) for number, each in enumerate(strings) if each.strip()
    ]
    answer = await wire.push(batch)
    assert answer.status_code in (202, 207, 422), answer.text[:500]
    assert len(answer.json()["results"]) == len(batch)


@pytest.mark.integration
async def test_values_at_the_edge_of_what_can_be_kept(wire: Wire) -> None:
    """Times before and after all time, names of any length and the like lose no item beside them."""
    edges = [
        {"guid": "x" * 1000},
        {"guid": "early", "version_created": "0001-01-01T00:00:00+14:00"},
        {"guid": "late", "version_created": "9999-12-31T23:59:59-14:00"},
        {"guid": "embargo", "embargo_until": "9999-12-31T23:59:59-14:00"},
        {"guid": "expires", "expires_at": "0001-01-01T00:00:00+14:00"},
        {"guid": "version", "version": "9" * 200},
        {"guid": "story", "story": "s" * 100_000},
        {"guid": "extra", "extra": {"k" * 10_000: ["v"] * 1000}},
        {"guid": "number", "urgency": 10**30},
        {"guid": "bidi \u202e\u2066", "headline": "\ufeff\u200b"},
        {"guid": "../../etc/passwd?#%00"},
    ]
    batch = [{"headline": "x"} | each for each in edges]
    answer = await wire.push(json.dumps([*batch, {"guid": "good", "headline": "x"}]).encode())
    assert answer.status_code in (202, 207), answer.text[:1000]
    results = answer.json()["results"]
    assert len(results) == len(batch) + 1
    assert results[-1]["status"] == "accepted"
    assert all(result["status"] == "accepted" or result["reason"] for result in results)
    told = await wire.client.get("/v1/items", params={"guid": edges[-1]["guid"]}, headers={"X-API-Key": "north-key"})
    assert told.status_code == 200


@pytest.mark.integration
async def test_hostile_paths_are_no_error_of_ours(wire: Wire) -> None:
    """NUL, bytes that are not UTF-8 and half surrogates in paths and queries are told of like any other wrong name."""
    headers = {"X-API-Key": "north-key"}
    for odd in ("%00", "%ff", "%ed%a0%80", "a" * 5000, "..%2f..%2f"):
        for path in (f"/v1/items/{odd}", f"/v1/items?guid={odd}", f"/v1/originals/{odd}", f"/v1/websub/{odd}"):
            answer = await wire.client.get(path, headers=headers)
            assert answer.status_code in (400, 404, 410), (path, answer.text)
        answer = await wire.client.post(f"/v1/wire/{odd}", content=b"{}", headers=headers)
        assert answer.status_code == 404, (odd, answer.text)
        answer = await wire.client.post(f"/v1/updates/{odd}/orders", content=b"{}", headers=headers)
        assert answer.status_code == 404, (odd, answer.text)
