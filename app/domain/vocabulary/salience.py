"""How a salience map is made, and of what."""

from enum import StrEnum


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


class Explained(StrEnum):
    """Of a subject: the class that the protocol's target names, or of all others the one with the highest logit."""

    TARGET = "target"
    OTHER_CLASS = "other_class"


class SalienceTarget(StrEnum):
    """Whose score the salience map explains; a class index may stand in its place."""

    PREDICTED = "predicted"
    CLEAN_PREDICTED = "clean_predicted"
    LABEL = "label"
