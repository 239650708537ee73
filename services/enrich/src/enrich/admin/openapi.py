"""The OpenAPI document of the newsroom's own API on the port of `enrich text`."""

from functools import cache
from importlib.metadata import version

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from enrich.admin.correction_api import CorrectionList
from enrich.admin.corrections import MOST_LISTED, CorrectionDecision, CorrectionOrdered, CorrectionTexts
from enrich.admin.held import HeldDecision, HeldOrdered, HeldTexts
from enrich.admin.held_api import KINDS, HeldList
from enrich.admin.story_api import OPERATIONS as STORY_OPERATIONS
from enrich.admin.topics import TopicSuggestions
from enrich.reference.directory import AuthorProfile
from shared.access.routes import KeyList, KeyMade, Revocation, Rotation, WantedKey
from shared.http.openapi import PROBLEM_JSON, ApiDescription, Content, JsonObject, Operation, Parameter, json_content
from shared.http.openapi import document as openapi_document
from shared.http.problem import ProblemDocument
from shared.http.query import check_query

REFUSED = {"4XX": Content("Why not (RFC 9457)", {PROBLEM_JSON: ProblemDocument})}
UNAVAILABLE = {"503": Content("Kafka does not answer", {PROBLEM_JSON: ProblemDocument})}
UPDATE = Parameter("update_id", "path", {"type": "string", "pattern": "^[a-z2-7]{26}$"}, "The update's id")
LIMIT = Parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": MOST_LISTED, "default": 100})
HOLDER = Parameter("holder", "query", description="Only the keys of this desk")
ENDED = Parameter("ended", "query", {"type": "boolean", "default": False}, "Those that work no longer, too")
KEY_ID = Parameter("key_id", "path", description="The key's public id")
KIND = Parameter("kind", "query", {"type": "string", "enum": list(KINDS)}, "This kind alone; what is spiked, too")
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
    Operation("GET", "/v1/keys", "The keys of this port", {"200": json_content(KeyList), **REFUSED}, [HOLDER, ENDED]),
    Operation(
        "POST",
        "/v1/keys",
        "Make a key, which is shown only now",
        {"201": json_content(KeyMade), **REFUSED},
        [],
        json_content(WantedKey),
    ),
    Operation(
        "POST",
        "/v1/keys/{key_id}/rotate",
        "A key in the place of another, which works for a while yet",
        {"201": json_content(KeyMade), **REFUSED},
        [KEY_ID],
        json_content(Rotation),
    ),
    Operation(
        "DELETE",
        "/v1/keys/{key_id}",
        "End a key now",
        {"204": Content("Ended"), **REFUSED},
        [KEY_ID],
        json_content(Revocation),
    ),
    Operation(
        "GET",
        "/v1/held",
        "What waits for a desk, the oldest first",
        {"200": json_content(HeldList), **REFUSED},
        [LIMIT, KIND],
    ),
    Operation(
        "GET",
        "/v1/held/{update_id}",
        "What is held of an update, with its words",
        {"200": json_content(HeldTexts), **REFUSED},
        [UPDATE],
    ),
    *(
        Operation(
            "POST",
            f"/v1/held/{{update_id}}/{order}",
            summary,
            {"202": json_content(HeldOrdered, "Kafka has the order"), **REFUSED, **UNAVAILABLE},
            [UPDATE],
            json_content(HeldDecision),
        )
        for order, summary in (
            ("release", "Let readers have it, with what desks corrected"),
            ("spike", "Decide against it; what is out of it stays out"),
            ("hold", "Hold what comes of an update from now on; what is out of it stays out"),
        )
    ),
    Operation(
        "GET",
        "/v1/topics/{update_id}",
        "Media Topics that a desk is suggested for an update whose source sends none",
        {"200": json_content(TopicSuggestions), **REFUSED},
        [UPDATE],
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
        description="For a newsroom's own tools: the directory of authors, what is said of stories, what desks have to decide about, and the keys of this port.",
        security=("key",),
        security_schemes={"key": {"type": "http", "scheme": "bearer"}},
    )
    return openapi_document(api, OPERATIONS)
