"""Examples of ``/v1/models``: a network of the demo."""

from typing import Any

from app.domain.problems.service import QUOTA
from app.http.openapi.example_form import BODY, JSON, ONCE, PAGES, UPLOAD, RouteExamples, codes, page, recorded
from app.models.probed import PROBED

MODEL: dict[str, Any] = recorded(__package__, "model.json")
_FOUND_LATER = (
    "content_digest",
    "content_size",
    "target_layer",
    *PROBED,
)
_REGISTERED = MODEL | dict.fromkeys(_FOUND_LATER) | {"status": "awaiting_content", "updated_at": MODEL["created_at"]}
_REFERRED = MODEL | {"reference_digest": f"sha256:{'5e' * 32}", "fidelity": None}
_UPLOADED = _REGISTERED | {name: MODEL[name] for name in ("content_digest", "content_size")} | {"status": "validating"}

_RECIPE = {name: MODEL[name] for name in ("name", "architecture", "format", "class_names", "preprocessing")}
_TORCHVISION = {
    "name": "resnet50, fine-tuned",
    "version": "2026-03",
    "architecture": "resnet50",
    "format": "state_dict",
    "class_names": ["real", "synthetic"],
    "preprocessing": {
        "input_size": 224,
        "mean": [0.485, 0.456, 0.406],
        "std": [0.229, 0.224, 0.225],
        "resize": "shorter_side_crop",
    },
    "target_layer": "layer4",
    "metadata": {"seed": 7},
}
_UNKNOWN = {"not-found": "No such model."}
_OF_CONFIGS = codes("model-architecture-unknown", "architecture-options-invalid", "model-unsafe")
"""Of another library's config.json."""

ROUTES = {
    "POST /v1/models": RouteExamples(
        requests={"A network of the demo, safetensors": _RECIPE, "A torchvision network, torch.save": _TORCHVISION},
        answers={201: {JSON: _REGISTERED}},
        problems=ONCE
        | _OF_CONFIGS
        | {"model-format-not-accepted": None, "architecture-required": None, "quota-exceeded": None}
        | {"not-found": "No such connection."},
    ),
    "GET /v1/models": RouteExamples(answers={200: {JSON: page(MODEL)}}, problems=PAGES),
    "PUT /v1/models/{model_id}/content": RouteExamples(
        answers={202: {JSON: _UPLOADED}},
        problems=UPLOAD
        | _UNKNOWN
        | {
            "model-invalid": None,
            "quota-exceeded": QUOTA.format(most=1_000_000_000, what="bytes of content"),
            "payload-too-large": "The body exceeds the limit of 5368709120 bytes.",
            "unsupported-content-encoding": "Send the bytes as they are, uncompressed.",
            "unsupported-media-type": "Send the file itself as the body, not a form.",
        },
    ),
    "PUT /v1/models/{model_id}/reference": RouteExamples(
        answers={202: {JSON: _REFERRED}},
        problems={name: detail for name, detail in UPLOAD.items() if name != "content-already-set"}
        | _UNKNOWN
        | {
            "quota-exceeded": QUOTA.format(most=1_000_000_000, what="bytes of content"),
            "payload-too-large": "The body exceeds the limit of 5368709120 bytes.",
            "unsupported-content-encoding": "Send the bytes as they are, uncompressed.",
            "unsupported-media-type": "The content is no zip archive: pack the images and outputs.jsonl as one.",
            "empty-body": None,
        },
    ),
    "GET /v1/models/{model_id}": RouteExamples(answers={200: {JSON: MODEL}}, problems=_UNKNOWN),
    "PATCH /v1/models/{model_id}": RouteExamples(
        requests={"The one that is in use": {"aliases": ["champion"], "tags": ["release"]}},
        answers={200: {JSON: MODEL | {"aliases": ["champion"], "tags": ["release"]}}},
        problems=_UNKNOWN | BODY | _OF_CONFIGS | codes("model-already-described", "description-invalid"),
    ),
    "DELETE /v1/models/{model_id}": RouteExamples(problems=_UNKNOWN | {"model-in-use": None, "validation-error": None}),
}
