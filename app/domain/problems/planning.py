"""Why an audit cannot be as it is asked for."""

from app.domain.problems.problem_type import ProblemType
from app.errors import Conflict, Unprocessable

UNKNOWN_DATASET = ProblemType(Unprocessable, "unknown-dataset", "No such data set: {id}.")
DATASET_NOT_READY = ProblemType(Conflict, "dataset-not-ready", "The data set is {status}, not ready.")
UNKNOWN_SPLIT = ProblemType(Unprocessable, "unknown-split", "The data set {known}.")
UNKNOWN_GROUP = ProblemType(Unprocessable, "unknown-group", "The data set has these columns to group by: {known}.")
NO_CLUSTER_COLUMN = ProblemType(
    Unprocessable, "unknown-group", "The data set has no cluster column: name another of its manifest."
)
UNKNOWN_CLUSTER_COLUMN = ProblemType(
    Unprocessable, "unknown-group", "The data set has these columns of clusters: {known}."
)
TOO_MANY_GROUPS = ProblemType(
    Unprocessable, "too-many-groups", "The column {name} has {count} values; to group by, at most {most}."
)

UNKNOWN_MODELS = ProblemType(Unprocessable, "unknown-models", "No such models: {ids}.")
UNKNOWN_MAP_SETS = ProblemType(Unprocessable, "unknown-map-sets", "No such map sets: {ids}.")
MODELS_NOT_READY = ProblemType(Conflict, "model-not-ready", "These models are not ready: {ids}.")
REFERENCE_NOT_READ = ProblemType(
    Conflict, "model-not-ready", "The reference of the model {id} is still being looked at."
)
MODEL_NOT_PROBED = ProblemType(
    Conflict,
    "model-not-probed",
    "It is not known how many classes the model {name} has ({id}): upload its file again.",
)
CLASSES_DIFFER = ProblemType(
    Unprocessable, "model-classes-differ", "The models of an audit must have the same classes."
)
TARGET_OUT_OF_RANGE = ProblemType(
    Unprocessable, "target-out-of-range", "The models have {count} classes, numbered from 0."
)
LAYER_NOT_FOUND = ProblemType(
    Unprocessable,
    "target-layer-not-found",
    "The model {id} has no layer of that name with a feature map; see candidate_layers.",
)
LABELS_DO_NOT_MEET = ProblemType(Unprocessable, "labels-do-not-meet-classes", "{why}")
MAP_SIZES_DIFFER = ProblemType(
    Unprocessable, "map-sizes-differ", "{measure} needs models whose salience maps have one size."
)
AGREEMENT_NEEDS_TWO = ProblemType(
    Unprocessable,
    "agreement-needs-two-methods",
    "Agreement compares the maps of several CAM methods, or of a model with map sets: name them in "
    "protocol.salience.methods or in map_set_ids.",
)
SANITY_NEEDS_WEIGHTS = ProblemType(
    Unprocessable,
    "sanity-needs-weights",
    "A random twin needs weights beside the network; these models are graphs: {ids}. Leave sanity out, or upload "
    "their weights as safetensors or state_dict.",
)
NO_VIEW_EXISTS = ProblemType(
    Unprocessable,
    "no-view-exists",
    "{measure} was asked for quarter turns alone, and an input that is not square has none. Ask for shifts or flips.",
)

UNKNOWN_GATE = ProblemType(Unprocessable, "unknown-gate", "No such gate: {id}.")
GATE_NEEDS_BASELINE = ProblemType(
    Unprocessable,
    "gate-needs-baseline",
    "A condition of the gate compares with a baseline: name it by baseline_audit_id.",
)
GATE_NEEDS_MAP_SETS = ProblemType(
    Unprocessable,
    "gate-needs-map-sets",
    "The gate asks for {asked}, which this audit does not have (it has: {known}). Name the map sets in map_set_ids and "
    "the measure in protocol.measures, or mark the condition (missing ok).",
)
UNKNOWN_BASELINE = ProblemType(Unprocessable, "unknown-baseline", "No such audit: {id}.")
BASELINE_NOT_FINISHED = ProblemType(Conflict, "baseline-not-finished", "The baseline audit is {status}, not succeeded.")
BASELINE_DIFFERS = ProblemType(
    Unprocessable, "baseline-differs", "The baseline was measured with another protocol: {fields}."
)
BASELINE_OF_OTHER_MAP_SETS = ProblemType(
    Unprocessable,
    "baseline-differs",
    "The baseline's maps were compared with other map sets, or in another order: name its map_set_ids.",
)


def needs_two_models(measure: str) -> ProblemType:
    """Of a measure that compares models, by its name."""
    return ProblemType(Unprocessable, f"{measure}-needs-two-models", "{measure} compares two models or more.")
