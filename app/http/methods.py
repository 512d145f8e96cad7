"""The methods of a path, for ``Allow``: the framework names those of one route, though several share the path."""

import re

from fastapi import FastAPI


def allowed_methods(app: FastAPI, path: str) -> str:
    """As the OpenAPI document has them; empty where it does not know the path."""
    paths = app.openapi()["paths"]
    found = {method.upper() for template in paths if _matches(template, path) for method in paths[template]}
    return ", ".join(sorted(found | ({"HEAD"} if "GET" in found else set())))


def _matches(template: str, path: str) -> bool:
    parts = re.split(r"\{\w+\}", template)
    return re.fullmatch("[^/]+".join(map(re.escape, parts)), path) is not None
