"""Swagger UI at ``/docs`` from files of our own, so that it works without a network and under a strict policy."""

import json
from functools import lru_cache
from importlib.resources import files

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import HTMLResponse

from app.errors import NotFound
from app.http.authorization import OPEN
from app.http.links import link
from app.http.openapi.shown import refusals_page, shown

THEIRS = "fastapi_swagger.resources"
OURS = "app.http.openapi.swagger_files"
_JAVASCRIPT = "text/javascript; charset=utf-8"
_CSS = "text/css; charset=utf-8"
ASSETS = {
    "swagger-ui-bundle.js": (THEIRS, _JAVASCRIPT),
    "swagger-ui.css": (THEIRS, _CSS),
    "favicon-32x32.png": (THEIRS, "image/png"),
    "start.js": (OURS, _JAVASCRIPT),
    "ours.css": (OURS, _CSS),
}
# Swagger UI writes styles into its elements, draws its icons from data URLs and shows answers that are images by blob:.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_CACHED = {"Cache-Control": "public, max-age=86400"}

router = APIRouter(include_in_schema=False)


@router.get("/docs", dependencies=[OPEN])
def page() -> HTMLResponse:
    html = _content(OURS, "index.html").decode().replace('"/', f'"{link("/")}')
    return HTMLResponse(html, headers={"Content-Security-Policy": POLICY})


@router.get("/docs/shown.json", dependencies=[OPEN])
def shown_document(request: Request) -> Response:
    """What the page shows; programs want all of it, ``/openapi.json``."""
    return Response(_shown(request.app, link("/docs/refusals")), media_type="application/json")


@router.get("/docs/refusals", dependencies=[OPEN])
def refusals(request: Request) -> HTMLResponse:
    return HTMLResponse(_refusals(request.app), headers={"Content-Security-Policy": POLICY})


@router.get("/docs/assets/{name}", dependencies=[OPEN])
def asset(name: str) -> Response:
    """Of Swagger UI's own files, as the wheel ``fastapi-swagger`` ships them, or of ours that start and mend it."""
    if name not in ASSETS:
        raise NotFound("file")
    package, kind = ASSETS[name]
    return Response(_content(package, name), media_type=kind, headers=_CACHED)


# Neither changes while a process lives, and both go through megabytes.
@lru_cache(maxsize=2)
def _shown(app: FastAPI, refusals_address: str) -> bytes:
    return json.dumps(shown(app.openapi(), refusals_address)).encode()


@lru_cache(maxsize=1)
def _refusals(app: FastAPI) -> str:
    return refusals_page(app.openapi())


@lru_cache(maxsize=len(ASSETS) + 1)
def _content(package: str, name: str) -> bytes:
    return (files(package) / name).read_bytes()
