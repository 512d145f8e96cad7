"""The OpenAPI document, made once for all tests that read it: that takes two seconds."""

from functools import cache
from typing import Any

from app.main import create_app


@cache
def api_document() -> dict[str, Any]:
    return create_app().openapi()
