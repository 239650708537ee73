"""Messages that point at documents instead of updates."""

import pytest

from support.ingest_api import Wire

pytestmark = pytest.mark.integration


def alert(identifier: str, kind: str, headline: str, *references: str) -> bytes:
    """A CAP 1.2 message of the public."""
    pointed = (
        f"<references>{' '.join(f'w@example.org,{name},2026-01-01T12:00:00-00:00' for name in references)}</references>"
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
<identifier>{identifier}</identifier><sender>w@example.org</sender><sent>2026-01-01T12:0{identifier[-1]}:00-00:00</sent>
<status>Actual</status><msgType>{kind}</msgType><scope>Public</scope>{pointed if references else ""}
<info><category>Met</category><event>Storm</event><urgency>Immediate</urgency><severity>Severe</severity>
<certainty>Likely</certainty><headline>{headline}</headline><area><areaDesc>Coast</areaDesc></area></info></alert>""".encode()


async def test_a_chain_of_alerts_is_one_update(wire: Wire) -> None:
    """An Update that refers to an Update is a version of the first alert, and the Cancel of the last kills it."""
    for body in (
        alert("A1", "Alert", "Storm is coming"),
        alert("U2", "Update", "Storm is near", "A1"),
        alert("U3", "Update", "Storm is here", "U2"),
        alert("C4", "Cancel", "Storm is over", "U3"),
    ):
        answer = await wire.wire(body, "application/cap+xml")
        assert answer.status_code == 202, answer.text
    items = await wire.raw()
    assert len({item["update_id"] for item in items}) == 1
    assert [item["guid"] for item in items] == ["A1"] * 4
    assert items[-1]["status"] == "canceled"
