"""CAM methods by other tools, or by their formulas, for `benchmarks.methods`: raw maps (N, h, w)."""

from collections.abc import Callable
from functools import partial

import pytorch_grad_cam as library
import torchcam.methods as torchcam
from torch import Tensor

from app.domain.vocabulary import CamMethod
from benchmarks.method_peers import by_captum, by_formula, by_library, by_torchcam, written_again
from benchmarks.method_peers.held import Held

Peer = Callable[[Held], Tensor]

PEERS: dict[CamMethod, tuple[str, Peer]] = {
    CamMethod.GRADCAM: ("pytorch-grad-cam", partial(by_library.positive, library.GradCAM)),
    CamMethod.GRADCAM_PLUS_PLUS: ("pytorch-grad-cam", partial(by_library.positive, library.GradCAMPlusPlus)),
    CamMethod.HIRESCAM: ("pytorch-grad-cam", partial(by_library.positive, library.HiResCAM)),
    CamMethod.XGRADCAM: ("pytorch-grad-cam", partial(by_library.positive, library.XGradCAM)),
    CamMethod.LAYERCAM: ("pytorch-grad-cam", partial(by_library.positive, library.LayerCAM)),
    CamMethod.EIGENCAM: ("pytorch-grad-cam", by_library.eigen),
    CamMethod.EIGENGRADCAM: ("pytorch-grad-cam by hand", partial(by_library.scaled, library.EigenGradCAM)),
    CamMethod.SEG_EIGENCAM: ("pytorch-grad-cam by hand", partial(by_library.scaled, library.SegEigenCAM)),
    CamMethod.KPCA_CAM: ("pytorch-grad-cam by hand", partial(by_library.scaled, library.KPCA_CAM)),
    CamMethod.GRADCAM_ELEMENTWISE: ("pytorch-grad-cam by hand", partial(by_library.scaled, library.GradCAMElementWise)),
    CamMethod.FEM: ("pytorch-grad-cam by hand", partial(by_library.scaled, library.FEM)),
    CamMethod.SHAPLEYCAM: ("its formula, by autograd", by_formula.shapley),
    CamMethod.SCORECAM: ("pytorch-grad-cam", partial(by_library.scaled, library.ScoreCAM)),
    CamMethod.ABLATIONCAM: ("its formula, by a hook channel by channel", by_formula.ablation),
    CamMethod.FULLGRAD: ("pytorch-grad-cam by hand", by_library.full),
    CamMethod.RECIPROCAM: ("its formula, by a hook cell by cell", by_formula.recipro),
    CamMethod.CAM: ("TorchCAM", by_torchcam.class_activation),
    CamMethod.SMOOTH_GRADCAM_PLUS_PLUS: ("TorchCAM's weights, the same noise", by_torchcam.smooth),
    CamMethod.SSCAM: ("TorchCAM, the same noise", by_torchcam.sscam),
    CamMethod.ISCAM: ("TorchCAM", partial(by_torchcam.raw, torchcam.ISCAM, num_samples=2)),
    CamMethod.OCCLUSION: ("Captum", by_captum.occlusion),
    CamMethod.RISE: ("its authors' code, written again in NumPy and scikit-image", written_again.rise),
    CamMethod.INTEGRATED_GRADIENTS: ("Captum", by_captum.integrated),
    CamMethod.SMOOTHGRAD: ("Captum's Saliency of the same noisy copies", by_captum.smoothgrad),
    CamMethod.MEANINGFUL_PERTURBATION: ("its objective, in NumPy and float64", written_again.perturbation),
    CamMethod.ATTENTION_ROLLOUT: (
        "attention that transformers returns, by the formula in float64",
        written_again.rollout,
    ),
}
