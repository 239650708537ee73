"""Compose and Kubernetes show and give a process no more than it needs."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.places import ROOT

KUBERNETES = ROOT / "deploy" / "kubernetes"
PRODUCTION = KUBERNETES / "overlays" / "production"
COMPOSE_FILE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
COMPOSE: dict[str, Any] = COMPOSE_FILE["services"]
ASKS_STRANGERS = {"ingest-poll", "ingest-api", "enrich-media", "publish-web", "publish-push"}
OURS = sorted(name for name, each in COMPOSE.items() if str(each["image"]).startswith("slugline-"))
WRITES_ITS_ROOT = {"kafka": "its image writes its configuration beside its programs when it starts"}
OPEN = {"ingest-api", "publish-web", "publish-push"}
"""Whose port strangers, senders and partners reach."""
ASKS_REDIS = {"publish-cache", "publish-push", "publish-web"}


def documents(*paths: Path) -> list[dict[str, Any]]:
    """What manifests hold."""
    return [each for path in paths for each in yaml.safe_load_all(path.read_text("utf-8")) if each and "kind" in each]


PODS = {
    each["metadata"]["name"]: (each["spec"]["jobTemplate"]["spec"] if each["kind"] == "CronJob" else each["spec"])["template"]["spec"]
    for each in documents(*sorted(KUBERNETES.glob("base/*.yaml")), *sorted(KUBERNETES.glob("components/*/*.yaml")))
    if each["kind"] in ("Deployment", "StatefulSet", "CronJob")
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(COMPOSE))
def test_a_container_has_no_rights(name: str) -> None:
    """It may not write to its root, has no capability and gains none, and its memory has an end; nobody else reaches its port."""
    service = COMPOSE[name]
    assert service.get("read_only") is True or name in WRITES_ITS_ROOT
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert not service.get("privileged")
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    if name != "front":
        assert all(str(port).startswith("127.0.0.1:") for port in service.get("ports", ()))
        assert bool(service.get("ports")) == (name in OPEN)


@pytest.mark.parametrize("name", OURS)
def test_a_container_has_its_own_secrets_alone(name: str) -> None:
    """The login of its own service's role, its own file of secrets, and Redis's password where it asks Redis."""
    service, own = COMPOSE[name], name.partition("-")[0]
    environment = str(service["environment"])
    assert ("REDIS_URL" in service["environment"]) == (name in ASKS_REDIS | {"tools"})
    files = {each["path"] for each in service.get("env_file", ())}
    if own in ("ingest", "enrich", "publish"):
        assert f"slugline_{own}:" in environment
        assert not re.search(rf"slugline_(?!{own})\w+:", environment)
        assert "slugline:${POSTGRES_PASSWORD" not in environment
        assert files <= {"slugline.env", f"slugline-{own}.env"}
    elif name != "tools":  # The operators' own has the login of the whole database, and all commands.
        assert files <= {"slugline.env"}


@pytest.mark.parametrize("name", sorted(PODS))
def test_a_pod_has_no_rights_and_its_own_secrets_alone(name: str) -> None:
    """No root, no token of the cluster, no capability, no root file system to write to, memory with an end."""
    pod, own = PODS[name], name.partition("-")[0]
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not any(pod.get(shared) for shared in ("hostNetwork", "hostPID", "hostIPC"))
    for container in (*pod["containers"], *pod.get("initContainers", ())):
        assert container["securityContext"] == {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}  # fmt: skip
        assert container["resources"]["limits"]["memory"]
        secrets = {each["secretRef"]["name"] for each in container["envFrom"] if "secretRef" in each}
        assert secrets <= {"slugline", f"slugline-{own}"}
    assert not any("hostPath" in each for each in pod.get("volumes", ()))


def test_valkeys_password_is_for_who_asks_it() -> None:
    """In production's secrets and in its rules of the network alike."""
    for path in PRODUCTION.glob("secrets-*.yaml"):
        assert ("valkey" in path.read_text("utf-8")) == (path.name == "secrets-valkey.yaml"), path.name
    patches = yaml.safe_load((PRODUCTION / "kustomization.yaml").read_text("utf-8"))["patches"]
    [target] = [each["target"]["name"] for each in patches if each.get("path") == "secrets-valkey.yaml"]
    assert {name for name in PODS if re.fullmatch(target, name)} == ASKS_REDIS
    policies = {each["metadata"]["name"]: each["spec"] for each in documents(PRODUCTION / "network-policies.yaml")}
    [asks] = policies["to-valkey"]["podSelector"]["matchExpressions"]
    assert set(asks["values"]) == ASKS_REDIS
    assert "valkey" not in str(policies["to-servers"])


def test_nothing_goes_in_or_out_but_what_is_named() -> None:
    """Every pod is denied both ways at first; the world is open to those alone who ask strangers, and never our own networks."""
    policies = {each["metadata"]["name"]: each["spec"] for each in documents(PRODUCTION / "network-policies.yaml")}
    assert policies["deny-by-default"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    [asks] = policies["to-the-world"]["podSelector"]["matchExpressions"]
    assert set(asks["values"]) == ASKS_STRANGERS
    [rule] = policies["to-the-world"]["egress"]
    inside = {network for each in rule["to"] for network in each["ipBlock"]["except"]}
    assert inside >= {
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "169.254.0.0/16",
        "127.0.0.0/8",
        "fc00::/7",
        "fe80::/10",
        "::1/128",
    }
    assert rule["ports"] == [{"port": 443}, {"port": 80}]


def test_no_way_leads_out_of_a_container_but_for_who_asks_strangers() -> None:
    """The network that all are in is internal; another one is for who needs it, and nobody has the machine's."""
    assert COMPOSE_FILE["networks"] == {"default": {"internal": True}, "world": None}
    for name, service in COMPOSE.items():
        wanted = ["default", "world"] if name in ASKS_STRANGERS | {"front"} else ["default"]
        assert service.get("networks", ["default"]) == wanted, name
        assert "network_mode" not in service
        assert "world" in wanted or "ports" not in service


def test_what_is_for_operators_has_a_port_of_its_own() -> None:
    """Where strangers come, metrics and reasons are not: on a port that nothing publishes."""
    for name in OPEN:
        assert int(COMPOSE[name]["environment"]["INTERNAL_PORT"]) == 9100
        assert not any(":9100" in str(port) for port in COMPOSE[name]["ports"])
        [container] = PODS[name]["containers"]
        assert {"name": "INTERNAL_PORT", "value": "9100"} in container["env"]
    services = [each for each in documents(*sorted(KUBERNETES.glob("base/*.yaml"))) if each["kind"] == "Service"]
    for each in services:
        reached = [port["port"] for port in each["spec"]["ports"]]
        # The headless ones are for `slugline status`, within the cluster.
        assert 9100 not in reached or each["spec"].get("clusterIP") == "None"


def test_both_ways_in_take_as_much() -> None:
    """nginx of compose and the ingress of Kubernetes: the same largest bodies and heads, as many connections of one address, and neither
    passes on what is for operators."""
    nginx = (ROOT / "deploy" / "nginx" / "nginx.conf").read_text("utf-8")
    servers = [each for each in nginx.split("server {")[1:] if "listen" in each]
    assert len(servers) == 3
    for server in servers:
        assert "location ~ ^/(metrics|livez|readyz)$ { return 404; }" in server
    sizes = re.findall(r"client_max_body_size (\w+);", nginx)
    ingresses = {
        each["metadata"]["name"]: each["metadata"]["annotations"] for each in documents(PRODUCTION / "ingress.yaml")
    }
    size = "nginx.ingress.kubernetes.io/proxy-body-size"
    assert [ingresses[name][size] for name in ("publish-web", "ingest-api", "publish-push")] == sizes
    assert "X-Forwarded-For $remote_addr" in nginx
    connections = re.findall(r"limit_conn address (\d+);", nginx)
    assert connections == [*{each["nginx.ingress.kubernetes.io/limit-connections"] for each in ingresses.values()}]
    assert "proxy_buffer_size 16k;" in nginx
    assert ingresses["publish-web"]["nginx.ingress.kubernetes.io/proxy-buffer-size"] == "16k"
    for timeout in ("client_header_timeout", "client_body_timeout", "send_timeout"):
        assert int(re.findall(rf"{timeout} (\d+)s;", nginx)[0]) <= 30


def test_passwords_as_files_go_to_the_same_processes() -> None:
    """deploy/compose/secrets.yml: Redis's for who asks it, and of each service its own role's."""
    text = (ROOT / "deploy" / "compose" / "secrets.yml").read_text("utf-8").replace("!reset null", "null")
    for name, each in yaml.safe_load(text)["services"].items():
        given = {secret if isinstance(secret, str) else secret["source"] for secret in each.get("secrets", ())}
        own = name.partition("-")[0]
        if own in ("ingest", "enrich", "publish"):
            assert given == {f"{own}_dsn"} | ({"redis_url"} if name in ASKS_REDIS else set())
