"""The manifests for Kubernetes say of services what the code says."""

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
