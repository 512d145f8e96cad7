"""Why an audit cannot be as it is asked for."""

from app.domain.problems.problem import Problem
from app.errors import Conflict, Unprocessable

UNKNOWN_DATASET = Problem(Unprocessable, "unknown-dataset", "No such data set: {id}.")
DATASET_NOT_READY = Problem(Conflict, "dataset-not-ready", "The data set is {status}, not ready.")
UNKNOWN_SPLIT = Problem(Unprocessable, "unknown-split", "The data set {known}.")
UNKNOWN_GROUP = Problem(Unprocessable, "unknown-group", "The data set has these columns to group by: {known}.")
NO_CLUSTER_COLUMN = Problem(
    Unprocessable, "unknown-group", "The data set has no cluster column: name another of its manifest."
)
UNKNOWN_CLUSTER_COLUMN = Problem(Unprocessable, "unknown-group", "The data set has these columns of clusters: {known}.")
TOO_MANY_GROUPS = Problem(
    Unprocessable, "too-many-groups", "The column {name} has {count} values; to group by, at most {most}."
)

UNKNOWN_MODELS = Problem(Unprocessable, "unknown-models", "No such models: {ids}.")
UNKNOWN_MAP_SETS = Problem(Unprocessable, "unknown-map-sets", "No such map sets: {ids}.")
MODELS_NOT_READY = Problem(Conflict, "model-not-ready", "These models are not ready: {ids}.")
REFERENCE_NOT_READ = Problem(Conflict, "model-not-ready", "The reference of the model {id} is still being looked at.")
MODEL_NOT_PROBED = Problem(
    Conflict,
    "model-not-probed",
    "It is not known how many classes the model {name} has ({id}): upload its file again.",
)
CLASSES_DIFFER = Problem(Unprocessable, "model-classes-differ", "The models of an audit must have the same classes.")
TARGET_OUT_OF_RANGE = Problem(Unprocessable, "target-out-of-range", "The models have {count} classes, numbered from 0.")
LAYER_NOT_FOUND = Problem(
    Unprocessable,
    "target-layer-not-found",
    "The model {id} has no layer of that name with a feature map; see candidate_layers.",
)
LABELS_DO_NOT_MEET = Problem(Unprocessable, "labels-do-not-meet-classes", "{why}")
MAP_SIZES_DIFFER = Problem(
    Unprocessable, "map-sizes-differ", "{measure} needs models whose salience maps have one size."
)
AGREEMENT_NEEDS_TWO = Problem(
    Unprocessable,
    "agreement-needs-two-methods",
    "Agreement compares the maps of several CAM methods, or of a model with map sets: name them in "
    "protocol.salience.methods or in map_set_ids.",
)
SANITY_NEEDS_WEIGHTS = Problem(
    Unprocessable,
    "sanity-needs-weights",
    "A random twin needs weights beside the network; these models are graphs: {ids}. Leave sanity out, or upload "
    "their weights as safetensors or state_dict.",
)
NO_VIEW_EXISTS = Problem(
    Unprocessable,
    "no-view-exists",
    "{measure} was asked for quarter turns alone, and an input that is not square has none. Ask for shifts or flips.",
)

UNKNOWN_GATE = Problem(Unprocessable, "unknown-gate", "No such gate: {id}.")
GATE_NEEDS_BASELINE = Problem(
    Unprocessable,
    "gate-needs-baseline",
    "A condition of the gate compares with a baseline: name it by baseline_audit_id.",
)
GATE_NEEDS_MAP_SETS = Problem(
    Unprocessable,
    "gate-needs-map-sets",
    "The gate asks for {asked}, which this audit does not have (it has: {known}). Name the map sets in map_set_ids and "
    "the measure in protocol.measures, or mark the condition (missing ok).",
)
UNKNOWN_BASELINE = Problem(Unprocessable, "unknown-baseline", "No such audit: {id}.")
BASELINE_NOT_FINISHED = Problem(Conflict, "baseline-not-finished", "The baseline audit is {status}, not succeeded.")
BASELINE_DIFFERS = Problem(
    Unprocessable, "baseline-differs", "The baseline was measured with another protocol: {fields}."
)
BASELINE_OF_OTHER_MAP_SETS = Problem(
    Unprocessable,
    "baseline-differs",
    "The baseline's maps were compared with other map sets, or in another order: name its map_set_ids.",
)


def needs_two_models(measure: str) -> Problem:
    """Of a measure that compares models, by its name."""
    return Problem(Unprocessable, f"{measure}-needs-two-models", "{measure} compares two models or more.")
