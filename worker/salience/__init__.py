"""Salience maps. The mappings below are the list of CAM methods, by what each needs; pytorch-grad-cam's stand in
`worker.salience.library`.
"""

from collections.abc import Callable
from functools import partial

from torch import Tensor

from app.domain.maps.cam_methods import CAM_METHODS as METHOD_SPECS
from app.domain.maps.cam_methods import DEFAULT_MASKS
from app.domain.vocabulary import CamMethod
from worker.salience.ablation import ablationcam
from worker.salience.explainer import Cuttable, Explainer, PairExplainer
from worker.salience.extraction import Extractor, SalienceExtractor
from worker.salience.hook import TargetHook
from worker.salience.linear_head import has_linear_head
from worker.salience.meaningful_perturbation import least_deleted
from worker.salience.methods import cam, eigencam, gradcam, gradcam_plus_plus, hirescam, layercam, xgradcam
from worker.salience.occlusion import occlusion
from worker.salience.one_by_one import Case, OneByOneExplainer
from worker.salience.pixel_gradients import integrated_gradients, smoothgrad
from worker.salience.reciprocam import ReciproExplainer
from worker.salience.refusing import not_possible
from worker.salience.rise import rise
from worker.salience.rollout import RolloutExplainer
from worker.salience.scored_masks import iscam, scorecam, sscam
from worker.salience.smoothing import SmoothExplainer

CAM_METHODS: dict[CamMethod, Callable[[Tensor, Tensor], Tensor]] = {
    CamMethod.GRADCAM: gradcam,
    CamMethod.GRADCAM_PLUS_PLUS: gradcam_plus_plus,
    CamMethod.HIRESCAM: hirescam,
    CamMethod.XGRADCAM: xgradcam,
    CamMethod.LAYERCAM: layercam,
    CamMethod.EIGENCAM: eigencam,
    CamMethod.CAM: cam,
}
"""From one activation and its gradient."""

VARIANT_METHODS: dict[CamMethod, Callable[[Case], Tensor]] = {
    CamMethod.SCORECAM: scorecam,
    CamMethod.ABLATIONCAM: ablationcam,
    CamMethod.SSCAM: sscam,
    CamMethod.ISCAM: iscam,
    CamMethod.OCCLUSION: occlusion,
}
"""From the scores of many variants of an image, forwards alone."""

PIXEL_METHODS: dict[CamMethod, Callable[[Case], Tensor]] = {
    CamMethod.INTEGRATED_GRADIENTS: integrated_gradients,
    CamMethod.SMOOTHGRAD: smoothgrad,
    CamMethod.MEANINGFUL_PERTURBATION: least_deleted,
}
"""From gradients of the image, through all of a torch module."""

_OF_EXTRACTOR: dict[CamMethod, Callable[[Extractor], Explainer]] = {
    CamMethod.SMOOTH_GRADCAM_PLUS_PLUS: SmoothExplainer,
}
_OF_NETWORK: dict[CamMethod, Callable[[Cuttable], Explainer]] = {CamMethod.RECIPROCAM: ReciproExplainer}
OF_ATTENTION: dict[CamMethod, Callable[[TargetHook], Explainer]] = {CamMethod.ATTENTION_ROLLOUT: RolloutExplainer}

OF_EXTRACTOR = frozenset(CAM_METHODS) | frozenset(_OF_EXTRACTOR)
"""What whatever gives an activation and its gradient can be explained by."""
OF_NETWORK = frozenset(VARIANT_METHODS) | frozenset(_OF_NETWORK) | {CamMethod.RISE}
"""What whatever runs forwards can be explained by."""


def explainer_of_extractor(method: CamMethod, extractor: Extractor) -> Explainer:
    """``method`` is one of ``OF_EXTRACTOR``."""
    if method in _OF_EXTRACTOR:
        return _OF_EXTRACTOR[method](extractor)
    return PairExplainer(extractor, CAM_METHODS[method])


def explainer_of_network(method: CamMethod, network: Cuttable, masks: int = DEFAULT_MASKS) -> Explainer:
    """``method`` is one of ``OF_NETWORK``; ``masks`` is how many RISE draws."""
    if method in _OF_NETWORK:
        return _OF_NETWORK[method](network)
    make_map = partial(rise, count=masks) if method is CamMethod.RISE else VARIANT_METHODS[method]
    return OneByOneExplainer(network, method, make_map)


def make_explainer(method: CamMethod, hook: TargetHook, masks: int = DEFAULT_MASKS) -> Explainer:
    """The method on the model behind the hook; ``masks`` is how many RISE draws. Raises InputFailure
    ``cam-method-not-possible``.
    """
    if METHOD_SPECS[method].from_library:
        # Costs half a second and 100 MB, which most workers never need.
        from worker.salience.library import LibraryExplainer  # noqa: PLC0415

        return LibraryExplainer(method, hook)
    if method in OF_NETWORK:
        return explainer_of_network(method, hook, masks)
    if method in PIXEL_METHODS:
        return OneByOneExplainer(hook, method, PIXEL_METHODS[method])
    if method in OF_ATTENTION:
        return OF_ATTENTION[method](hook)
    extractor = SalienceExtractor(hook)
    if method is CamMethod.CAM and not has_linear_head(extractor, hook.trial_images()):
        raise not_possible(method)
    return explainer_of_extractor(method, extractor)
