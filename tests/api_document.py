"""The OpenAPI document, made once for all tests that read it: that takes two seconds."""

from functools import cache
from typing import Any

from app.main import create_app
from app.settings import Settings


@cache
def api_document() -> dict[str, Any]:
    """With metrics open to all, as they are on loopback."""
    return create_app(Settings(open_metrics=True)).openapi()
