"""The OpenAPI document of the web edge."""

DOCUMENT: dict[str, object] = {"openapi": "3.1.0"}
