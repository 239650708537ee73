"""A partner's walk: from `/openapi.json` alone to a page that is kept current, by a client that knows nothing but the document."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest
from jsonschema import Draft202012Validator

from publish.representation.position import Position
from publish.representation.reader_json import dump, members, removal_members
from publish.representation.reader_update import reader_update
from publish.web.partner.schemas import EXAMPLES
from publish.web.renderer import stream_event
from shared.messages import EnrichedUpdate
from support.revisions import revision
from support.samples import full
from support.web_replica import Replica


class GeneratedClient:
    """Calls operations by their ids, and holds requests and answers to what the document says of them."""

    def __init__(self, client: httpx.AsyncClient, document: Mapping[str, Any]) -> None:
        self.client = client
        self.document = document
        self.operations = {
            operation["operationId"]: (method, path, operation)
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
        }

    async def call(self, operation_id: str, *, accept: str = "application/json", **given: Any) -> Any:
        """The answer's body; it must be of a status, a type and a schema that the document has."""
        method, path, operation = self.operations[operation_id]
        query: list[tuple[str, Any]] = []
        for parameter in operation.get("parameters", []):
            name = parameter["name"]
            if name not in given:
                assert not parameter["required"], f"{operation_id} needs {name}"
                continue
            value = given.pop(name)
            self.fits(parameter["schema"], value)
            if parameter["in"] == "path":
                path = path.replace(f"{{{name}}}", quote(str(value), safe=""))
            else:
                values = value if isinstance(value, list) else [value]
                query += [(name, str(each).lower() if isinstance(each, bool) else each) for each in values]
        assert not given, f"{operation_id} has no parameter {given}"
        address = f"{path}?{urlencode(query)}" if query else path
        answer = await self.client.request(method, address, headers={"accept": accept})
        response = operation["responses"][str(answer.status_code)]
        media_type = answer.headers["content-type"].partition(";")[0]
        content = response["content"].get(media_type)
        assert content is not None, f"{operation_id}: {media_type} is not described"
        body = answer.json()
        if answer.status_code == 200:
            self.fits(content["schema"], body)
        return body

    def fits(self, schema: Mapping[str, Any], value: Any) -> None:
        """Fail where a value is not what a schema says."""
        whole = {**schema, "components": self.document["components"]}
        errors = [
            f"{list(each.absolute_path)}: {each.message}" for each in Draft202012Validator(whole).iter_errors(value)
        ]
        assert not errors


@pytest.fixture
async def partner(replica: Replica) -> GeneratedClient:
    """A client made of the document that the site serves."""
    replica.broadcaster.begin(1, -1)
    return GeneratedClient(replica.client, (await replica.client.get("/openapi.json")).json())


def publish(replica: Replica, *updates: EnrichedUpdate) -> None:
    """As the follower does: into memory, then onto the streams."""
    applied = [each for each in replica.take(*updates) if each is not None]
    replica.broadcaster.publish([stream_event(replica.answers.renderer, each) for each in applied])


async def test_from_the_document_to_a_page_that_is_kept_current(replica: Replica, partner: GeneratedClient) -> None:
    """Fetch, page, follow, correct, kill, reset: what the partner shows is what the site shows."""
    publish(replica, full(), *(revision(f"u{n}", story="harbour-flood") for n in range(3)), revision("elsewhere"))
    shown: dict[str, Any] = {}
    page = await partner.call("listUpdates", channel="story:harbour-flood", limit=2)
    cursor = page["cursor"]
    while True:
        shown |= {each["update_id"]: each for each in page["updates"]}
        if page["next"] is None:
            break
        page = await partner.call("listUpdates", channel="story:harbour-flood", limit=2, before=page["next"])
    assert len(shown) == 4

    async def follow() -> list[str]:
        nonlocal cursor
        answer = await partner.call("since", channel=["story:harbour-flood"], cursor=cursor)
        cursor = answer["cursor"]
        for event in answer["events"]:
            if event["event"] == "kill":
                shown.pop(event["data"]["update_id"], None)
            elif event["event"] == "reset":
                snapshot = await partner.client.get(event["data"]["snapshot"])
                shown.clear()
                shown.update({each["update_id"]: each for each in snapshot.json()["updates"]})
            else:
                shown[event["data"]["update_id"]] = event["data"]
        return [event["event"] for event in answer["events"]]

    publish(
        replica,
        full(number=2, headline="Tide gates closed at six"),
        revision("u1", 2, removal="killed", story="harbour-flood"),
        revision("new", story="harbour-flood"),
        revision("other"),
    )
    assert await follow() == ["correct", "kill", "publish"]
    assert await follow() == []
    assert shown[full().update_id]["headline"] == "Tide gates closed at six"
    assert revision("u1").update_id not in shown
    cursor = "9-9"
    assert await follow() == ["reset"]
    visible = (await partner.call("listUpdates", channel="story:harbour-flood", limit=100))["updates"]
    assert shown == {each["update_id"]: each for each in visible}
    gone = await partner.call("getUpdate", update_id=revision("u1").update_id)
    assert (gone["status"], gone["removal"]) == (410, "killed")


async def test_every_operation_answers_as_described(replica: Replica, partner: GeneratedClient) -> None:
    """With the example of each of its parameters, in each form."""
    publish(replica, full(), full("more", 2, slug="more"))
    update_id = full().update_id
    for name, given in {
        "listUpdates": {"tag": "medtop:20000150", "key_events": True, "urgency": 3, "from": "2026-01-01", "limit": 1},
        "listUpdatesAs": {"form": "ninjs"},
        "getUpdate": {"update_id": update_id},
        "getUpdateAs": {"update_id": update_id, "form": "json"},
        "listRevisions": {"update_id": update_id},
        "search": {"q": "gates", "language": "en"},
        "listStories": {},
        "getStory": {"story": "harbour-flood"},
        "listTags": {},
        "getTag": {"code": "medtop:20000150"},
        "listAuthors": {},
        "getAuthor": {"slug": "ana-ferreira"},
        "poll": {"cursor": "1--1", "timeout": 0, "limit": 1},
        "since": {"cursor": "1--1", "channel": ["news", "tag:x"]},
        "oembed": {"url": "https://news.example/stories/harbour-flood", "maxwidth": 400},
        "getDocument": {},
    }.items():
        assert await partner.call(name, **given), name
    for accept in ("application/vnd.iptc.g2.newsitem+json", "application/feed+json"):
        assert await partner.call("listUpdates", accept=accept)
        assert await partner.call("getUpdate", update_id=update_id, accept=accept)
    for name, given in {"getTag": {"code": "none"}, "getUpdate": {"update_id": "a" * 26}}.items():
        assert (await partner.call(name, **given))["status"] == 404


def _parts(value: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(value, dict):
        yield path, value
        for key, each in value.items():
            if key not in ("example", "examples"):
                yield from _parts(each, f"{path}/{key}")
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _parts(each, f"{path}/{number}")


def test_everything_has_a_description_and_an_example(partner: GeneratedClient) -> None:
    """Operations, parameters, responses, schemas and their members; examples fit their schemas, and ids are unique."""
    document = partner.document
    ids = [operation["operationId"] for methods in document["paths"].values() for operation in methods.values()]
    assert len(ids) == len(set(ids))
    lacking = []
    for path, part in _parts(document["paths"], "paths"):
        if ("in" in part or "operationId" in part or path.split("/")[-2:-1] == ["responses"]) and not part.get(
            "description"
        ):
            lacking.append(path)
        if "in" in part:
            if "example" not in part:
                lacking.append(f"{path}: example")
            else:
                partner.fits(part["schema"], part["example"])
        for media_type, content in part.get("content", {}).items() if isinstance(part.get("content"), dict) else ():
            if "example" not in content:
                lacking.append(f"{path}: example of {media_type}")
            elif media_type == "application/json":
                partner.fits(content["schema"], content["example"])
    schemas = document["components"]["schemas"]
    for name, schema in schemas.items():
        lacking += [name] if not schema.get("description") else []
        lacking += [
            f"{name}.{member}"
            for member, of_member in schema.get("properties", {}).items()
            if not of_member.get("description") and "$ref" not in of_member and "const" not in of_member
        ]
        for example in schema.get("examples", []):
            partner.fits(schema, example)
    assert not lacking
    assert set(EXAMPLES) <= set(schemas)
    kinds = {each["$ref"].rsplit("/", 1)[1] for each in schemas["Event"]["oneOf"]}
    assert kinds == {f"{kind}Event" for kind in ("Publish", "Update", "Correct", "Enrich", "Pin", "Kill", "Reset")}


async def test_json_has_the_same_shape_everywhere(replica: Replica, partner: GeneratedClient) -> None:
    """API, stream, Redis and webhooks: `members` of a visible update, `removal_members` of one out of sight."""
    publish(replica, full())
    site = replica.answers.renderer.site.url
    update = reader_update(full(), cursor=Position(1, 0), position=Position(1, 0))
    told = dump(members(update, site))
    assert (await replica.get(f"/v1/updates/{full().update_id}")).content == told
    events = (await partner.call("since", cursor="1--1"))["events"]
    assert dump(events[0]["data"]) == told
    assert (await partner.call("listUpdates"))["updates"][0] == events[0]["data"]
    (killed,) = replica.take(revision("full", 2, removal="killed"))
    assert killed is not None
    data = stream_event(replica.answers.renderer, killed).views["json"]
    assert data == dump(removal_members(killed.update))
    partner.fits({"$ref": "#/components/schemas/Removal"}, {**killed_members(data)})


def killed_members(data: bytes) -> dict[str, Any]:
    """The members of a removal."""
    return dict(httpx.Response(200, content=data).json())
