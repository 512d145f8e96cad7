"""Pieces of the OpenAPI document that the framework cannot infer."""

from typing import Any

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
