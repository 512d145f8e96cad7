"""Whether a network ends as CAM supposes: the mean over all cells of the target layer, then one linear layer."""

import torch
from torch import Tensor

from app.domain.refusals import METHOD_NEEDS
from app.domain.vocabulary import CamMethod
from worker.salience.extraction import Extractor

ALIKE = 1e-5
"""Of the largest gradient: so far may cells differ by rounding."""


def require_linear_head(extractor: Extractor, images: Tensor) -> None:
    """Of random ``images`` (N, C, H, W) the gradient of a logit is the same in every cell and every image.

    Raises InputFailure ``cam-method-not-possible``.
    """
    first = torch.zeros(len(images), dtype=torch.int64, device=images.device)
    gradient = extractor.extract(images, first).gradient
    apart = (gradient - gradient[:1, :, :1, :1]).abs().max()
    if not apart <= ALIKE * gradient.abs().max():
        why = "behind its target layer there is more than a mean over all cells and one linear layer"
        raise METHOD_NEEDS.failure(method=CamMethod.CAM, why=why, other=CamMethod.GRADCAM)
