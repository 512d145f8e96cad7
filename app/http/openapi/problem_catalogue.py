"""The catalogue of problem codes with a status and a detail as the service gives them."""

from collections.abc import Mapping

from app.domain.maps.cam_methods import why_not
from app.domain.problems import (
    audits,
    changed_images,
    comparisons,
    integrations,
    map_sets,
    planning,
    service,
    uploads,
)
from app.domain.problems.in_use import DELETE_FIRST, IN_USE, Noun
from app.domain.problems.problem_type import ProblemType
from app.domain.refusals.architectures import ARCHITECTURE_REQUIRED, CONFIG_CODE, CONFIG_FIELD, CONFIG_UNKNOWN
from app.domain.refusals.refusal import Refusal
from app.domain.refusals.use import METHOD_NOT_POSSIBLE, NOT_AS_DESCRIBED
from app.domain.refusals.weights import FORMAT_UNKNOWN
from app.domain.vocabulary import CamMethod
from app.errors import (
    AddressNotAllowed,
    Conflict,
    InsufficientScope,
    NotFound,
    QuotaExceeded,
    RateLimited,
    SalienceError,
    Unauthenticated,
    Unprocessable,
)
from app.http.openapi.example_ids import AUDITS, DATASET, GATE, MAP_SET, MODELS
from app.http.problems import status_of

Facts = Mapping[str, object]

ANYWHERE = (
    "unauthenticated",
    "insufficient-scope",
    "request-timeout",
    "payload-too-large",
    "rate-limited",
    "headers-too-large",
    "internal-error",
    "database-unavailable",
    "overloaded",
)
"""Codes that stand wherever a route names their status."""

_NOTHING: Facts = {}
_PROBLEMS: tuple[tuple[ProblemType, Facts], ...] = (
    (service.MALFORMED_JSON, _NOTHING),
    (uploads.CUT_OFF, _NOTHING),
    (service.BODY_TOO_SLOW, _NOTHING),
    (audits.NOT_FINISHED, {"status": "running"}),
    (audits.FAILED, {"code": "model-crashed-worker"}),
    (audits.CANCELLED, _NOTHING),
    (planning.BASELINE_NOT_FINISHED, {"status": "running"}),
    (comparisons.NOT_FINISHED, {"status": "queued"}),
    (audits.MAPS_NOT_KEPT, _NOTHING),
    (comparisons.RUNNING, _NOTHING),
    (integrations.CONNECTION_IN_USE, {"noun": "hook"}),
    (integrations.RUN_NOT_FAILED, {"stage": "auditing"}),
    (integrations.DELIVERY_UNDER_WAY, _NOTHING),
    (uploads.ALREADY_DESCRIBED, _NOTHING),
    (uploads.ALREADY_SET, _NOTHING),
    (planning.DATASET_NOT_READY, {"status": "validating"}),
    (map_sets.NOT_READY, {"ids": MAP_SET}),
    (planning.MODEL_NOT_PROBED, {"name": "plain", "id": MODELS[0]}),
    (planning.MODELS_NOT_READY, {"ids": MODELS[0]}),
    (audits.PARTIAL_TOO_LARGE, {"most": 100_000}),
    (changed_images.VIEWS_FAILED, {"why": "The stored content is gone."}),
    (integrations.WEBHOOK_DISABLED, _NOTHING),
    (comparisons.AUDITS_DELETED, _NOTHING),
    (audits.SCORES_REMOVED, _NOTHING),
    (uploads.SAMPLE_UNREADABLE, _NOTHING),
    (audits.MAPS_REMOVED, _NOTHING),
    (service.JSON_TOO_LARGE, {"most": 2**20, "told": ""}),
    (service.NOT_JSON, {"told": ""}),
    (service.COMPRESSED, _NOTHING),
    (uploads.DESCRIPTION_INVALID, {"fields": "preprocessing.std"}),
    (comparisons.AUDITS_DIFFER, {"fields": "protocol.seed"}),
    (planning.BASELINE_DIFFERS, {"fields": "seed"}),
    (uploads.CHECKSUM_MISMATCH, _NOTHING),
    (uploads.EMPTY, _NOTHING),
    (planning.GATE_NEEDS_BASELINE, _NOTHING),
    (planning.GATE_NEEDS_MAP_SETS, {"asked": "agreement.cc@3", "known": "cc@1, cc@2, cc@rest"}),
    (planning.AGREEMENT_NEEDS_TWO, _NOTHING),
    (service.KEY_REUSED, _NOTHING),
    (service.INVALID_CURSOR, _NOTHING),
    (planning.LABELS_DO_NOT_MEET, {"why": "The model's class_names lack 1 labels, 'cat' first."}),
    (uploads.MALFORMED_DIGEST, _NOTHING),
    (planning.NO_VIEW_EXISTS, {"measure": "Geometric resilience"}),
    (planning.MAP_SIZES_DIFFER, {"measure": "Stability"}),
    (audits.MAPS_NOT_NATIVE, {"method": "fullgrad"}),
    (audits.MAPS_TOO_SMALL, {"similarity": "SSIM", "least": 7, "longest": 4}),
    (changed_images.NOTHING_TO_HAND_OUT, _NOTHING),
    (audits.NOTHING_TO_RESCORE, _NOTHING),
    (planning.CLASSES_DIFFER, _NOTHING),
    (audits.MODEL_ID_REQUIRED, _NOTHING),
    (uploads.NO_WEIGHTS, _NOTHING),
    (audits.ORDER_NEEDS_ONE_VIEW, _NOTHING),
    (planning.SANITY_NEEDS_WEIGHTS, {"ids": MODELS[0]}),
    (planning.needs_two_models("stability"), {"measure": "Stability"}),
    (planning.LAYER_NOT_FOUND, {"id": MODELS[0]}),
    (planning.TARGET_OUT_OF_RANGE, {"count": 2}),
    (comparisons.TOO_FEW_SIDES, _NOTHING),
    (planning.TOO_MANY_GROUPS, {"name": "'id'", "count": 8000, "most": 200}),
    (comparisons.TOO_MANY_SIDES, {"most": 10, "sides": 12}),
    (planning.UNKNOWN_BASELINE, {"id": AUDITS[1]}),
    (planning.UNKNOWN_DATASET, {"id": DATASET}),
    (comparisons.UNKNOWN_AUDITS, {"ids": AUDITS[1]}),
    (planning.UNKNOWN_MAP_SETS, {"ids": MAP_SET}),
    (planning.UNKNOWN_MODELS, {"ids": MODELS[1]}),
    (uploads.IMAGE_LOST, _NOTHING),
    (planning.UNKNOWN_GATE, {"id": GATE}),
    (planning.UNKNOWN_GROUP, {"known": "split, cluster, camera"}),
    (map_sets.OF_ANOTHER_DATASET, {"ids": MAP_SET}),
    (map_sets.FRAMES_DIFFER, _NOTHING),
    (map_sets.MEASURE_NEEDS_MODEL, {"measure": "Noise reaction"}),
    (planning.UNKNOWN_SPLIT, {"known": "has the splits test, train"}),
    (audits.UNKNOWN_VIEW, _NOTHING),
    (map_sets.OF_OTHER_IMAGES, {"id": MAP_SET}),
    (changed_images.INPUT_SIZE_REQUIRED, _NOTHING),
    (
        map_sets.INPUT_SIZES_DIFFER,
        {"sizes": f"224 x 224 of the model {MODELS[0]}, 96 x 96 of the map set {MAP_SET}"},
    ),
    (changed_images.VIEWS_TOO_LARGE, {"bytes": 6_110_720_000, "most": 2**32}),
    (service.INVALID, _NOTHING),
    (service.HEADERS_TOO_LARGE, _NOTHING),
    (service.OUR_FAULT, _NOTHING),
    (service.BROKER_AWAY, _NOTHING),
    (service.DATABASE_AWAY, _NOTHING),
    (integrations.KEYS_MISSING, _NOTHING),
    (service.OVERLOADED, {"what": "requests"}),
    (service.REPORT_TOO_SLOW, _NOTHING),
    (uploads.STORE_AWAY, _NOTHING),
    (uploads.STORE_FULL, _NOTHING),
)
_REFUSALS: tuple[tuple[type[SalienceError], Refusal, Facts], ...] = (
    (
        Conflict,
        NOT_AS_DESCRIBED,
        {
            "model": MODELS[0],
            "agreeing": 3,
            "images": 12,
            "found": 'All 12 agree when images are read as BGR: "preprocessing": {"channels": "bgr"}.',
        },
    ),
    (Unprocessable, CONFIG_FIELD, {"field": "config.num_channels", "what": "it is no number"}),
    (Unprocessable, ARCHITECTURE_REQUIRED, _NOTHING),
    (
        Unprocessable,
        METHOD_NOT_POSSIBLE,
        {
            "method": "cam",
            "model": f"the model {MODELS[0]}",
            "why": why_not(CamMethod.CAM, is_graph=False),
            "possible": "gradcam, layercam",
        },
    ),
    (Unprocessable, FORMAT_UNKNOWN, _NOTHING),
    (Unprocessable, CONFIG_UNKNOWN, {"field": "config"}),
    (Unprocessable, CONFIG_CODE, {"field": "config.auto_map"}),
)
_ERRORS_THEMSELVES: tuple[SalienceError, ...] = (
    Unauthenticated(),
    InsufficientScope("audit:write"),
    NotFound("resource"),
    QuotaExceeded(service.QUOTA.format(most=100, what="models")),
    RateLimited(7),
    AddressNotAllowed(service.ADDRESS_NOT_PUBLIC),
)


def _in_use(noun: Noun, problem: ProblemType) -> tuple[int, str]:
    detail = problem.detail(noun=noun, audits=f"audit {AUDITS[0]}", advice=DELETE_FIRST)
    return status_of(problem.kind), detail


CATALOGUE: dict[str, tuple[int, str]] = {
    **{problem.code: (status_of(problem.kind), problem.detail(**facts)) for problem, facts in _PROBLEMS},
    **{refusal.code: (status_of(kind), refusal.detail(**facts)) for kind, refusal, facts in _REFUSALS},
    **{error.code: (status_of(type(error)), error.detail) for error in _ERRORS_THEMSELVES},
    **{problem.code: _in_use(noun, problem) for noun, problem in IN_USE.items()},
}
