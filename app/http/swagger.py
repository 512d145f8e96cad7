"""Swagger UI at ``/docs`` from files of our own, so that it works without a network and under a strict policy."""

from functools import lru_cache
from importlib.resources import files

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse

from app.errors import NotFound

ASSETS = {
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "swagger-ui.css": "text/css; charset=utf-8",
    "favicon-32x32.png": "image/png",
}
PREFIX = "/docs/assets/"
# Swagger UI writes styles into its elements and draws its icons from data URLs.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_CACHED = {"Cache-Control": "public, max-age=86400"}

_PAGE = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Salience audit: API</title>
<link rel="icon" href="{PREFIX}favicon-32x32.png">
<link rel="stylesheet" href="{PREFIX}swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<noscript>This page needs JavaScript; the same document is at <a href="/openapi.json">/openapi.json</a>.</noscript>
<script src="{PREFIX}swagger-ui-bundle.js"></script>
<script src="{PREFIX}start.js"></script>
</body>
</html>
"""
_START = """SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  presets: [SwaggerUIBundle.presets.apis],
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: "list",
  filter: true,
  persistAuthorization: true,
  tryItOutEnabled: true,
  validatorUrl: null,
});
"""

router = APIRouter(include_in_schema=False)


@router.get("/docs")
def page() -> HTMLResponse:
    return HTMLResponse(_PAGE, headers={"Content-Security-Policy": POLICY})


@router.get(PREFIX + "{name}")
def asset(name: str) -> Response:
    """Of Swagger UI's own files, as the wheel ``fastapi-swagger`` ships them, and the script that starts it."""
    if name == "start.js":
        return Response(_START, media_type=ASSETS["swagger-ui-bundle.js"], headers=_CACHED)
    if name not in ASSETS:
        raise NotFound("file")
    return Response(_content(name), media_type=ASSETS[name], headers=_CACHED)


@lru_cache(maxsize=len(ASSETS))
def _content(name: str) -> bytes:
    return (files("fastapi_swagger.resources") / name).read_bytes()
