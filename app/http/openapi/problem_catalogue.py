"""The catalogue of problem codes with a status and a detail as the service gives them."""

from collections.abc import Mapping
from typing import Any

from app.domain.maps.cam_methods import why_not
from app.domain.refusals.architectures import ARCHITECTURE_REQUIRED, CONFIG_CODE, CONFIG_FIELD, CONFIG_UNKNOWN
from app.domain.refusals.use import METHOD_NOT_POSSIBLE, NOT_AS_DESCRIBED
from app.domain.refusals.weights import FORMAT_UNKNOWN
from app.domain.vocabulary import CamMethod
from app.http.openapi.example_ids import AUDITS, DATASET, GATE, MAP_SET, MODELS
from app.http.problems import problem_document

Json = dict[str, Any]

REQUEST_ID = "0f6d2c1b9a8e4d7f8c3b2a1908f7e6d5"

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


def _in_use(noun: str) -> str:
    return f"These refer to the {noun}: audit {AUDITS[0]}; delete them first."


CATALOGUE: dict[str, tuple[int, str]] = {
    "malformed-json": (400, "The body is not valid JSON in UTF-8."),
    "upload-cut-off": (400, "The body ended before its length."),
    "unauthenticated": (401, "Send a valid API key: Authorization: Bearer KEY."),
    "insufficient-scope": (403, "The key lacks the scope audit:write."),
    "not-found": (404, "No such resource."),
    "request-timeout": (408, "The body did not arrive in time."),
    "audit-not-finished": (409, "The audit is running."),
    "audit-failed": (409, "The audit failed: model-crashed-worker."),
    "audit-cancelled": (409, "The audit was cancelled."),
    "baseline-not-finished": (409, "The baseline audit is running, not succeeded."),
    "comparison-not-finished": (409, "The comparison is queued."),
    "maps-not-kept": (409, "The audit kept no maps."),
    "comparison-running": (409, "The comparison is being computed; delete it when it has ended."),
    "connection-in-use": (409, "A hook refers to the connection; delete that first."),
    "run-not-failed": (409, "The run is auditing; only one that failed can be tried again."),
    "delivery-under-way": (409, "The delivery is being followed; wait for its outcome."),
    "model-already-described": (
        409,
        "Only a model that needs_description can be described; register it again with other fields.",
    ),
    "content-already-set": (409, "The content is there and cannot be replaced; register a new resource."),
    "dataset-in-use": (409, _in_use("data set")),
    "dataset-not-ready": (409, "The data set is validating, not ready."),
    "map-set-not-ready": (409, f"These map sets are not ready: {MAP_SET}."),
    "map-set-in-use": (409, _in_use("map set")),
    "model-in-use": (409, _in_use("model")),
    "model-not-probed": (
        409,
        f"It is not known how many classes the model plain has ({MODELS[0]}): upload its file again.",
    ),
    "model-not-as-described": (
        409,
        NOT_AS_DESCRIBED.detail(
            model=MODELS[0],
            agreeing=3,
            images=12,
            found='All 12 agree when images are read as BGR: "preprocessing": {"channels": "bgr"}.',
        ),
    ),
    "model-not-ready": (409, f"These models are not ready: {MODELS[0]}."),
    "partial-too-large": (409, "Results so far are made of at most 100000 samples."),
    "quota-exceeded": (409, "The tenant may have 100 models."),
    "run-group-in-use": (409, _in_use("run group")),
    "views-failed": (409, "The images could not be made: The stored content is gone."),
    "webhook-disabled": (409, "The webhook is disabled and gets nothing: PATCH it with enabled true first."),
    "audits-deleted": (410, "All audits of the comparison were deleted; its tables are still there."),
    "scores-removed": (410, "The scores per sample were removed as old; the results are still there."),
    "sample-unreadable": (422, "The sample could not be read; its problem says why."),
    "artifact-corrupted": (410, "The stored image is lost, or is not what was uploaded."),
    "maps-removed": (410, "The salience maps were removed as old; scores and results are still there."),
    "payload-too-large": (413, "A JSON body may have 1048576 bytes."),
    "unsupported-media-type": (415, "The body must be application/json."),
    "unsupported-content-encoding": (415, "Bodies must not be compressed."),
    "description-invalid": (422, "The model's description does not fit: preprocessing.std."),
    "address-not-allowed": (422, "The host's address is not public, and the operator does not allow it."),
    "architecture-options-invalid": (422, CONFIG_FIELD.detail(field="config.num_channels", what="it is no number")),
    "architecture-required": (422, ARCHITECTURE_REQUIRED.detail()),
    "audits-differ": (422, "The audits differ in protocol.seed."),
    "baseline-differs": (422, "The baseline was measured with another protocol: seed."),
    "checksum-mismatch": (422, "The body's SHA-256 is not the one in Content-Digest."),
    "empty-body": (422, "The body is empty."),
    "gate-needs-baseline": (422, "A condition of the gate compares with a baseline: name it by baseline_audit_id."),
    "gate-needs-map-sets": (
        422,
        "The gate asks for agreement.cc@3, which this audit does not have (it has: cc@1, cc@2, cc@rest).",
    ),
    "agreement-needs-two-methods": (
        422,
        "Agreement compares the maps of several CAM methods: name them in protocol.salience.methods.",
    ),
    "cam-method-not-possible": (
        422,
        METHOD_NOT_POSSIBLE.detail(
            method="cam",
            model=f"the model {MODELS[0]}",
            why=why_not(CamMethod.CAM, is_graph=False),
            possible="gradcam, layercam",
        ),
    ),
    "idempotency-key-reused": (422, "The Idempotency-Key was used with another body."),
    "invalid-cursor": (422, "The cursor is not one of this list's."),
    "labels-do-not-meet-classes": (422, "The model's class_names lack 1 labels, 'cat' first."),
    "malformed-digest": (422, "Content-Digest is not of the form sha-256=:BASE64:."),
    "no-view-exists": (422, "A measure was asked for quarter turns alone, and an input is not square."),
    "map-sizes-differ": (422, "Stability needs models whose salience maps have one size."),
    "maps-not-native": (422, "Maps of fullgrad are as large as the image: there are no native ones to compare."),
    "maps-too-small": (422, "SSIM needs maps of 7 cells a side; these have 4."),
    "nothing-to-hand-out": (
        422,
        "None of the audit's measures changes images by their clean maps; degradation does.",
    ),
    "nothing-to-rescore": (
        422,
        "None of the audit's measures compares native maps; noise_reaction, degradation and stability do.",
    ),
    "model-classes-differ": (422, "The models of an audit must have the same classes."),
    "model-format-not-accepted": (422, FORMAT_UNKNOWN.detail()),
    "model-architecture-unknown": (422, CONFIG_UNKNOWN.detail(field="config")),
    "model-unsafe": (422, CONFIG_CODE.detail(field="config.auto_map")),
    "model-id-required": (422, "The audit has several models; name one by model_id."),
    "model-invalid": (422, "The file is empty: it holds no weights."),
    "order-needs-one-view": (422, "To order by score, name a measure and one of its views."),
    "sanity-needs-weights": (
        422,
        f"A random twin needs weights beside the network; these models are graphs: {MODELS[0]}.",
    ),
    "stability-needs-two-models": (422, "Stability compares two models or more."),
    "target-layer-not-found": (
        422,
        f"The model {MODELS[0]} has no layer of that name with a feature map; see candidate_layers.",
    ),
    "target-out-of-range": (422, "The models have 2 classes, numbered from 0."),
    "too-few-sides": (422, "A comparison needs two audits, or one of several models by model."),
    "too-many-groups": (422, "The column 'id' has 8000 values; to group by, at most 200."),
    "too-many-sides": (422, "A comparison may have 10 sides; this one has 12."),
    "unknown-audits": (422, f"No such audits: {AUDITS[1]}."),
    "unknown-baseline": (422, f"No such audit: {AUDITS[1]}."),
    "unknown-dataset": (422, f"No such data set: {DATASET}."),
    "unknown-gate": (422, f"No such gate: {GATE}."),
    "unknown-group": (422, "The data set has these columns to group by: split, cluster, camera."),
    "unknown-map-sets": (422, f"No such map sets: {MAP_SET}."),
    "map-set-of-another-dataset": (
        422,
        f"These map sets are of another data set: {MAP_SET}. Upload their maps for this one.",
    ),
    "frames-differ": (
        422,
        "The models see other parts of an image each, so that no map fits all of them: audit them one by one.",
    ),
    "measure-needs-model": (
        422,
        "Noise reaction needs a model: name one beside the map sets, or leave the measure out.",
    ),
    "unknown-models": (422, f"No such models: {MODELS[1]}."),
    "unknown-split": (422, "The data set has the splits test, train."),
    "unknown-view": (422, "The audit has no such measure and view."),
    "maps-of-other-images": (422, f"The maps of the map set {MAP_SET} are of images that were made in another way."),
    "input-size-required": (422, "The map set says of no image size: register one with input_size."),
    "input-sizes-differ": (
        422,
        f"The images have several sizes: 224 x 224 of the model {MODELS[0]}, 96 x 96 of another.",
    ),
    "views-too-large": (
        422,
        "The images may take 6110720000 bytes, and an archive 4294967296 (MAX_VIEWS_BYTES): set a sample_limit.",
    ),
    "validation-error": (422, "The request does not fit the schema."),
    "rate-limited": (429, "Too many requests; come again in 7 s."),
    "headers-too-large": (431, "The request's headers are too large or too many."),
    "internal-error": (500, "Something went wrong here; the request id finds it in the logs."),
    "broker-unavailable": (503, "The task broker cannot be reached."),
    "database-unavailable": (503, "The database cannot be reached."),
    "encryption-keys-missing": (503, "Secrets cannot be kept: the operator has to set ENCRYPTION_KEYS."),
    "overloaded": (503, "Too many requests at once; come again."),
    "report-timeout": (503, "Drawing the report took too long."),
    "storage-unavailable": (503, "The blob store cannot be reached."),
    "insufficient-storage": (507, "The blob store is full."),
}

_ERRORS: dict[str, list[Json]] = {
    "architecture-required": [{"loc": ["body", "architecture"], "msg": "needed for this format"}],
    "audits-differ": [{"loc": ["body", "audit_ids", 1], "msg": "protocol.seed differs from the first audit's"}],
    "baseline-differs": [{"loc": ["body", "baseline_audit_id"], "msg": "seed differs"}],
    "validation-error": [{"loc": ["query", "limit"], "msg": "Input should be less than or equal to 1000"}],
}
_IN_A_BODY = [{"loc": ["body", "name"], "msg": "Field required"}]


def problem_examples(route: str, named: Mapping[str, str | None], status: int) -> dict[str, Json]:
    """By code: what a route that answers with this status says on purpose."""
    wanted = dict.fromkeys(ANYWHERE) | dict(named)
    return {code: {"value": _example(route, code, detail)} for code, detail in wanted.items() if _is(code, status)}


def _is(code: str, status: int) -> bool:
    return CATALOGUE[code][0] == status


def _example(route: str, code: str, detail: str | None) -> Json:
    status, usual = CATALOGUE[code]
    document = problem_document(status, code, detail or usual, REQUEST_ID)
    errors = _IN_A_BODY if code == "validation-error" and route.startswith("POST") else _ERRORS.get(code)
    return document if errors is None else document | {"errors": errors}
