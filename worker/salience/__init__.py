"""Salience maps. The mapping below is the list of CAM methods that need one forward pass."""

from collections.abc import Callable

from torch import Tensor

from app.domain.vocabulary import CamMethod
from worker.salience.methods import eigencam, gradcam, gradcam_plus_plus, hirescam, layercam, xgradcam

CAM_METHODS: dict[CamMethod, Callable[[Tensor, Tensor], Tensor]] = {
    CamMethod.GRADCAM: gradcam,
    CamMethod.GRADCAM_PLUS_PLUS: gradcam_plus_plus,
    CamMethod.HIRESCAM: hirescam,
    CamMethod.XGRADCAM: xgradcam,
    CamMethod.LAYERCAM: layercam,
    CamMethod.EIGENCAM: eigencam,
}
