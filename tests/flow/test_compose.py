"""The compose file as operators run it: the last release's, and over its volumes this one, by the command that upgrades.

It takes minutes, so it runs where PROVE_COMPOSE=1 is set, as CI does.
"""

import contextlib
import json
import os
import shutil
import signal
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme

from local.child import free_port
from support.releases import SOURCES, NotHere, last_commit, same_packages, unpacked
from support.waiting import eventually

pytestmark = [
    pytest.mark.flow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(os.environ.get("PROVE_COMPOSE") != "1", reason="set PROVE_COMPOSE=1; it takes minutes"),
]

ROOT = Path(__file__).resolve().parents[2]
PROJECT = "slugline-proof"
BEFORE = ("ingest-api", "enrich-text", "publish-archive", "publish-web")
"""What of the last release is run: what copy needs to get to a page."""
YESTERDAY = "Out of yesterday's container"


class Compose:
    """The project under a name and on ports of its own."""

    def __init__(self) -> None:
        self.port, self.ingest_port, self.push_port = free_port(), free_port(), free_port()
        self.more: dict[str, str] = {}
        self.folder = ROOT
        self.of_yesterday: dict[str, str] = {}
        """What the last release said of the update that it published, as the API has it; empty where it is not in this clone."""
        self.key = ""

    @property
    def web(self) -> str:
        """Where readers come."""
        return f"http://127.0.0.1:{self.port}"

    def __call__(self, *arguments: str, timeout_s: float = 120) -> str:
        return self.run("docker", "compose", *arguments, timeout_s=timeout_s)

    def run(self, *command: str, timeout_s: float = 120) -> str:
        """Run a command, with the settings of the project."""
        environment = {**os.environ, "PORT": str(self.port), "INGEST_PORT": str(self.ingest_port), "TAG": "proof"}
        environment |= {"PUSH_PORT": str(self.push_port), "COMPOSE_PROJECT_NAME": PROJECT, **self.more}
        done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=timeout_s, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}:\n{done.stdout[-4000:]}\n{done.stderr[-6000:]}"
        return done.stdout

    def add_source(self) -> None:
        """A desk, and its key."""
        command = ("python", "-m", "ingest", "sources", "add", "desk", "--desk")
        self.key = self("exec", "-T", "ingest-api", *command).strip().splitlines()[-1]

    def post(self, update: dict[str, str]) -> str:
        """Push an update: its id. A key that was just added is known to the process within two seconds."""
        deadline = time.monotonic() + 20
        while True:
            answer = httpx.post(
                f"http://127.0.0.1:{self.ingest_port}/v1/updates", json=update, timeout=10,
                headers={"Authorization": f"Bearer {self.key}"},
            )  # fmt: skip
            if answer.status_code == 202:
                return str(answer.json()["results"][0]["id"])
            assert time.monotonic() < deadline, answer.text
            time.sleep(0.2)

    def published(self, update_id: str) -> dict[str, str]:
        """The update as the API has it, once it does."""
        deadline = time.monotonic() + 40
        while True:
            answer = httpx.get(f"{self.web}/v1/updates/{update_id}", timeout=10)
            if answer.status_code == 200:
                told = answer.json()
                return {name: str(told[name]) for name in ("update_id", "headline", "position", "cursor")}
            assert time.monotonic() < deadline, answer.text
            time.sleep(0.2)


def _run_yesterday(project: Compose, folder: Path) -> None:
    """The last release publishes an update and is left running: its code and compose file, in this release's images where both want the same packages."""
    unpacked(last_commit(), folder)
    project.folder = folder
    if not same_packages(folder):
        project.more = {"TAG": "yesterday"}
        project("build", *BEFORE, timeout_s=600)
    else:
        code = ":".join(f"/release/{each}/src" for each in SOURCES)
        own = {"environment": {"PYTHONPATH": code}, "volumes": [f"{folder}:/release:ro"]}
        services = dict.fromkeys((*BEFORE, "topics", "roles"), own)
        (folder / "code.json").write_text(json.dumps({"services": services}))
        project.more = {"COMPOSE_FILE": "docker-compose.yml:code.json"}
    project("up", "--detach", "--no-build", "--wait", "--wait-timeout", "240", *BEFORE, timeout_s=300)
    project.add_source()
    body = {"guid": "yesterday-1", "headline": YESTERDAY, "body_html": "<p>Seen.</p>"}
    project.of_yesterday = project.published(project.post(body))


@pytest.fixture(scope="module")
def compose(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compose]:
    """This release, upgraded to from the last one, its passwords in files now; gone afterwards, volumes included."""
    if shutil.which("docker") is None:
        pytest.fail("PROVE_COMPOSE=1 needs Docker")
    project, folder = Compose(), tmp_path_factory.mktemp("compose")
    try:
        project("--profile", "tools", "build", timeout_s=600)
        with contextlib.suppress(NotHere):
            _run_yesterday(project, folder / "last release")
        project.folder, project.more = ROOT, {"POSTGRES_PASSWORD": "slugline", "SECRETS": str(folder / "secrets")}
        project.run("deploy/compose/make-secrets", str(folder / "secrets"))
        del project.more["POSTGRES_PASSWORD"]
        project.more["COMPOSE_FILE"] = "docker-compose.yml:deploy/compose/secrets.yml"
        print(project.run("deploy/compose/upgrade", "--no-build", timeout_s=800))
        if not project.key:
            project.add_source()
        yield project
    except AssertionError:
        print(subprocess.run(["docker", "compose", "-p", PROJECT, "logs", "--tail", "15"], capture_output=True, text=True, check=False).stdout)  # fmt: skip
        raise
    finally:
        profiles = [word for name in ("backups", "front", "tools") for word in ("--profile", name)]
        project(*profiles, "down", "--volumes", "--timeout", "10", timeout_s=180)


def test_what_yesterday_published_is_there_and_news_follows_it(compose: Compose) -> None:
    """The update of the last release is at its place, its key goes on working, and a cursor of then brings what is posted now."""
    if not compose.of_yesterday:
        pytest.skip(f"{last_commit()} is not in this clone")
    assert compose.published(compose.of_yesterday["update_id"]) == compose.of_yesterday
    update_id = compose.post({"guid": "compose-1", "headline": "Out of a container", "body_html": "<p>Seen.</p>"})
    compose.published(update_id)
    since = httpx.get(f"{compose.web}/v1/since", params={"cursor": compose.of_yesterday["cursor"]}, timeout=10).json()
    assert [(each["event"], each["data"]["update_id"]) for each in since["events"]] == [("publish", update_id)]
    assert (
        "Out of a container"
        in httpx.get(f"{compose.web}/updates/{update_id}/x", timeout=10, follow_redirects=True).text
    )


def test_backups_are_made_before_an_upgrade_and_by_the_profile(compose: Compose) -> None:
    """The upgrade left one; `--profile backups` makes one at once, is healthy by it, and notes what is killed."""
    compose("--profile", "backups", "up", "--detach", "--no-build", "--wait", "backups", timeout_s=180)
    found = compose(
        "exec", "-T", "backups", "sh", "-c", "cd /backups && ls */manifest.json removals/removals.jsonl"
    ).split()
    made = [each.removesuffix("/manifest.json") for each in found if each.endswith("manifest.json")]
    assert "removals/removals.jsonl" in found
    assert len([each for each in made if each.startswith("20")]) == 1
    assert bool([each for each in made if each.startswith("before-upgrade-")]) == bool(compose.of_yesterday)
    compose("--profile", "backups", "rm", "--stop", "--force", "backups")


async def test_the_front_speaks_tls_and_hides_what_is_internal(compose: Compose, tmp_path: Path) -> None:
    """`--profile front`: readers and senders come over TLS, streams are not held back, and what processes tell of themselves is not there."""
    authority = trustme.CA()
    tmp_path.chmod(0o755)
    for name, blob in _files(authority).items():
        (tmp_path / name).write_bytes(blob)
        (tmp_path / name).chmod(0o644)
    ports = {name: free_port() for name in ("HTTPS_PORT", "INGEST_HTTPS_PORT", "PUSH_HTTPS_PORT")}
    compose.more |= {name: str(port) for name, port in ports.items()}
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


def _inspected(*names: str) -> list[dict[str, Any]]:
    done = subprocess.run(["docker", "inspect", *names], capture_output=True, check=True)
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


async def test_what_is_killed_comes_back(compose: Compose) -> None:
    """By its restart policy, as after a crash or out of memory."""
    name = compose("ps", "--quiet", "enrich-gather").strip()
    [before] = _inspected(name)
    os.kill(before["State"]["Pid"], signal.SIGKILL)

    def again() -> bool:
        [now] = _inspected(name)
        return bool(now["State"]["Running"] and now["State"]["Pid"] != before["State"]["Pid"] and now["RestartCount"])

    await eventually(again, within_s=30, what="it stays away")


def test_every_container_is_held(compose: Compose) -> None:
    """Each comes back when it ends, has a limit of memory and processes, and its log does not fill the disk; no password is a variable.

    No process of ours is root, may write to its root file system, or has a capability.
    """
    ids = compose("ps", "--all", "--quiet").split()
    compose("up", "--detach", "--no-build", "--wait", timeout_s=300)
    assert sorted(compose("ps", "--all", "--quiet").split()) == sorted(ids), "`up` makes anew what the upgrade has made"
    described = _inspected(*ids)
    assert len(described) >= 17
    for each in described:
        host, name = each["HostConfig"], each["Name"]
        once = any(part in name for part in ("topics", "roles"))
        assert host["RestartPolicy"]["Name"] == ("no" if once else "unless-stopped"), name
        assert host["Memory"] > 0, name
        assert host["PidsLimit"] > 0, name
        assert host["LogConfig"] == {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "3"}}, name
        assert "no-new-privileges:true" in host["SecurityOpt"], name
        variables = dict(variable.split("=", 1) for variable in each["Config"]["Env"])
        assert not {each for each in variables if "PASSWORD" in each and not each.endswith("_FILE")}, name
        assert not {"POSTGRES_DSN", "REDIS_URL"} & variables.keys(), name
        for bindings in host["PortBindings"].values():
            assert {binding["HostIp"] for binding in bindings} == {"127.0.0.1"}, name
    ours = [each for each in described if each["Config"]["Image"].startswith("slugline-")]
    assert len(ours) >= 9
    for each in ours:
        assert each["Config"]["User"] == "10001:10001", each["Name"]
        assert each["HostConfig"]["ReadonlyRootfs"], each["Name"]
        assert each["HostConfig"]["CapDrop"] == ["ALL"], each["Name"]
