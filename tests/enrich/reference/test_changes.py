"""Changed authors, tags and stories reach the updates that show them; on real Kafka and Postgres."""

import contextlib
import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import httpx
import pytest
from click.testing import CliRunner

from enrich.__main__ import cli
from enrich.reference.changes import announce
from shared.messages import Order, StoryProfile
from support.enrich_text import Desk, Replicas
from support.incoming import version
from support.places import conformance
from support.waiting import eventually

pytestmark = pytest.mark.integration

FERRY = (
    "<p>A ferry carrying 120 people ran aground off Port Marrow on Monday morning, the coastguard said. No one was hurt "
    "and {} were being taken off by lifeboat. The operator said that the sea was calm when it happened.</p>"
)
ACCOUNT = (
    "<p>Lifeboats are {}taking 120 people from a ferry that ran aground near Port Marrow on Monday morning. Nobody was injured, "
    "the coastguard told reporters; the sea had been calm, according to the operator.</p>"
)


class Operator:
    """Runs commands as a person would, on the test's newsroom."""

    def __init__(self, desk: Desk) -> None:
        self._environment = {"POSTGRES_DSN": desk.settings.postgres_dsn}

    async def run(self, *arguments: str) -> str:
        """The output of a command that succeeds."""
        import asyncio  # noqa: PLC0415

        result = await asyncio.to_thread(CliRunner().invoke, cli, list(arguments), env=self._environment)
        assert result.exit_code == 0, result.output
        return result.output

    async def says(self, *arguments: str) -> str:
        """The output of a command, empty while it fails."""
        with contextlib.suppress(AssertionError):
            return await self.run(*arguments)
        return ""


@pytest.fixture
def operator(desk: Desk) -> Operator:
    """Somebody at a terminal."""
    return Operator(desk)


async def test_a_changed_profile_makes_the_updates_again_that_show_it(
    desk: Desk, replicas: Replicas, operator: Operator, tmp_path: Path
) -> None:
    """An unknown name stays as text and is listed; once the directory knows it, and at each change, its updates follow."""
    await replicas(enrich_release_interval_s=0.05)
    await desk.send(version(1, byline="By Ann Other"), version(1, guid="g2", byline="By Bob Else"))
    first, _ = await desk.until(2)
    assert first.authors[0].id is None
    await eventually(lambda: operator.run("authors", "unknown"), lambda listed: "Ann Other" in listed, what="listed")
    directory = tmp_path / "authors.json"
    directory.write_text(json.dumps([{"name": "Ann Other", "role": "Reporter", "aliases": ["A. Other"]}]))
    await operator.run("authors", "import", str(directory))
    known = (await desk.until(3))[2]
    assert (known.kind, known.guid, known.authors[0].id, known.authors[0].role) == (
        "enrich",
        "g1",
        "ann-other",
        "Reporter",
    )
    assert known.change.fields == ("authors",)
    directory.write_text(json.dumps([{"name": "Ann Other", "role": "Editor", "aliases": ["A. Other"]}]))
    await operator.run("authors", "import", str(directory))
    changed = (await desk.until(4))[3]
    assert (changed.guid, changed.authors[0].role, changed.updated_at) == ("g1", "Editor", None)
    assert "Ann Other" not in await operator.run("authors", "unknown")
    assert "0 added, 0 changed, 1 as they were" in await operator.run("authors", "import", str(directory))


async def test_a_name_that_nobody_knows_is_counted_once_for_each_update(
    desk: Desk, replicas: Replicas, operator: Operator
) -> None:
    """What is listed for ops are updates, however many versions each has."""
    await replicas()
    later = [version(number, byline="By Ann Other") for number in (2, 3)]
    await desk.send(version(1, byline="By Ann Other"), *later, version(1, guid="g2", byline="By Ann Other"))
    await desk.until(4)
    await desk.until_outcomes(4)

    async def counted() -> str:
        return (await operator.run("authors", "unknown")).split()[0]

    await eventually(counted, lambda seen: seen == "2", what="two updates")


async def test_an_update_whose_row_came_after_a_change_was_carried_out_follows_all_the_same(
    desk: Desk, replicas: Replicas
) -> None:
    """Between an emission and its row the directory may change, and the change's refresh find no row: it is made again."""
    await replicas(enrich_release_interval_s=0.05)
    await desk.send(version(1, byline="By Ann Other"), version(1, guid="g2", byline="By Bob Else"))
    await desk.until(2)
    await desk.until_outcomes(2)
    connection = await asyncpg.connect(desk.settings.postgres_dsn)
    try:
        async with connection.transaction():
            profile = json.dumps({"id": "ann-other", "name": "Ann Other"})
            await connection.execute(
                "INSERT INTO enrich.authors (id, profile) VALUES ('ann-other', $1::jsonb)", profile
            )
            # Without the refresh: it was carried out before the rows were there.
            await announce(connection, "authors", ["ann-other"])
            await connection.execute("UPDATE enrich.updates SET written_at = clock_timestamp()")
    finally:
        await connection.close()
    followed = (await desk.until(3))[2]
    assert (followed.guid, followed.kind, followed.authors[0].id) == ("g1", "enrich", "ann-other")


async def test_the_directory_is_kept_over_http_with_a_key(desk: Desk, replicas: Replicas) -> None:
    """Without the key nothing is shown or changed; with it a profile is put, read and removed, and its updates follow."""
    key = {"Authorization": "Bearer of-the-newsroom"}
    (settings,) = await replicas(
        enrich_api_key_sha256=hashlib.sha256(b"of-the-newsroom").hexdigest(), enrich_release_interval_s=0.05
    )
    await desk.send(version(1, byline="By Ann Other"))
    await desk.until(1)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{settings.health_port}/v1") as client:
        assert (await client.get("/authors")).status_code == 401
        assert (
            await client.put("/authors/ann-other", json={"name": "x"}, headers={"Authorization": "Bearer wrong"})
        ).status_code == 401
        bad = await client.put("/authors/ann-other", json={"name": ""}, headers=key)
        assert (bad.status_code, bad.json()["pointer"]) == (422, "/name")
        assert (await client.put("/authors/Ann Other", json={"name": "x"}, headers=key)).status_code == 422
        assert (await client.put("/authors/ann-other", content=b"{", headers=key)).status_code == 400
        assert (await client.put("/authors/ann-other", content=b" " * 70_000, headers=key)).status_code == 413
        assert (await client.put("/authors/ann-other", json={"name": "Ann Other"}, headers=key)).status_code == 201
        assert (await client.get("/authors", headers=key)).json() == {
            "authors": [{"id": "ann-other", "name": "Ann Other"}]
        }
        known = (await desk.until(2))[1]
        assert known.authors[0].id == "ann-other"
        assert (await client.delete("/authors/ann-other", headers=key)).status_code == 204
        assert (await client.get("/authors/ann-other", headers=key)).status_code == 404
        assert (await desk.until(3))[2].authors[0].id is None


async def test_an_editors_tags_win_over_what_is_found_and_outlast_versions(
    desk: Desk, replicas: Replicas, operator: Operator
) -> None:
    """What was taken out stays out, what was put in stays in, in every later version."""
    await replicas(enrich_release_interval_s=0.05)
    sport = ({"code": "medtop:15000000"},)
    await desk.send(version(1, subjects=sport))
    (first,) = await desk.until(1)
    await operator.run(
        "tags", "override", first.update_id, "--remove", "medtop:15000000", "--add", "medtop:04000000", "--by", "Ed"
    )
    second = (await desk.until(2))[1]
    assert [(tag.code, tag.origin) for tag in second.tags] == [("medtop:04000000", "editor")]
    await desk.send(version(2, subjects=sport))
    third = (await desk.until(3))[2]
    assert [tag.code for tag in third.tags] == ["medtop:04000000"]


async def test_agencies_that_tell_the_same_become_one_story_with_a_count(
    desk: Desk, replicas: Replicas, operator: Operator
) -> None:
    """Accounts of two publisher families gather; a third that prints the text of one of them confirms nothing more."""
    await replicas(enrich_release_interval_s=0.05, enrich_own_sources=("desk",))
    await desk.send(
        version(
            1, source="pa", headline="Ferry runs aground off Port Marrow", body_html=FERRY.format("the passengers")
        ),
        version(
            1, source="afp", headline="Ferry with 120 aboard aground off Port Marrow", body_html=ACCOUNT.format("")
        ),
        version(1, source="daily", headline="Ferry!", body_html=ACCOUNT.format("still "), credit="AFP"),
        version(1, source="pa", guid="other", headline="Budget passes", body_html="<p>The council agreed.</p>"),
    )

    async def newest() -> dict[tuple[str, str], object]:
        return {(each.source, each.guid): each for each in await desk.revisions()}

    gathered = await eventually(
        newest,
        lambda seen: all(getattr(seen.get((source, "g1")), "story", None) for source in ("pa", "afp", "daily")),
        within_s=45,
        what="one story of three",
    )
    three = [gathered[source, "g1"] for source in ("pa", "afp", "daily")]
    assert len({each.story for each in three}) == 1  # type: ignore[attr-defined]
    assert gathered["pa", "other"].story is None  # type: ignore[attr-defined]
    counts = await eventually(
        newest,
        lambda seen: {seen[source, "g1"].corroboration.count for source in ("pa", "afp", "daily")} == {2},
        within_s=45,
    )
    assert counts["pa", "g1"].corroboration.sources == ("afp", "pa")  # type: ignore[attr-defined]
    assert "same story because pa tells of" in counts["afp", "g1"].corroboration.because  # type: ignore[attr-defined]
    story = three[0].story  # type: ignore[attr-defined]
    shown = await eventually(lambda: operator.says("stories", "show", story), what="the rows of the story")
    assert "same story because" in shown

    # Merged under another name, and put into that by its name: still reported by both.
    await operator.run("stories", "merge", story, "port-marrow")
    afp = counts["afp", "g1"].update_id  # type: ignore[attr-defined]
    await operator.run("stories", "split", afp, "--to", "port-marrow")
    await desk.send(Order(update_id=afp, order="pin", by="Ed", ordered_at=datetime.now(UTC)))
    pinned = await eventually(newest, lambda seen: seen["afp", "g1"].flags.pinned, what="the pin")
    assert pinned["afp", "g1"].story == "port-marrow"  # type: ignore[attr-defined]
    assert pinned["afp", "g1"].corroboration.count == 2  # type: ignore[attr-defined]

    for source in ("afp", "daily"):
        await operator.run("stories", "split", counts[source, "g1"].update_id)  # type: ignore[attr-defined]
    parted = await eventually(
        newest,
        lambda seen: {seen[source, "g1"].corroboration.count for source in ("pa", "afp", "daily")} == {1},
        within_s=45,
        what="an editor's word over what was found alike",
    )
    assert parted["afp", "g1"].story_label == "Ferry with 120 aboard aground off Port Marrow"  # type: ignore[attr-defined]
    assert parted["pa", "g1"].story == "port-marrow"  # type: ignore[attr-defined]

    await desk.send(
        Order(update_id=afp, order="correct", headline="Ferry refloated", by="Ed", ordered_at=datetime.now(UTC))
    )
    corrected = await eventually(newest, lambda seen: getattr(seen["afp", "g1"], "headline", "") == "Ferry refloated")
    assert corrected["afp", "g1"].story_label == "Ferry refloated"  # type: ignore[attr-defined]


async def test_a_child_links_to_its_parent_and_follows_its_story_whichever_comes_first(
    desk: Desk, replicas: Replicas, operator: Operator
) -> None:
    """A late parent blocks nothing: the child is out at once with the parent's id; merged stories move their updates."""
    await replicas(enrich_release_interval_s=0.05)
    await desk.send(version(1, guid="child", evolved_from="parent"))
    (child,) = await desk.until(1)
    await desk.send(version(1, guid="parent", story="Budget 2027"))
    parent = (await desk.until(2))[1]
    assert child.evolved_from == parent.update_id
    assert (parent.story, parent.story_label) == ("budget-2027", "Budget 2027")
    followed = (await desk.until(3))[2]
    assert (followed.guid, followed.story, followed.kind) == ("child", "budget-2027", "enrich")
    await operator.run("stories", "merge", "budget-2027", "economy")
    moved = (await desk.until(5))[3:]
    assert {(each.guid, each.story) for each in moved} == {("child", "economy"), ("parent", "economy")}
    await operator.run("stories", "split", child.update_id, "--by", "Ed")
    alone = (await desk.until(6))[5]
    assert (alone.guid, alone.story) == ("child", f"update-{child.update_id}")


async def test_iptc_s_release_is_imported_and_retired_codes_resolve(
    desk: Desk, replicas: Replicas, operator: Operator
) -> None:
    """A retired code means what its note recommends, and what is broader comes along."""
    release = conformance("media-topics/data/cptall-x-all.json")
    assert "1286 Media Topics, 153 of them retired" in await operator.run("tags", "import", str(release))
    assert "medtop:20000105" in await operator.run("tags", "show", "medtop:20000064")
    await replicas()
    await desk.send(version(1, subjects=({"code": "medtop:20000064"},)))
    (update,) = await desk.until(1)
    codes = [tag.code for tag in update.tags]
    assert codes[0] == "medtop:20000105"
    assert "medtop:02000000" in codes
    connection = await asyncpg.connect(desk.settings.postgres_dsn)
    assert await connection.fetchval("SELECT count(*) FROM enrich.subjects") == 1286
    await connection.close()


async def test_what_editors_say_of_a_story_travels_with_one_update_and_with_those_that_come_after(
    desk: Desk, replicas: Replicas, operator: Operator
) -> None:
    """By command and by HTTP; an edit makes one update again, a new name all of them, and the same words none."""
    key = {"Authorization": "Bearer of-the-newsroom"}
    (settings,) = await replicas(
        enrich_api_key_sha256=hashlib.sha256(b"of-the-newsroom").hexdigest(), enrich_release_interval_s=0.05
    )
    await desk.send(*(version(1, guid=f"g{n}", story="Port Marrow") for n in range(3)))
    await desk.until(3)
    await desk.until_outcomes(3)
    await operator.run(
        "stories", "describe", "port-marrow", "--standfirst", "A ferry is aground.", "--point", "All are safe."
    )
    told = (await desk.until(4))[3]
    assert told.kind == "enrich"
    assert told.story_profile == StoryProfile(edition=1, standfirst="A ferry is aground.", summary=("All are safe.",))
    await desk.send(version(1, guid="late", story="Port Marrow"))
    assert (await desk.until(5))[4].story_profile == told.story_profile
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{settings.health_port}/v1/stories") as client:
        assert (await client.patch("/port-marrow", json={"name": "x"})).status_code == 401
        bad = await client.patch("/port-marrow", json={"summary": ["x" * 401]}, headers=key)
        assert (bad.status_code, bad.json()["pointer"]) == (422, "/summary")
        assert (await client.get("/nowhere", headers=key)).status_code == 404
        named = (await client.patch("/port-marrow", json={"name": "The ferry"}, headers=key)).json()
        assert (named["name"], named["edition"], named["standfirst"]) == ("The ferry", 2, "A ferry is aground.")
        assert (await client.patch("/port-marrow", json={"name": "The ferry"}, headers=key)).json() == named
        assert (await client.get("/port-marrow", headers=key)).json() == named
    renamed = (await desk.until(9))[5:]
    assert {(each.guid, each.story_label) for each in renamed} == {
        (guid, "The ferry") for guid in ("g0", "g1", "g2", "late")
    }
    assert {each.story_profile.edition for each in renamed if each.story_profile} == {2}
