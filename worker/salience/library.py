"""The methods of pytorch-grad-cam that need more than one pair, at the same target tensor as our own.

The library hooks a module's output, which a model may write to afterwards. So it is given a module of ours: the model
with a module, whose output nothing else can reach.
"""

import contextlib
import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytorch_grad_cam
import torch
from numpy.typing import NDArray
from pytorch_grad_cam.utils import svd_on_activations
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from app.domain.maps.cam_methods import CAM_METHODS
from app.domain.vocabulary import CamMethod
from app.errors import InputFailure
from worker.salience.draws import UNNAMED, Draws
from worker.salience.explainer import Explanation
from worker.salience.hook import TargetHook


class _Kpca(pytorch_grad_cam.KPCA_CAM):  # type: ignore[misc]
    """The library lets scikit-learn choose a decomposition, which of more than 200 cells begins at a random vector."""

    def get_cam_image(self, *seen: Any, **_options: Any) -> NDArray[np.float32]:
        """(N, h, w) from the activations (N, K, h, w), the fourth argument."""
        kernel_pca = svd_on_activations.KernelPCA(
            n_components=1, kernel=self.kernel, gamma=self.gamma, eigen_solver="dense"
        )
        cells = np.nan_to_num(seen[3], posinf=np.inf, neginf=-np.inf).reshape(*seen[3].shape[:2], -1).swapaxes(1, 2)
        maps = [kernel_pca.fit_transform(one - one.mean(axis=0)) for one in cells]
        return np.asarray(maps, np.float32).reshape(len(maps), *seen[3].shape[2:])


LIBRARY_METHODS: dict[CamMethod, Any] = {
    CamMethod.EIGENGRADCAM: pytorch_grad_cam.EigenGradCAM,
    CamMethod.SEG_EIGENCAM: pytorch_grad_cam.SegEigenCAM,
    CamMethod.KPCA_CAM: _Kpca,
    CamMethod.GRADCAM_ELEMENTWISE: pytorch_grad_cam.GradCAMElementWise,
    CamMethod.FEM: pytorch_grad_cam.FEM,
    CamMethod.SHAPLEYCAM: pytorch_grad_cam.ShapleyCAM,
    CamMethod.FULLGRAD: pytorch_grad_cam.FullGrad,
}

# What its code raises on models that it was not written for.
_ITS_ERRORS = (AssertionError, AttributeError, IndexError, TypeError, ValueError, np.linalg.LinAlgError)


class LibraryExplainer:
    """Maps (N, h, w) as the library makes them, before it resizes them to the image.

    Raises InputFailure ``cam-method-failed`` where the library cannot handle the model.
    """

    def __init__(self, method: CamMethod, hook: TargetHook) -> None:
        self.decisions = hook.decisions
        self._method = method
        self._hooked = _HookedModel(hook, twice=method is CamMethod.SHAPLEYCAM)
        self.stride = hook.stride

    def explain(self, images: Tensor, target: Tensor | None, draws: Draws = UNNAMED) -> Explanation:
        del draws
        targets = None if target is None else [ClassifierOutputTarget(index) for index in target.tolist()]
        try:
            with _quiet(), self._library() as cam, torch.enable_grad():
                maps = torch.from_numpy(cam(images.clone(), targets))
        except _ITS_ERRORS as error:
            detail = f"pytorch-grad-cam's {self._method} cannot handle this model: {type(error).__name__}."
            raise InputFailure("cam-method-failed", detail) from error
        finally:
            self._hooked.zero_grad(set_to_none=True)
        logits = cam.outputs.detach()
        return Explanation(logits, logits.argmax(1), maps.to(images.device))

    def logits(self, images: Tensor) -> Tensor:
        """One pass, with gradients as the library's own."""
        with torch.enable_grad():
            logits: Tensor = self._hooked(images.clone())
        return logits.detach()

    @contextlib.contextmanager
    def _library(self) -> Iterator[Any]:
        """One of its objects; it holds a batch's tensors and hooks until they are released."""
        layers = [] if CAM_METHODS[self._method].at_input_resolution else [self._hooked.layer]
        cam = LIBRARY_METHODS[self._method](self._hooked, layers)
        if not CAM_METHODS[self._method].at_input_resolution:
            cam.get_target_width_height = lambda _images: None
        try:
            yield cam
        finally:
            held = cam.activations_and_grads
            # It would detach them in place, which a gradient that is a view of another (VGG's, a ViT's) does not allow.
            held.activations, held.gradients = [], []
            held.release()


class _TargetLayer(nn.Module):
    """The library's target layer. What comes in begins the graph, unless the library wants the image's gradient."""

    def forward(self, arriving: Tensor) -> Tensor:
        return arriving.clone() if arriving.requires_grad else arriving.detach().clone().requires_grad_()


class _HookedModel(nn.Module):
    """The model as the library sees it: (N, 3, S, S) to logits before a final softmax, through ``layer``.

    ``twice``: what is behind the layer can be differentiated twice, attention among it.
    """

    def __init__(self, target: TargetHook, *, twice: bool) -> None:
        super().__init__()
        self._twice = twice
        self.model = target.module
        self.layer = _TargetLayer()
        self._target = target

    def forward(self, images: Tensor) -> Tensor:
        with contextlib.ExitStack() as behind:

            def through(arriving: Tensor) -> Tensor:
                if self._twice:
                    behind.enter_context(sdpa_kernel(SDPBackend.MATH))
                # The clone keeps what the library holds from being written to, by a ReLU in place, say.
                passed: Tensor = self.layer(arriving)
                return passed.clone()

            return self._target.run(images, through)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without the library's progress bars and remarks."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield
