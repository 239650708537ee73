"""The OpenAPI document of the newsroom's own API on the port of `enrich text`."""

from functools import cache
from importlib.metadata import version

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from enrich.admin.correction_api import CorrectionList
from enrich.admin.corrections import MOST_LISTED, CorrectionDecision, CorrectionOrdered, CorrectionTexts
from enrich.admin.story_api import OPERATIONS as STORY_OPERATIONS
from enrich.reference.directory import AuthorProfile
from shared.http.openapi import PROBLEM_JSON, ApiDescription, Content, JsonObject, Operation, Parameter, json_content
from shared.http.openapi import document as openapi_document
from shared.http.problem import ProblemDocument
from shared.http.query import check_query

REFUSED = {"4XX": Content("Why not (RFC 9457)", {PROBLEM_JSON: ProblemDocument})}
UNAVAILABLE = {"503": Content("Kafka does not answer", {PROBLEM_JSON: ProblemDocument})}
UPDATE = Parameter("update_id", "path", {"type": "string", "pattern": "^[a-z2-7]{26}$"}, "The update's id")
LIMIT = Parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": MOST_LISTED, "default": 100})
AUTHOR = Parameter("author_id", "path")
PROFILE = json_content(AuthorProfile)
OPERATIONS = (
    Operation("GET", "/v1/authors", "The directory of authors", {"200": Content("All of it"), **REFUSED}),
    Operation("GET", "/v1/authors/{author_id}", "One author", {"200": PROFILE, **REFUSED}, [AUTHOR]),
    Operation(
        "PUT",
        "/v1/authors/{author_id}",
        "Add or replace an author",
        {"200": PROFILE, "201": PROFILE, **REFUSED},
        [AUTHOR],
        PROFILE,
    ),
    Operation(
        "DELETE", "/v1/authors/{author_id}", "Remove an author", {"204": Content("Removed"), **REFUSED}, [AUTHOR]
    ),
    *STORY_OPERATIONS,
    Operation(
        "GET",
        "/v1/corrections",
        "Corrections whose source has said something else since, the oldest conflict first",
        {"200": json_content(CorrectionList), **REFUSED},
        [LIMIT],
    ),
    Operation(
        "GET",
        "/v1/corrections/{update_id}",
        "A correction with both texts",
        {"200": json_content(CorrectionTexts), **REFUSED},
        [UPDATE],
    ),
    *(
        Operation(
            "POST",
            f"/v1/corrections/{{update_id}}/{decision}",
            summary,
            {"202": json_content(CorrectionOrdered, "Kafka has the order"), **REFUSED, **UNAVAILABLE},
            [UPDATE],
            json_content(CorrectionDecision),
        )
        for decision, summary in (
            ("accept", "Accept the source's words where they are in conflict"),
            ("keep", "Keep the desk's words"),
        )
    ),
    Operation("GET", "/openapi.json", "This document", {"200": Content("OpenAPI 3.1")}, security=()),
)


def openapi_route() -> Route:
    """`GET /openapi.json`, open to all."""

    async def described(request: Request) -> Response:
        check_query(request)
        return JSONResponse(document())

    return Route("/openapi.json", described, methods=["GET"])


@cache
def document() -> JsonObject:
    """The whole document."""
    api = ApiDescription(
        title="Slugline enrich",
        version=version("slugline-enrich"),
        description="For a newsroom's own tools: the directory of authors, what is said of stories, and corrections that a desk has to decide about.",
        security=("key",),
        security_schemes={"key": {"type": "http", "scheme": "bearer"}},
    )
    return openapi_document(api, OPERATIONS)
