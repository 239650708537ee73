"""The manifests for Kubernetes say of services what the code says."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.streams import STREAMS
from support.places import ROOT

BASE = ROOT / "deploy" / "kubernetes" / "base"
PRODUCTION = ROOT / "deploy" / "kubernetes" / "overlays" / "production"


def documents(path: Path) -> list[dict[str, Any]]:
    """What a manifest holds."""
    return [each for each in yaml.safe_load_all(path.read_text("utf-8")) if each]


@pytest.mark.parametrize("service", ["ingest", "enrich", "publish"])
def test_a_service_may_do_on_kafka_what_its_streams_say_and_no_more(service: str) -> None:
    """A stream that a service begins to send to or to read must be in its rights, or the service would stand still."""
    users = {each["metadata"]["name"]: each for each in documents(PRODUCTION / "kafka.yaml")}
    rights: dict[str, set[str]] = {}
    for rule in users[f"slugline-{service}-kafka"]["spec"]["authorization"]["acls"]:
        if rule["resource"]["type"] == "topic" and rule["resource"].get("patternType") != "prefix":
            rights.setdefault(rule["resource"]["name"], set()).update(rule["operations"])
    # enrich text reads its own output: the log is the truth.
    wanted: dict[str, set[str]] = {"updates.enriched": {"Read"}} if service == "enrich" else {}
    for stream in STREAMS:
        if service in stream.receivers:
            wanted.setdefault(stream.name, set()).add("Read")
        if service in stream.senders:
            wanted.setdefault(stream.name, set()).add("Write")
    assert rights == wanted


def test_every_process_gets_its_secrets_as_files() -> None:
    """Each deployment of the base is one of those whose secrets the overlay brings, with the user of its own service."""
    base = ROOT / "deploy" / "kubernetes" / "base"
    names = [
        each["metadata"]["name"]
        for path in base.glob("*.yaml")
        for each in documents(path)
        if each["kind"] == "Deployment"
    ]
    assert names
    for name in names:
        service = name.partition("-")[0]
        [user] = [
            each["value"]["value"]
            for each in yaml.safe_load((PRODUCTION / f"secrets-{service}.yaml").read_text("utf-8"))
            if each["path"].endswith("/env/-")
        ]
        assert user == f"slugline-{service}-kafka"


def test_every_object_of_the_base_is_there_once() -> None:
    """Two of one kind and name, and kustomize builds nothing."""
    listed = yaml.safe_load((BASE / "kustomization.yaml").read_text("utf-8"))["resources"]
    documents = [each for name in listed for each in yaml.safe_load_all((BASE / name).read_text("utf-8")) if each]
    found = Counter((each["kind"], each["metadata"]["name"]) for each in documents)
    assert {key: count for key, count in found.items() if count > 1} == {}


def _patches() -> list[tuple[str, list[dict[str, Any]]]]:
    """The JSON patches of the production overlay in their order: whom each is for, and its operations."""
    found = []
    for patch in yaml.safe_load((PRODUCTION / "kustomization.yaml").read_text("utf-8"))["patches"]:
        text = patch.get("patch") or (PRODUCTION / patch["path"]).read_text("utf-8")
        operations = next(iter(yaml.safe_load_all(text)))
        if isinstance(operations, list) and patch["target"]["kind"] == "Deployment":
            found.append((patch["target"]["name"], operations))
    return found


def _apply(document: Any, operation: dict[str, Any]) -> None:
    """`add` or `replace` of RFC 6902; raises where the place is not there."""
    *way, last = operation["path"].strip("/").split("/")
    for step in way:
        document = document[int(step) if isinstance(document, list) else step]
    if isinstance(document, list):
        place = len(document) if last == "-" else int(last)
        assert place <= len(document) - (operation["op"] == "replace")
        document[place : place + (operation["op"] == "replace")] = [operation["value"]]
    else:
        document[last] = operation["value"]


def test_every_patch_of_production_finds_its_place() -> None:
    """One that does not lets kustomize build nothing at all; one that finds another place gives a process another's volume."""
    patches, processes = _patches(), 0
    assert len(patches) > 5
    for path in BASE.glob("*.yaml"):
        for deployment in (each for each in documents(path) if each["kind"] == "Deployment"):
            name = deployment["metadata"]["name"]
            for target, operations in patches:
                for operation in operations if re.fullmatch(target, name) else ():
                    _apply(deployment, operation)
            volumes = {each["name"]: each for each in deployment["spec"]["template"]["spec"]["volumes"]}
            assert "projected" in volumes["secrets"], name
            assert "emptyDir" in volumes.get("media", {"emptyDir": {}}), name
            assert "emptyDir" in volumes["tmp"], name
            processes += 1
    assert processes > 8
