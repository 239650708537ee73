"""What Kubernetes is given can be given: no object of the base stands there twice."""

from collections import Counter

import yaml

from support.places import ROOT

BASE = ROOT / "deploy" / "kubernetes" / "base"


def test_every_object_of_the_base_is_there_once() -> None:
    """Two of one kind and name, and kustomize builds nothing."""
    listed = yaml.safe_load((BASE / "kustomization.yaml").read_text("utf-8"))["resources"]
    documents = [each for name in listed for each in yaml.safe_load_all((BASE / name).read_text("utf-8")) if each]
    found = Counter((each["kind"], each["metadata"]["name"]) for each in documents)
    assert {key: count for key, count in found.items() if count > 1} == {}
