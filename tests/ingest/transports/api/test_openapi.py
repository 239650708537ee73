"""The description of the API is true."""

import re

from starlette.routing import Route

from ingest.intake.receive import Intake
from ingest.settings import Settings
from ingest.sources.rate_limit import SourceRateLimit
from ingest.sources.registry import Registry
from ingest.sources.statistics import SourceStatistics
from ingest.transports.api.app import PROBLEMS, routes_of
from ingest.transports.api.authentication import Api
from ingest.transports.api.openapi import document


def test_every_route_is_described_and_every_description_is_a_route() -> None:
    """What senders use is in the document, method by method, and nothing else is."""
    api = Api(Settings(), Registry(), Intake(SourceStatistics(), 1.0), SourceRateLimit())
    served = {
        (route.path, method.lower())
        for route in routes_of(api)
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }
    described = {(path, method) for path, methods in document()["paths"].items() for method in methods}
    assert served == described


def test_every_reference_leads_somewhere() -> None:
    """No `$ref` of the document dangles, and every problem status that an operation names is explained."""
    components = document()["components"]
    for kind, name in re.findall(r"'#/components/(\w+)/(\w+)'", str(document())):
        assert name in components[kind]
    assert {f"Problem{status}" for status in PROBLEMS} == set(components["responses"])
