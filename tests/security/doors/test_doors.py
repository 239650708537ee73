"""The four ports as strangers, senders, desks, partners and operators find them: who is let in, and what they are answered."""

import asyncio
import itertools
import re
import shutil
import ssl
import sys
from pathlib import Path

import httpx
import psutil
import pytest
import schemathesis
from schemathesis.checks import CHECKS as ALL_CHECKS

from security.doors.decisions import DECISIONS
from security.doors.filled import Known
from security.doors.nginx import behind_nginx
from security.doors.odd_requests import LISTED, ODD, Found, asked
from security.doors.running import PORTS, Doors
from support.places import skip_or_fail

pytestmark = [pytest.mark.flow, pytest.mark.timeout(240), pytest.mark.asyncio(loop_scope="module")]

ENDLESS = ("/v1/stream", "/v1/poll")
MANY_ANSWERS = ("a hundred in one piece",)
REFUSED = (401, 403, 429)
"""429 is what too many wrong keys are answered with."""
VALUES = {"id": "a" * 26, "update_id": "a" * 26, "form": "json", "source": "wire"}
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,unsupported_method"
)


def address(path: str) -> str:
    """A path with something at every parameter."""
    return re.sub(r"{(\w+)}", lambda found: VALUES.get(found[1], "1"), path)


def expected(decision: str, role: str) -> str:
    """What a role meets: `in`, `refused`, or `hidden`, which is 404 whatever is there."""
    if decision == "nobody":
        return "hidden"
    if decision == "token":
        return "refused" if role == "nobody" else "hidden"
    named = decision.split()
    let_in = decision == "everybody" or role in named or (role == "nobody" and "without" in named)
    return "in" if let_in else "refused"


@pytest.mark.parametrize("port", PORTS)
async def test_every_key_opens_what_was_decided_and_nothing_else(doors: Doors, port: str) -> None:
    """Each operation of the port's own description by each key, none, a wrong one and another service's."""
    operations = [
        f"{method.upper()} {path}" for path, methods in doors.described(port)["paths"].items() for method in methods
    ]
    assert set(operations) == set(DECISIONS[port]), "decide who is let in: security/doors/decisions.py"
    differs = []
    async with httpx.AsyncClient(base_url=doors.url(port), timeout=20) as client:
        for operation in operations:
            method, path = operation.split()
            for role, headers in doors.roles(port).items():
                # Of the streams the status alone; a poll waits for nothing.
                query = {"timeout": "0"} if path == "/v1/poll" else {}
                async with client.stream(method, address(path), headers=headers, params=query) as answer:
                    status = answer.status_code
                wanted = expected(DECISIONS[port][operation], role)
                met = "refused" if status in REFUSED else "hidden" if status == 404 and wanted == "hidden" else "in"
                if met != wanted or status >= 500:
                    differs.append(f"{operation} by {role}: {wanted}, but {status}")
    assert differs == []


async def test_what_is_there_is_answered_as_it_is_described(doors: Doors, known: Known) -> None:
    """Every question about something that is there, was killed or is held: its status, type and body as the description has them."""

    def ask_all(port: str) -> tuple[int, list[str]]:
        schema, asked, differs = schemathesis.openapi.from_url(f"{doors.url(port)}/openapi.json"), 0, []
        roles = doors.roles(port)
        for found in schema.get_all_operations():
            operation = found.ok()
            if operation.method.upper() != "GET" or operation.path in ENDLESS:
                continue
            names = re.findall(r"{(\w+)}", operation.path)
            for values in itertools.product(*(known.values(name) for name in names)):
                for role in ("nobody", "operator", "desk"):
                    case = operation.Case(
                        path_parameters=dict(zip(names, values, strict=True)), headers=roles.get(role, {})
                    )
                    answer = case.call()
                    asked += 1
                    try:
                        # Who may do what is decided above; here wrong keys would soon be too many of one address.
                        case.validate_response(answer, excluded_checks=[ALL_CHECKS.get_one("ignored_auth")])
                        assert answer.status_code < 500
                    except (AssertionError, BaseExceptionGroup) as error:
                        differs.append(f"{role} {case.formatted_path}: {answer.status_code} {str(error)[:600]}")
        return asked, differs

    for port in PORTS:
        asked, differs = await asyncio.to_thread(ask_all, port)
        print(port, asked)
        assert differs == []


async def test_nothing_is_answered_that_is_not_described(doors: Doors, known: Known, tmp_path: Path) -> None:
    """Schemathesis over each description, on a filled archive, with links between operations: no 5xx, no undocumented status, type or body, and a true `Allow`."""
    program = Path(sys.executable).with_name("schemathesis")
    roles = {"ingest": "desk", "enrich": "operator", "web": "operator", "push": "operator"}

    # Streams do not end by themselves; what is for operators is on another port; oEmbed answers 501 to a form that it does not
    # speak, as oembed.com has it.
    excluded = [
        part
        for path in ("/v1/stream", "/v1/poll", "/livez", "/metrics", "/oembed")
        for part in ("--exclude-path", path)
    ]
    oembed = httpx.get(f"{doors.url('web')}/oembed", params={"url": "https://a.example/", "format": "xml"})
    assert (oembed.status_code, oembed.json()["code"]) == (501, "bad-format")

    async def run(port: str) -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(
            str(program), "run", f"{doors.url(port)}/openapi.json", *excluded,
            "-H", f"Authorization: Bearer {doors.keys[port][roles[port]]}", "--checks", CHECKS, "--max-examples", "2", "--seed", "1",
            "--suppress-health-check", "all", "--request-timeout", "20", "--no-color", "--generation-database", "none",
            cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        said, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, said.decode()

    found = dict(zip(PORTS, await asyncio.gather(*map(run, PORTS)), strict=True))
    for port, (code, said) in found.items():
        print(port, *re.findall(r"^\s+(\d+ generated.*)$", said, re.MULTILINE))
        assert code == 0, f"{port}: {said}"


async def all_asked(port: int, context: ssl.SSLContext | None = None) -> dict[str, Found]:
    """What each odd request is answered, a few at a time."""
    at_once = asyncio.Semaphore(12)

    async def one(sent: bytes) -> Found:
        async with at_once:
            return await asked(port, sent, context)

    return dict(zip(ODD, await asyncio.gather(*map(one, ODD.values())), strict=True))


def judge(where: str, answers: dict[str, Found]) -> None:
    """Fail where an answer is an error of ours, has a stranger's word, or where a body was read as a request."""
    for name, found in answers.items():
        assert all(status < 500 or status in (501, 505) for status in found.statuses), (where, name, found.raw[:300])
        # An escaped address may come back in a `Location`; what stood in a body or began a line may not.
        assert b"/smuggled" not in found.raw, (where, name)
        assert not re.search(rb"\nx-(injected|smuggled)", found.raw, re.IGNORECASE), (where, name)
        assert b"evil.example" not in found.raw, (where, name)
        assert name in MANY_ANSWERS or len([each for each in found.statuses if each != 100]) <= 1, (
            where,
            name,
            found.raw[:2000],
        )


@pytest.mark.parametrize("port", PORTS)
async def test_odd_requests_are_refused_and_nobody_else_notices(doors: Doors, port: str) -> None:
    """Straight at a port: an answer below 500 or the end of the connection, one answer at the most; the process goes on, no larger."""
    child = doors.processes[port].child.process
    assert child is not None
    process = psutil.Process(child.pid)
    resting = process.memory_info().rss
    judge(port, await all_asked(doors.processes[port].port))
    assert httpx.get(f"{doors.url(port)}/openapi.json", timeout=10).status_code == 200
    assert process.memory_info().rss <= 2 * resting


async def test_what_a_stranger_says_of_the_way_changes_no_page(doors: Doors) -> None:
    """`Host`, `Forwarded`, `X-Forwarded-…` and their like: the same bytes as without, and never a word of them."""
    async with httpx.AsyncClient(base_url=doors.url("web"), timeout=20) as client:
        for path in ("/", "/feeds/news.atom", "/v1/updates", "/sitemap.xml", "/openapi.json", "/nothing"):
            plain = await client.get(path)
            for headers in LISTED.values():
                odd = await client.get(path, headers=headers)
                assert (odd.status_code, odd.content) == (plain.status_code, plain.content), (path, headers)
                assert b"evil" not in odd.content, path
                assert "evil" not in str(odd.headers), path


async def test_behind_nginx_as_compose_has_it(doors: Doors, tmp_path: Path) -> None:
    """The same, through deploy/nginx/nginx.conf: what is for operators is not there, and no request becomes two."""
    if shutil.which("nginx") is None:
        skip_or_fail("REQUIRE_REAL", "nginx is absent")
    upstreams = {"readers": doors.url("web"), "senders": doors.url("ingest"), "push": doors.url("push")}
    async with behind_nginx(upstreams, tmp_path) as front:
        for name, port in front.ports.items():
            judge(f"nginx, {name}", await all_asked(port, front.context))
        async with httpx.AsyncClient(verify=front.context, timeout=20) as client:
            for port in front.ports.values():
                for path in (
                    "/metrics",
                    "/livez",
                    "/readyz",
                    "//metrics",
                    "/./metrics",
                    "/metrics/",
                    "/%6detrics",
                    "/x/../metrics",
                ):
                    answer = await client.get(f"https://localhost:{port}{path}")
                    assert answer.status_code in (400, 404), (path, answer.status_code)
                    assert "slugline_" not in answer.text
            readers = f"https://localhost:{front.ports['readers']}"
            plain = await client.get(readers + "/")
            assert plain.status_code == 200
            for headers in LISTED.values():
                odd_page = await client.get(readers + "/", headers=headers)
                assert (odd_page.status_code, odd_page.content) == (plain.status_code, plain.content), headers
