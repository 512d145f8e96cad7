"""Pieces of the OpenAPI document that the framework cannot infer."""

from typing import Any

from fastapi import FastAPI

from app.http.problems import MEDIA_TYPE

RAW_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The file itself.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    },
    "parameters": [
        {
            "name": "Content-Digest",
            "in": "header",
            "required": False,
            "schema": {"type": "string"},
            "description": "RFC 9530: `sha-256=:BASE64:` of the body; checked where given.",
        }
    ],
}


def install_openapi(app: FastAPI) -> None:
    """Errors are problem documents and nothing else, as install_handlers makes them."""
    framework_document = app.openapi

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _with_problems(framework_document())
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def _with_problems(document: dict[str, Any]) -> dict[str, Any]:
    for operations in document["paths"].values():
        for operation in operations.values():
            answers = operation["responses"]
            for status in [status for status in answers if status.isdecimal() and int(status) >= 400]:
                if MEDIA_TYPE in answers[status].get("content", {}):
                    answers[status]["content"] = {MEDIA_TYPE: answers[status]["content"][MEDIA_TYPE]}
                else:
                    del answers[status]
    for unused in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(unused, None)
    return document
