"""The builder of OpenAPI documents."""

from pydantic import BaseModel

from shared.http.openapi import (
    ApiDescription,
    Content,
    Operation,
    Parameter,
    SharedResponse,
    document,
    json_content,
    ref,
)
from shared.http.problem import ProblemDocument


class Inner(BaseModel):
    """A part."""

    name: str


class Thing(BaseModel):
    """What is taken and given."""

    inner: Inner


def test_models_go_to_the_components_with_all_that_they_refer_to() -> None:
    """An operation names models; the document refers to their schemas."""
    operations = [
        Operation("GET", "/things/{id}", "One", {"200": json_content(Thing)}, [Parameter("id", "path")]),
        Operation(
            "POST", "/things/{id}", "Change it", {"204": Content("Done"), "4XX": SharedResponse("Problem")},
            body=json_content(Thing), operation_id="change", security=(),
        ),
    ]  # fmt: skip
    made = document(
        ApiDescription(
            title="Things", version="1", server="https://things.example", security=("key",),
            security_schemes={"key": {"type": "http", "scheme": "bearer"}},
            responses={"Problem": json_content(ProblemDocument, "Why not")}, schemas={"Other": {"type": "object"}},
        ),
        operations,
    )  # fmt: skip
    get, post = made["paths"]["/things/{id}"]["get"], made["paths"]["/things/{id}"]["post"]
    assert get["responses"]["200"]["content"]["application/json"]["schema"] == ref("Thing")
    assert get["parameters"] == [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}]
    assert post["requestBody"]["required"] is True
    assert post["responses"] == {"204": {"description": "Done"}, "4XX": {"$ref": "#/components/responses/Problem"}}
    assert (post["security"], made["security"]) == ([], [{"key": []}])
    assert set(made["components"]["schemas"]) == {"Thing", "Inner", "ProblemDocument", "Other"}
    assert made["servers"] == [{"url": "https://things.example"}]


def test_a_plain_document_says_nothing_that_it_does_not_know() -> None:
    """No empty members."""
    made = document(ApiDescription(title="T", version="1"), [Operation("GET", "/", "This", {"200": Content("Yes")})])
    assert made == {
        "openapi": "3.1.0",
        "info": {"title": "T", "version": "1"},
        "paths": {"/": {"get": {"summary": "This", "responses": {"200": {"description": "Yes"}}}}},
        "components": {"schemas": {}},
    }
