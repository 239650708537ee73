"""Corrections in conflict over HTTP, on real Kafka and Postgres."""

import hashlib
from typing import Any

import httpx
import pytest

from enrich.admin.openapi import OPERATIONS, document
from shared.messages import update_id_for
from support.enrich_text import Desk, Replicas
from support.incoming import order, version
from support.waiting import eventually

KEY = {"Authorization": "Bearer key-of-a-desk"}
DIGEST = hashlib.sha256(b"key-of-a-desk").hexdigest()
UPDATE = update_id_for("pa", "g1")


def said(number: int, amount: int, more: str = "") -> Any:
    """A version that says a number."""
    return version(number, headline="Inflation", body_html=f"<p>Prices rose {amount} percent in May.</p>{more}")


@pytest.mark.integration
async def test_a_conflict_is_listed_and_decided_over_http(desk: Desk, replicas: Replicas) -> None:
    """Who, what the desk says, what the source says, since when; kept, and then accepted; an outcome for each conflict."""
    [settings] = await replicas(enrich_api_key_sha256=DIGEST)
    address = f"http://127.0.0.1:{settings.health_port}/v1/corrections"
    right = order("correct", 2, body_html="<p>Prices rose 12 percent in May.</p>", reason="The office said 12")
    await desk.send(said(1, 20), right, said(3, 22, "<p>More.</p>"))
    async with httpx.AsyncClient(headers=KEY, timeout=10) as client:

        async def listed() -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = (await client.get(address)).json()["corrections"]
            return found

        [conflicting] = await eventually(listed, bool, what="no conflict")
        assert (conflicting["source"], conflicting["guid"], conflicting["revision"]) == ("pa", "g1", 3)
        assert conflicting["corrected"] == [
            {"matter": "body", "by": "desk", "at": "2026-11-23T09:02:00Z", "reason": "The office said 12"}
        ]
        assert conflicting["conflicts"] == [
            {"matter": "body", "base": "20", "desk": "12", "source": "22", "since": "2026-11-23T09:03:00Z"}
        ]
        both = (await client.get(f"{address}/{UPDATE}")).json()
        assert "12 percent" in both["body_html"]
        assert "22 percent" in both["source_body_html"]
        assert [each.stage for each in await desk.until_outcomes(4)] == ["enriched"] * 3 + ["conflict"]

        kept = await client.post(f"{address}/{UPDATE}/keep", json={"by": "ada"})
        assert (kept.status_code, kept.json()["order"], kept.json()["revision"]) == (202, "keep-correction", 3)
        await eventually(listed, lambda rows: not rows, what="still in conflict")
        again = await client.post(f"{address}/{UPDATE}/keep", json={"by": "ada"})
        assert (again.status_code, again.json()["code"]) == (409, "no-conflict")

        await desk.send(said(4, 13, "<p>More.</p>"))
        await eventually(listed, bool, what="no conflict")
        accepted = await client.post(f"{address}/{UPDATE}/accept", json={"by": "ada", "reason": "New figures"})
        assert accepted.status_code == 202
        revisions = await desk.until(5)
        assert [each.text for each in revisions[1:]] == [
            "Prices rose 12 percent in May.",
            "Prices rose 12 percent in May.\n\nMore.",
            "Prices rose 12 percent in May.\n\nMore.",
            "Prices rose 13 percent in May.\n\nMore.",
        ]
        assert revisions[-1].change.reason == "New figures"
        await eventually(listed, lambda rows: not rows, what="still in conflict")


@pytest.mark.integration
async def test_what_cannot_be_decided_is_refused(desk: Desk, replicas: Replicas) -> None:
    """Without the key, of an update that nobody corrected, or in a form that says nothing."""
    [settings] = await replicas(enrich_api_key_sha256=DIGEST)
    await desk.send(said(1, 20), order("correct", 2, headline="Prices up", reason="x"))
    await desk.until(2)
    address = f"http://127.0.0.1:{settings.health_port}/v1/corrections"
    async with httpx.AsyncClient(headers=KEY, timeout=10) as client:
        await eventually(lambda: client.get(f"{address}/{UPDATE}"), lambda seen: seen.status_code == 200, what="no row")
        asked = [
            (await client.get(address, headers={"Authorization": "Bearer wrong"}), 401, "key-wrong"),
            (await client.get(f"{address}?limit=0"), 400, "limit"),
            (await client.get(f"{address}?limit=10&x=1"), 400, "unknown-parameter"),
            (await client.get(f"{address}/{'a' * 26}"), 404, "no-correction"),
            (await client.post(f"{address}/{UPDATE}/accept", content=b"{"), 400, "not-json"),
            (await client.post(f"{address}/{UPDATE}/accept", json={"by": ""}), 422, "not-valid"),
            (await client.post(f"{address}/{UPDATE}/accept", json={"by": "a", "colour": "red"}), 422, "not-valid"),
            (await client.post(f"{address}/{UPDATE}/accept", content=b" " * 20_000), 413, "too-large"),
            (await client.post(f"{address}/{UPDATE}/accept", json={"by": "ada"}), 409, "no-conflict"),
        ]
        for answer, status, code in asked:
            assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_the_document_describes_every_route() -> None:
    """Each operation is in the OpenAPI document, with models for what it takes and gives."""
    paths: Any = document()["paths"]
    assert {(each.method.lower(), each.path) for each in OPERATIONS} == {
        (method, path) for path, methods in paths.items() for method in methods
    }
    schemas: Any = document()["components"]
    assert {"CorrectionTexts", "CorrectionDecision", "CorrectionOrdered", "ProblemDocument"} <= schemas[
        "schemas"
    ].keys()
