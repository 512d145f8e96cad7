"""Smooth Grad-CAM++: the derivatives of Grad-CAM++ averaged over noisy copies of the image."""

import numpy as np
import torch
from torch import Tensor

from app.domain.vocabulary import CamMethod
from worker.salience.draws import UNNAMED, Draws
from worker.salience.explainer import Explanation
from worker.salience.extraction import Extractor
from worker.salience.methods import weighted

COPIES, DEVIATION = 4, 0.3


class SmoothExplainer:
    """Omeiza et al. 2019, arXiv 1908.01224, with 4 copies and noise of deviation 0.3 on the normalised image.

    D1, D2, D3 are the means over the copies of the gradient g, g^2 and g^3. The shares are D2 / (2 D2 + sum(A) D3), of
    which Grad-CAM++ derives the numerator (the paper prints D1), as in TorchCAM; the weights sum their products with
    the positive part of D1. TorchCAM takes the gradient of its last copy for that, which is the same behind a pooling
    and one linear layer, and for one copy.
    """

    def __init__(self, extractor: Extractor) -> None:
        self.decisions = extractor.decisions
        self.stride = extractor.stride
        self._extractor = extractor

    def explain(self, images: Tensor, target: Tensor | None, draws: Draws = UNNAMED) -> Explanation:
        clean = self._extractor.extract(images, target)
        chosen = clean.predicted if target is None else target
        streams = [draws.stream(place, CamMethod.SMOOTH_GRADCAM_PLUS_PLUS) for place in range(len(images))]
        means = [torch.zeros_like(clean.activation)] * 3
        for _ in range(COPIES):
            gradient = self._extractor.extract(images + DEVIATION * _noise(streams, images), chosen).gradient
            means = [mean + gradient**power / COPIES for power, mean in enumerate(means, 1)]
        weights = _weights(clean.activation, *means)
        return Explanation(clean.logits, clean.predicted, weighted(clean.activation, weights))

    def logits(self, images: Tensor) -> Tensor:
        """One pass, with its gradient."""
        return self._extractor.extract(images).logits


def _noise(streams: list[np.random.Generator], images: Tensor) -> Tensor:
    drawn = np.stack([stream.standard_normal(images.shape[1:], np.float32) for stream in streams])
    return torch.from_numpy(drawn).to(images.device)


def _weights(activation: Tensor, first: Tensor, second: Tensor, third: Tensor) -> Tensor:
    """(N, K) from the mean powers (N, K, h, w)."""
    denominator = 2 * second + (third * activation).sum((2, 3), keepdim=True) + 1e-8
    return (second / denominator * first.relu()).sum((2, 3))
