"""The closed sets of words that the API, the database and the worker share."""

from enum import StrEnum


class SandboxLayer(StrEnum):
    """What keeps code that gets into a model's process from doing harm (docs/security.md)."""

    LIMITS = "limits"
    PRIVILEGES = "privileges"
    LANDLOCK = "landlock"
    SECCOMP = "seccomp"


class CamMethod(StrEnum):
    """Class activation mapping methods."""  # app.domain.maps.cam_methods has a page for each

    GRADCAM = "gradcam"
    GRADCAM_PLUS_PLUS = "gradcam_plus_plus"
    HIRESCAM = "hirescam"
    XGRADCAM = "xgradcam"
    LAYERCAM = "layercam"
    EIGENCAM = "eigencam"
    EIGENGRADCAM = "eigengradcam"
    SEG_EIGENCAM = "seg_eigencam"
    KPCA_CAM = "kpca_cam"
    GRADCAM_ELEMENTWISE = "gradcam_elementwise"
    FEM = "fem"
    SHAPLEYCAM = "shapleycam"
    SCORECAM = "scorecam"
    ABLATIONCAM = "ablationcam"
    FULLGRAD = "fullgrad"
    RECIPROCAM = "reciprocam"
    CAM = "cam"
    SMOOTH_GRADCAM_PLUS_PLUS = "smooth_gradcam_plus_plus"
    SSCAM = "sscam"
    ISCAM = "iscam"
    OCCLUSION = "occlusion"
    INTEGRATED_GRADIENTS = "integrated_gradients"
    SMOOTHGRAD = "smoothgrad"
    ATTENTION_ROLLOUT = "attention_rollout"
    RISE = "rise"
    MEANINGFUL_PERTURBATION = "meaningful_perturbation"


class Weights(StrEnum):
    """Of a subject's network: those that were uploaded, or random ones of the same architecture."""

    TRAINED = "trained"
    RANDOM = "random"


class ConnectionKind(StrEnum):
    """The registries that are spoken to."""

    MLFLOW = "mlflow"
    HUGGINGFACE = "huggingface"
    HTTP = "http"
    S3 = "s3"
    OCI = "oci"


class Explained(StrEnum):
    """Of a subject: the class that the protocol's target names, or of all others the one with the highest logit."""

    TARGET = "target"
    OTHER_CLASS = "other_class"


class SalienceTarget(StrEnum):
    """Whose score the salience map explains; a class index may stand in its place."""

    PREDICTED = "predicted"
    CLEAN_PREDICTED = "clean_predicted"
    LABEL = "label"


class ClassScore(StrEnum):
    """What accuracy's ROC curves rank by: softmax, or the authors' sigmoid of the last logit."""

    SOFTMAX = "softmax"
    SIGMOID = "sigmoid"


class UndefinedReason(StrEnum):
    """Why a sample has no score."""

    CONSTANT_MAP = "constant-map"
    CONSTANT_VIEW_MAP = "constant-view-map"
    NONFINITE_OUTPUT = "nonfinite-output"
    NO_TARGET = "no-target"
    FILL_SUFFICES = "fill-suffices"
    ONE_CELL = "one-cell"
    UNREADABLE = "unreadable"
    NO_MAP = "no-map"
    NO_FIXATIONS = "no-fixations"
    NO_CELL_WITHOUT_FIXATION = "no-cell-without-fixation"
    MAP_TOO_SMALL = "map-too-small"
    TOO_LITTLE_IN_COMMON = "too-little-in-common"
    MAP_TOO_LARGE = "map-too-large"


Reasons = tuple[UndefinedReason | None, ...]
"""Of N samples; None where there is a score."""


class GroupBy(StrEnum):
    """How summaries are grouped."""

    TOTAL = "total"
    LABEL = "label"
    SOURCE = "source"


class RunStage(StrEnum):
    """Where a version is on its way from its registry to its verdict; the last two are its ends."""

    IMPORTING = "importing"
    AUDITING = "auditing"
    WRITING = "writing"
    MOVING = "moving"
    LOGGING = "logging"
    DONE = "done"
    FAILED = "failed"


class ResourceStatus(StrEnum):
    """The life of an uploaded model or data set."""

    AWAITING_CONTENT = "awaiting_content"
    FETCHING = "fetching"
    NEEDS_DESCRIPTION = "needs_description"
    VALIDATING = "validating"
    READY = "ready"
    REJECTED = "rejected"


class MapDoubt(StrEnum):
    """Why a picture may have been meant otherwise than it was read as a map."""

    COLOURS = "colours"
    """A heat map in colours: how bright a colour is says nothing of its value."""
    DARK_ON_LIGHT = "dark-on-light"
    """Dark strokes on light paper: what is drawn became what shows no salience."""


class MapSetKind(StrEnum):
    """Whose maps: drawn by people, of where people looked, or of whatever else makes maps."""

    HUMAN = "human"
    GAZE = "gaze"
    OTHER = "other"


class Origin(StrEnum):
    """Who said what a model's description holds."""

    REQUEST = "request"
    DEFAULT = "default"
    FILE = "file"
    CONFIG = "config.json"
    PREPROCESSOR_CONFIG = "preprocessor_config.json"
    ASSUMED = "assumed"
    REFERENCE = "reference"
    SALIENCE_JSON = "salience.json"
    MLMODEL = "MLmodel"
    REGISTRY = "registry"
    ARTIFACT = "artifact"


class SampleStatus(StrEnum):
    """Whether an image can be audited."""

    READY = "ready"
    UNREADABLE = "unreadable"
    UNEXAMINED = "unexamined"
    """Listed where it lies; the first audit that reads it tells."""


TAKEN = (SampleStatus.READY, SampleStatus.UNEXAMINED)
"""Of samples that audits take when a data set is ready."""


class AuditStatus(StrEnum):
    """The life of an audit."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


LIVE = (AuditStatus.QUEUED, AuditStatus.RUNNING)
"""Of audits that still go on."""
ENDED = (AuditStatus.SUCCEEDED, AuditStatus.FAILED, AuditStatus.CANCELLED)
"""Of all others."""


class ShardStatus(StrEnum):
    """The life of a contiguous range of an audit's samples."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"


class DeviceClass(StrEnum):
    """The kinds of processor. An audit runs on one: their scores differ in the last bits."""

    CPU = "cpu"
    GPU = "gpu"


class ComparisonStatus(StrEnum):
    """The life of a comparison."""

    QUEUED = "queued"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class ComparisonUnit(StrEnum):
    """What stands on each side of a comparison: an audit, as the mean over its models, or every model."""

    AUDIT = "audit"
    MODEL = "model"


class ModelFormat(StrEnum):
    """The model files that are accepted: weights of a network that is named, or a graph that is the network."""

    SAFETENSORS = "safetensors"
    STATE_DICT = "state_dict"
    ONNX = "onnx"


class Layout(StrEnum):
    """What the axes of a layer's output are."""

    NCHW = "nchw"
    NHWC = "nhwc"
    TOKENS = "tokens"


class OutputKind(StrEnum):
    """What a network's last layer says: one logit a class, one logit for two classes, or one for each label."""

    CLASSES = "classes"
    BINARY = "binary"
    MULTILABEL = "multilabel"


class Resize(StrEnum):
    """How an image meets the model's input."""

    STRETCH = "stretch"
    SHORTER_SIDE_CROP = "shorter_side_crop"


ACROSS_MODELS = -1
"""The model ordinal of the row across models: stability and the pairs behind it."""

CLEAN = "clean"
"""The image as it is: the condition that every view is compared with."""

SCHEME = "sha256:"
"""Begins the digest of a blob."""
