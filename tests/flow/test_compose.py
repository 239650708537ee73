"""The compose file as operators run it: images are built, everything becomes healthy, a posted item is on its page.

It takes minutes, so it runs where PROVE_COMPOSE=1 is set, as CI does.
"""

import json
import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import trustme

from local.child import free_port
from support.waiting import eventually

pytestmark = [
    pytest.mark.flow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(os.environ.get("PROVE_COMPOSE") != "1", reason="set PROVE_COMPOSE=1; it takes minutes"),
]

ROOT = Path(__file__).resolve().parents[2]
PROJECT = "slugline-proof"


class Compose:
    """The project under a name and on ports of its own."""

    def __init__(self) -> None:
        self.port, self.ingest_port, self.push_port = free_port(), free_port(), free_port()
        self.more: dict[str, str] = {}

    def __call__(self, *arguments: str, timeout_s: float = 120) -> str:
        environment = {**os.environ, "PORT": str(self.port), "INGEST_PORT": str(self.ingest_port), "TAG": "proof"}
        environment |= {"PUSH_PORT": str(self.push_port), **self.more}
        done = subprocess.run(
            ["docker", "compose", "-p", PROJECT, *arguments],
            cwd=ROOT, env=environment, capture_output=True, text=True, timeout=timeout_s, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{arguments}:\n{done.stdout[-4000:]}\n{done.stderr[-6000:]}"
        return done.stdout


@pytest.fixture(scope="module")
def compose() -> Iterator[Compose]:
    """Everything built and healthy; gone afterwards, volumes included."""
    if shutil.which("docker") is None:
        pytest.fail("PROVE_COMPOSE=1 needs Docker")
    project = Compose()
    try:
        project("build", timeout_s=600)
        project("up", "--detach", "--wait", "--wait-timeout", "240", timeout_s=300)
        yield project
    except AssertionError:
        print(subprocess.run(["docker", "compose", "-p", PROJECT, "logs", "--tail", "15"], capture_output=True, text=True, check=False).stdout)  # fmt: skip
        raise
    finally:
        project("down", "--volumes", "--timeout", "10", timeout_s=180)


async def test_an_item_posted_to_the_containers_is_on_its_page(compose: Compose) -> None:
    """`docker compose up --wait` ends well, a source is added by a command, and its item reaches page, API and sender."""
    key = compose("exec", "-T", "ingest-api", "python", "-m", "ingest", "sources", "add", "desk", "--desk").strip()
    ingest, web = f"http://127.0.0.1:{compose.ingest_port}", f"http://127.0.0.1:{compose.port}"
    async with httpx.AsyncClient(timeout=10, follow_redirects=True) as client:
        update = {"guid": "compose-1", "headline": "Out of a container", "body_html": "<p>Seen.</p>"}

        async def post() -> httpx.Response:
            return await client.post(f"{ingest}/v1/updates", json=update, headers={"Authorization": f"Bearer {key}"})

        # A key that was just added is known to the process within two seconds.
        answer = await eventually(post, lambda answer: answer.status_code == 202, what="not accepted")
        update_id = answer.json()["results"][0]["id"]

        async def page() -> str:
            return (await client.get(f"{web}/updates/{update_id}/x")).text

        await eventually(page, lambda text: "Out of a container" in text, within_s=30, what="not on its page")


async def test_the_front_speaks_tls_and_hides_what_is_internal(compose: Compose, tmp_path: Path) -> None:
    """`--profile front`: readers and senders come over TLS, streams are not held back, and what processes tell of themselves is not there."""
    authority = trustme.CA()
    tmp_path.chmod(0o755)
    for name, blob in _files(authority).items():
        (tmp_path / name).write_bytes(blob)
        (tmp_path / name).chmod(0o644)
    ports = {name: free_port() for name in ("HTTPS_PORT", "INGEST_HTTPS_PORT", "PUSH_HTTPS_PORT")}
    compose.more = {name: str(port) for name, port in ports.items()}
    compose.more |= {"TLS_CERTIFICATE": str(tmp_path / "certificate.pem"), "TLS_KEY": str(tmp_path / "key.pem")}
    compose("--profile", "front", "up", "--detach", "--no-recreate", "--wait", "front")
    context = ssl.create_default_context()
    authority.configure_trust(context)
    async with httpx.AsyncClient(timeout=10, verify=context) as client:
        web, ingest, push = (f"https://localhost:{port}" for port in ports.values())

        async def page() -> int:
            try:
                return (await client.get(web + "/")).status_code
            except httpx.TransportError:
                return 0

        await eventually(page, lambda status: status == 200, within_s=20, what="no page over TLS")
        assert (await client.post(ingest + "/v1/updates", json={})).status_code == 401
        assert (await client.get(push + "/metrics")).status_code == 404
        for path in ("/metrics", "/readyz", "/livez"):
            assert (await client.get(web + path)).status_code == 404
        async with client.stream("GET", web + "/v1/stream") as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            first = await anext(stream.aiter_bytes())
            assert first
    compose("--profile", "front", "rm", "--stop", "--force", "front")


def _files(authority: trustme.CA) -> dict[str, bytes]:
    issued = authority.issue_cert("localhost")
    chain = b"".join(each.bytes() for each in issued.cert_chain_pems)
    return {"certificate.pem": chain, "key.pem": issued.private_key_pem.bytes()}


def test_every_process_runs_without_rights(compose: Compose) -> None:
    """No process of ours is root, may write to its root file system, or has a capability."""
    ids = compose("ps", "--quiet").split()
    described = json.loads(subprocess.run(["docker", "inspect", *ids], capture_output=True, check=True).stdout)
    ours = [each for each in described if each["Config"]["Image"].startswith("slugline-")]
    assert len(ours) >= 9
    for each in ours:
        host, name = each["HostConfig"], each["Name"]
        assert each["Config"]["User"] == "10001:10001", name
        assert host["ReadonlyRootfs"], name
        assert host["CapDrop"] == ["ALL"], name
        assert "no-new-privileges:true" in host["SecurityOpt"], name
        assert host["Memory"] > 0, name
        for bindings in host["PortBindings"].values():
            assert {binding["HostIp"] for binding in bindings} == {"127.0.0.1"}, name
