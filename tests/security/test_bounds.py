"""Bounds at the doors: what is at the bound is taken, one more is refused by its code; and the table in which operators read them."""

import gzip
import importlib
import re
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from pydantic_settings import BaseSettings
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import enrich.settings
import ingest.settings
import publish.push.settings
from conformance.documents import outcome
from enrich.short_text import BIDI, MOST_MARKS, closed_bidi
from enrich.text.domain.corrections.merge import MOST_TOKENS, merged
from enrich.text.domain.corrections.words import Conflict
from enrich.text.steps.text.step import MOST_MARKUP, read_text
from ingest.formats import Unreadable
from ingest.formats.json import document as json_document
from ingest.formats.model import MAX_DOCUMENT_BYTES, MAX_ITEMS
from ingest.formats.xml import document as xml_document
from ingest.transports.api.body import inflated
from publish.push.delivery.http import MAX_BODY_BYTES, body_bytes
from publish.web.partner.search import MOST_CHARACTERS, MOST_WORDS
from publish.web.routes.parameters import MAX_CHANNEL_CHARS
from publish.web.stream.request import MOST_CHANNELS
from publish.web.stream.request import MOST_CHARACTERS as LONGEST_CHANNEL
from shared.http.client.errors import RequestRefused
from shared.http.client.urls import MAX_URL_CHARACTERS, parsed_url
from shared.http.problem import PROBLEM_HANDLERS, Problem
from support.places import ROOT
from support.web_replica import Make

TABLE = ROOT / "deploy" / "capacity" / "bounds.md"
SETTINGS: list[type[BaseSettings]] = [
    ingest.settings.Settings,
    enrich.settings.Settings,
    publish.push.settings.PushSettings,
]


def reading(body: bytes) -> str:
    """The code by which a document is refused; empty where it is read."""
    found = outcome(body)
    return found.code if isinstance(found, Unreadable) else ""


def unpacking(size: int) -> str:
    """The code by which a body of so many bytes, compressed, is refused within 1,000."""
    try:
        inflated(gzip.compress(b" " * size), "gzip", 1000)
    except Problem as problem:
        return problem.code
    return ""


def asking(url: str) -> str:
    """Whether an address is refused for its length."""
    try:
        parsed_url(url)
    except RequestRefused as refused:
        return str(refused)
    return ""


def _feed(items: int) -> bytes:
    return b"<rss><channel>" + b"<item><guid>a</guid><title>b</title></item>" * items + b"</channel></rss>"


def _nested(levels: int) -> bytes:
    return b'{"guid":"a","headline":"b","extra":' + b'{"a":' * levels + b"1" + b"}" * (levels + 1)


def _deep(levels: int) -> bytes:
    return (
        b"<rss><channel><item><guid>a</guid><title>b</title>"
        + b"<x>" * (levels - 3)
        + b"</x>" * (levels - 3)
        + b"</item></channel></rss>"
    )


def _of_bytes(size: int) -> bytes:
    document = b'{"guid":"a","headline":"b"}'
    return document + b" " * (size - len(document))


ONE_MORE: dict[str, tuple[Callable[[int], str], int, str]] = {
    "bytes of a document": (lambda n: reading(_of_bytes(n)), MAX_DOCUMENT_BYTES, "too-large"),
    "depth of JSON": (lambda n: reading(_nested(n)), json_document.MAX_DEPTH, "too-deep"),
    "depth of XML": (lambda n: reading(_deep(n)), xml_document.MAX_DEPTH, "too-deep"),
    "items of a document": (lambda n: reading(_feed(n)), MAX_ITEMS, "too-many-items"),
    "bytes of a body, unpacked": (unpacking, 1000, "too-large"),
    "characters of an address that is asked": (
        lambda n: asking("http://example.org/" + "a" * (n - 19)), MAX_URL_CHARACTERS, "not a URL: too long",
    ),
}  # fmt: skip
"""By name: what answers with the code of a refusal, the bound, and the code past it."""


@pytest.mark.parametrize("name", ONE_MORE)
def test_one_more_is_refused(name: str) -> None:
    """At the bound there is no refusal, and past it the right one."""
    ask, bound, code = ONE_MORE[name]
    assert ask(bound) == ""
    assert ask(bound + 1) == code


OTHERWISE: dict[str, tuple[Callable[[int], bool], int]] = {
    "tags of a body": (lambda n: read_text("", "<b>" * n, "", None).missed, MOST_MARKUP),
    "references of a body": (lambda n: read_text("", "&amp;" * n, "", None).missed, 3 * MOST_MARKUP),
    "marks of direction": (lambda n: not BIDI.search(closed_bidi("\u202b\u202c" * (n // 2) + "\u202b" * (n % 2))), MOST_MARKS),
    "words of a merge": (lambda n: merged("a b", "a " * n, "a c", is_html=True).conflicts == (Conflict("", "", ""),), MOST_TOKENS),
}  # fmt: skip
"""By name: whether so many are treated otherwise than their kind, and how many are not."""


@pytest.mark.parametrize("name", OTHERWISE)
def test_one_more_is_shown_otherwise(name: str) -> None:
    """What a bound of enrich makes of a text that is accepted all the same."""
    is_otherwise, bound = OTHERWISE[name]
    assert not is_otherwise(bound)
    assert is_otherwise(bound + 1)


Ask = Callable[[httpx.AsyncClient, int], Awaitable[httpx.Response]]


def _get(path: str, value: Callable[[int], str]) -> Ask:
    return lambda client, n: client.get(path + value(n))


AT_WEB: dict[str, tuple[Ask, int, str]] = {
    "updates of a page": (_get("/v1/updates?limit=", str), 100, "bad-limit"),
    "results of a search": (_get("/v1/search?q=a&limit=", str), 50, "bad-limit"),
    "characters of a channel": (_get("/v1/updates?channel=tag:", lambda n: "a" * (n - 4)), MAX_CHANNEL_CHARS, "bad-channel"),
    "characters of a search": (_get("/v1/search?q=", lambda n: "a" * n), MOST_CHARACTERS, "bad-q"),
    "words of a search": (_get("/v1/search?q=", lambda n: "%20".join(["a"] * n)), MOST_WORDS, "bad-q"),
    "channels of a stream": (
        _get("/v1/since?cursor=1-0&channels=", lambda n: ",".join(f"tag:{number}" for number in range(n))), MOST_CHANNELS, "too-many-channels",
    ),
    "characters of a stream's channel": (
        _get("/v1/since?cursor=1-0&channels=tag:", lambda n: "a" * (n - 4)), LONGEST_CHANNEL, "bad-channel",
    ),
    "events of an answer": (_get("/v1/since?cursor=1-0&limit=", str), 1000, "bad-limit"),
}  # fmt: skip


@pytest.mark.parametrize("name", AT_WEB)
async def test_one_more_is_refused_by_web(make_replica: Make, name: str) -> None:
    """Of what readers and partners ask."""
    ask, bound, code = AT_WEB[name]
    client = make_replica().client
    taken, refused = await ask(client, bound), await ask(client, bound + 1)
    assert taken.status_code in (200, 503), taken.text
    assert (refused.status_code, refused.json()["code"]) == (400, code)


async def test_one_more_byte_is_refused_by_push() -> None:
    """Of a body, whether its length is told or not."""

    async def take(request: Request) -> Response:
        return Response(str(len(await body_bytes(request))))

    app = Starlette(routes=[Route("/", take, methods=["POST"])], exception_handlers=PROBLEM_HANDLERS)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        assert (await client.post("/", content=b"x" * MAX_BODY_BYTES)).text == str(MAX_BODY_BYTES)
        refused = await client.post("/", content=b"x" * (MAX_BODY_BYTES + 1))
    assert (refused.status_code, refused.json()["code"]) == (413, "too-large")


ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in TABLE.read_text("utf-8").splitlines()
    if line.startswith("| ") and not line.startswith(("| bound", "| ---"))
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_the_table_is_true(row: list[str]) -> None:
    """Each value is that of the code, each code of a refusal is one that the code gives, and each test is there."""
    _, value, where, past, test = row
    wanted = float(value.split()[0].replace(",", ""))
    named = where.strip("`")
    found: Any
    if ":" in named:
        module, _, name = named.rpartition(":")
        found = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found() if isinstance(found, type) else found, part)
    else:
        found = next(
            each.model_fields[named.lower()].default for each in SETTINGS if named.lower() in each.model_fields
        )
    assert float(found) == wanted
    source = "".join(
        path.read_text("utf-8") for path in (*ROOT.glob("services/*/src/**/*.py"), *ROOT.glob("shared/src/**/*.py"))
    )
    for code in re.findall(r"`([a-z-]+)`", past):
        assert f'"{code}"' in source, code
    path, _, function = test.strip("`").partition("::")
    assert f"def {function}(" in (ROOT / path).read_text("utf-8")
