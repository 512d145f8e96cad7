"""Examples of ``/v1/map-sets``: a face-shaped mask for every image of the demo."""

from typing import Any

from app.domain.problems.service import QUOTA
from app.http.openapi.example_form import BODY, JSON, ONCE, PAGES, UPLOAD, RouteExamples, codes, page, recorded
from app.http.openapi.example_ids import DATASET

MAP_SET: dict[str, Any] = recorded(__package__, "map_set.json")
_REGISTERED = (
    MAP_SET
    | dict.fromkeys(("content_digest", "content_size", "digest"))
    | {"map_count": 0, "unreadable_count": 0, "views": [], "notes": []}
    | {"status": "awaiting_content", "updated_at": MAP_SET["created_at"]}
)
_UPLOADED = (
    _REGISTERED | {name: MAP_SET[name] for name in ("content_digest", "content_size")} | {"status": "validating"}
)
_UNKNOWN = {"not-found": "No such map set."}
_NOT_READY = codes("dataset-not-ready")

ROUTES = {
    "POST /v1/map-sets": RouteExamples(
        requests={
            "Masks that people drew": {"dataset_id": DATASET, "name": "annotator 1", "kind": "human"},
            "Fixations, as Gaussians": {"dataset_id": DATASET, "name": "observers", "kind": "gaze", "sigma": 30},
        },
        answers={201: {JSON: _REGISTERED}},
        problems=ONCE | _NOT_READY | {"not-found": "No such data set."},
    ),
    "GET /v1/map-sets": RouteExamples(answers={200: {JSON: page(MAP_SET)}}, problems=PAGES),
    "PUT /v1/map-sets/{map_set_id}/content": RouteExamples(
        answers={202: {JSON: _UPLOADED}},
        problems=UPLOAD
        | _UNKNOWN
        | {
            "empty-body": None,
            "quota-exceeded": QUOTA.format(most=1_000_000_000, what="bytes of content"),
            "payload-too-large": "The body exceeds the limit of 5368709120 bytes.",
            "unsupported-content-encoding": "Send the bytes as they are, uncompressed.",
            "unsupported-media-type": "The content is no zip, tar or npz: pack the maps as one.",
        },
    ),
    "GET /v1/map-sets/{map_set_id}": RouteExamples(answers={200: {JSON: MAP_SET}}, problems=_UNKNOWN),
    "GET /v1/map-sets/{map_set_id}/maps": RouteExamples(
        answers={200: {JSON: page(*recorded(__package__, "maps.json"))}}, problems=PAGES | _UNKNOWN
    ),
    "PATCH /v1/map-sets/{map_set_id}": RouteExamples(
        requests={"What to know of it": {"description": "Drawn by one person, twice.", "tags": ["faces"]}},
        answers={200: {JSON: MAP_SET | {"description": "Drawn by one person, twice.", "tags": ["faces"]}}},
        problems=_UNKNOWN | BODY,
    ),
    "DELETE /v1/map-sets/{map_set_id}": RouteExamples(
        problems=_UNKNOWN | {"map-set-in-use": None, "validation-error": None}
    ),
}
