"""Whether a network ends as CAM supposes: the mean over all cells of the target layer, then one linear layer."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from app.errors import InputFailure
from worker.salience.extraction import Extractor, SalienceExtractor
from worker.salience.hook import TargetHook
from worker.salience.traced_layers import Layer
from worker.salience.watching import Row

ALIKE = 1e-5
"""Of the largest gradient: so far may cells differ by rounding."""


def has_linear_head(extractor: Extractor, images: Tensor) -> bool:
    """Whether of random ``images`` (N, C, H, W) the gradient of a logit is the same in every cell and every image, and
    not zero. Raises InputFailure ``target-layer-not-found`` where no logit depends on the layer.
    """
    first = torch.zeros(len(images), dtype=torch.int64, device=images.device)
    gradient = extractor.extract(images, first).gradient
    apart, largest = (gradient - gradient[:1, :, :1, :1]).abs().max(), gradient.abs().max()
    return bool(largest > 0) and bool(apart <= ALIKE * largest)


def before_linear_head(hook: TargetHook, layers: Sequence[Layer]) -> Iterator[str]:
    """Names of those of the ``layers``, in the order of a pass, that such a head stands behind: the last ones, up to
    the first that it does not, and those that put out the same as one of them.
    """
    rows: set[Row] = set()
    for layer in reversed(layers):
        if hook.row(layer) in rows:
            continue
        try:
            if not has_linear_head(SalienceExtractor(hook.at(layer)), hook.trial_images()):
                break
        except InputFailure:  # beside the way to the logits
            continue
        rows.add(hook.row(layer))
    return (layer.name for layer in layers if hook.row(layer) in rows)
