"""Examples of ``/v1/datasets``: the demo's images."""

from typing import Any

from app.domain.problems.service import QUOTA
from app.http.openapi.example_form import BODY, JSON, ONCE, PAGES, UPLOAD, RouteExamples, page, recorded

DATASET: dict[str, Any] = recorded(__package__, "dataset.json")
_REGISTERED = (
    DATASET
    | dict.fromkeys(("content_digest", "content_size", "digest"))
    | {"sample_count": 0, "unreadable_count": 0, "labels": [], "sources": [], "splits": [], "skipped": {}, "notes": []}
    | {"status": "awaiting_content", "updated_at": DATASET["created_at"]}
)
_UPLOADED = (
    _REGISTERED | {name: DATASET[name] for name in ("content_digest", "content_size")} | {"status": "validating"}
)
_UNKNOWN = {"not-found": "No such data set."}

ROUTES = {
    "POST /v1/datasets": RouteExamples(
        requests={
            "By name": {"name": "LFW faces and non-faces"},
            "With notes of your own": {
                "name": "detector test set",
                "metadata": {"collected": "2026-03", "licence": "CC0"},
            },
            "With a manifest whose columns have names of their own": {
                "name": "skin lesions",
                "columns": {"path": "image_id", "label": "dx", "cluster": "lesion_id", "groups": ["sex"]},
            },
        },
        answers={201: {JSON: _REGISTERED}},
        problems=ONCE | {"not-found": "No such connection."},
    ),
    "GET /v1/datasets": RouteExamples(answers={200: {JSON: page(DATASET)}}, problems=PAGES),
    "PUT /v1/datasets/{dataset_id}/content": RouteExamples(
        answers={202: {JSON: _UPLOADED}},
        problems=UPLOAD
        | _UNKNOWN
        | {
            "empty-body": None,
            "quota-exceeded": QUOTA.format(most=1_000_000_000, what="bytes of content"),
            "payload-too-large": "The body exceeds the limit of 5368709120 bytes.",
            "unsupported-content-encoding": "Send the bytes as they are, uncompressed.",
            "unsupported-media-type": "The content is no zip or tar archive.",
        },
    ),
    "GET /v1/datasets/{dataset_id}": RouteExamples(answers={200: {JSON: DATASET}}, problems=_UNKNOWN),
    "GET /v1/datasets/{dataset_id}/samples": RouteExamples(
        answers={200: {JSON: page(*recorded(__package__, "samples.json"))}}, problems=PAGES | _UNKNOWN
    ),
    "GET /v1/datasets/{dataset_id}/samples/{sample}": RouteExamples(
        answers={200: {JSON: recorded(__package__, "samples.json")[0]}},
        problems=_UNKNOWN | {"not-found": "No such sample in this data set."},
    ),
    "GET /v1/datasets/{dataset_id}/samples/{sample}/image": RouteExamples(
        problems=_UNKNOWN
        | {
            "not-found": "No such sample in this data set.",
            "sample-unreadable": None,
            "artifact-corrupted": None,
        },
    ),
    "PATCH /v1/datasets/{dataset_id}": RouteExamples(
        requests={"What to know of it": {"description": "Photographs of one studio; no children.", "tags": ["faces"]}},
        answers={200: {JSON: DATASET | {"description": "Photographs of one studio; no children.", "tags": ["faces"]}}},
        problems=_UNKNOWN | BODY,
    ),
    "DELETE /v1/datasets/{dataset_id}": RouteExamples(
        problems=_UNKNOWN | {"dataset-in-use": None, "validation-error": None}
    ),
}
