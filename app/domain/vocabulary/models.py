"""What a model is described by."""

from enum import StrEnum


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
