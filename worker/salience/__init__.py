"""Salience maps. The mapping below is the list of CAM methods that need one forward pass."""

from collections.abc import Callable

from torch import Tensor

from app.domain.cam_methods import CAM_METHODS as METHOD_SPECS
from app.domain.vocabulary import CamMethod
from worker.salience.explainer import Explainer, PairExplainer
from worker.salience.extraction import SalienceExtractor
from worker.salience.hook import TargetHook
from worker.salience.methods import eigencam, gradcam, gradcam_plus_plus, hirescam, layercam, xgradcam
from worker.salience.reciprocam import ReciproExplainer

CAM_METHODS: dict[CamMethod, Callable[[Tensor, Tensor], Tensor]] = {
    CamMethod.GRADCAM: gradcam,
    CamMethod.GRADCAM_PLUS_PLUS: gradcam_plus_plus,
    CamMethod.HIRESCAM: hirescam,
    CamMethod.XGRADCAM: xgradcam,
    CamMethod.LAYERCAM: layercam,
    CamMethod.EIGENCAM: eigencam,
}


def make_explainer(method: CamMethod, hook: TargetHook) -> Explainer:
    """The method on the model behind the hook."""
    if METHOD_SPECS[method].from_library:
        # Costs half a second and 100 MB, which most workers never need.
        from worker.salience.library import LibraryExplainer  # noqa: PLC0415

        return LibraryExplainer(method, hook)
    if METHOD_SPECS[method].from_head:
        return ReciproExplainer(hook)
    return PairExplainer(SalienceExtractor(hook), CAM_METHODS[method])
