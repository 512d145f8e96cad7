"""CYBORG, the human-guided loss of Boyd et al. (WACV 2023), which the paper's human-guided networks are trained with.

    loss = alpha * cross_entropy + (1 - alpha) * mean((cam - human) ** 2)

As the authors' training code has it (BoydAidan/CYBORG-Loss, ``training_code/train_cam.py``), which decides what the
formula leaves open: ``cam`` is the class activation map (Zhou et al. 2016) of the *predicted* class; a ResNet's
features are what its last convolution puts out, before norm, residual and ReLU, a DenseNet's what its last norm does,
before the ReLU; ``human`` is the 8-bit human map through Pillow's bilinear resize to the grid of the ``cam``. Both maps
are min-max normalised image by image, ``alpha`` is 0.5. Two things differ: a constant map is 0 everywhere here, where
theirs is NaN, and a DenseNet sees each batch once, where theirs computes its features a second time, which moves the
running averages of its norms twice.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from PIL import Image
from timm.models import DenseNet, ResNet
from torch import Tensor, nn
from torch.nn import functional

ALPHA = 0.5


@contextmanager
def explained_features(model: nn.Module) -> Iterator[list[Tensor]]:
    """While it lasts, every pass appends the features (N, K, h, w) that the loss explains. Of timm's ResNets and
    DenseNets; raises TypeError of any other network."""
    found: list[Tensor] = []
    network: Any = model
    if isinstance(model, ResNet):
        handle = network.layer4[-1].conv3.register_forward_hook(lambda *told: found.append(told[2]))
    elif isinstance(model, DenseNet):
        # The ReLU may write over what comes in.
        handle = network.features.norm5.act.register_forward_pre_hook(lambda _, told: found.append(told[0].clone()))
    else:
        raise TypeError(f"the authors' loss knows no features of a {type(model).__name__}")
    try:
        yield found
    finally:
        handle.remove()


def normalized(maps: Tensor) -> Tensor:
    """Each map (N, h, w) stretched to [0, 1]; a constant one becomes 0 everywhere."""
    low, high = maps.amin((1, 2), keepdim=True), maps.amax((1, 2), keepdim=True)
    return (maps - low) / (high - low).clamp_min(1e-8)


def class_activation_maps(features: Tensor, classifier: Tensor, classes: Tensor) -> Tensor:
    """Of these classes (N,), in [0, 1]: (N, h, w) from features (N, K, h, w) and the classifier's weights (C, K)."""
    return normalized(torch.einsum("nkhw,nk->nhw", features, classifier[classes]))


def on_grid(human: Tensor, height: int, width: int) -> Tensor:
    """Human maps (N, H, W) in [0, 1] as 8-bit pictures, resized by Pillow and normalised: (N, height, width)."""
    levels = (human.cpu() * 255).round().to(torch.uint8).numpy()
    small = [Image.fromarray(one).resize((width, height), Image.Resampling.BILINEAR) for one in levels]
    return normalized(torch.from_numpy(np.stack([np.asarray(one) for one in small])).float() / 255).to(human.device)


def cyborg_loss(logits: Tensor, maps: Tensor, labels: Tensor, human: Tensor, alpha: float = ALPHA) -> Tensor:
    """The loss, a scalar.

    ``logits`` (N, C); ``maps`` (N, h, w) in [0, 1], the class activation maps of the predicted classes; ``labels``
    (N,); ``human`` (N, H, W) in [0, 1].
    """
    target = on_grid(human, maps.shape[1], maps.shape[2])
    return alpha * functional.cross_entropy(logits, labels) + (1 - alpha) * functional.mse_loss(maps, target)
