"""The closed sets of words that the API, the database and the worker share."""

from decimal import Decimal
from enum import StrEnum


class Wall(StrEnum):
    """What keeps code that gets into a model's process from doing harm (docs/security.md)."""

    LIMITS = "limits"
    PRIVILEGES = "privileges"
    LANDLOCK = "landlock"
    SECCOMP = "seccomp"


class MeasureName(StrEnum):
    """The five measures of Crum et al. (2023), in the order of the paper."""

    ENTROPY = "entropy"
    NOISE_REACTION = "noise_reaction"
    GEOMETRIC_RESILIENCE = "geometric_resilience"
    DEGRADATION = "degradation"
    STABILITY = "stability"


class CamMethod(StrEnum):
    """Class activation mapping methods."""

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

    @property
    def from_library(self) -> bool:
        """Whether pytorch-grad-cam computes it; the others come from one captured pair at the price of a forward."""
        return self not in _FROM_ONE_PAIR

    @property
    def at_input_resolution(self) -> bool:
        """Whether its maps are as large as the image rather than as the target layer."""
        return self is CamMethod.FULLGRAD


_FROM_ONE_PAIR = frozenset(
    {
        CamMethod.GRADCAM,
        CamMethod.GRADCAM_PLUS_PLUS,
        CamMethod.HIRESCAM,
        CamMethod.XGRADCAM,
        CamMethod.LAYERCAM,
        CamMethod.EIGENCAM,
    }
)


class SalienceTarget(StrEnum):
    """Whose score the salience map explains; a class index may stand in its place."""

    PREDICTED = "predicted"
    CLEAN_PREDICTED = "clean_predicted"
    LABEL = "label"


class EntropyReading(StrEnum):
    """The two readings of salience entropy: the paper's text and the authors' notebook."""

    SPATIAL = "spatial"
    HISTOGRAM = "histogram"


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


class GroupBy(StrEnum):
    """How summaries are grouped."""

    TOTAL = "total"
    LABEL = "label"
    SOURCE = "source"


class ResourceStatus(StrEnum):
    """The life of an uploaded model or data set."""

    AWAITING_CONTENT = "awaiting_content"
    VALIDATING = "validating"
    READY = "ready"
    REJECTED = "rejected"


class Origin(StrEnum):
    """Who said what a model's description holds."""

    REQUEST = "request"
    DEFAULT = "default"
    FILE = "file"
    ASSUMED = "assumed"


class SampleStatus(StrEnum):
    """Whether an image can be audited."""

    READY = "ready"
    UNREADABLE = "unreadable"


class AuditStatus(StrEnum):
    """The life of an audit."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


LIVE = (AuditStatus.QUEUED, AuditStatus.RUNNING)
"""Of audits that still go on."""


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
    """The weight files that are accepted."""

    SAFETENSORS = "safetensors"
    STATE_DICT = "state_dict"


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
    """How an image meets the model's square input."""

    STRETCH = "stretch"
    SHORTER_SIDE_CROP = "shorter_side_crop"


ACROSS_MODELS = -1
"""The model ordinal of the row across models: stability and the pairs behind it."""

CLEAN = "clean"
PAIRS = "pairs"

SHIFTS = (
    "shift_left",
    "shift_right",
    "shift_up",
    "shift_down",
    "shift_up_left",
    "shift_up_right",
    "shift_down_left",
    "shift_down_right",
)
FLIPS = ("flip_horizontal", "flip_vertical")
ROTATIONS = ("rotate_90_cw", "rotate_90_ccw")
DEGRADATIONS = ("salience_removed", "non_salience_removed")

GEOMETRIC_GROUPS: dict[str, tuple[str, ...]] = {"shifts": SHIFTS, "flips": FLIPS, "rotations": ROTATIONS}


def noise_view(amount: float) -> str:
    """The view name of a noise amount in its shortest decimal form: ``noise@0.05``, ``noise@1``."""
    return f"noise@{Decimal(repr(float(amount))).normalize():f}"


def lower_is_better(measure: str, view: str) -> bool:
    """Entropy, and what is left of a map once its salience is removed; of all else, more is better (Fig. 11)."""
    return measure == MeasureName.ENTROPY or view == "salience_removed"
