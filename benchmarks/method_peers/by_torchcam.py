"""The peers that TorchCAM makes."""

from typing import Any

import torch
import torchcam.methods as torchcam
from torch import Tensor, nn

from app.domain.vocabulary import CamMethod
from benchmarks.method_peers.held import SIZE, Held, drawn
from worker.salience import scored_masks, smoothing


class _Prepared:
    """Draws for TorchCAM, in the order in which it asks for them."""

    def __init__(self, noises: Tensor) -> None:
        self._left = list(noises.unbind(1))

    def sample(self, _size: torch.Size) -> Tensor:
        return self._left.pop(0)


def raw(kind: Any, held: Held, noises: Tensor | None = None, **options: Any) -> Tensor:
    with kind(held.module, held.layer, reshape_transform=held.turn, **options) as cam:
        if noises is not None:
            cam._distrib = _Prepared(noises)  # noqa: SLF001
        held.module(held.images)
        maps: Tensor = cam(held.classes.tolist(), normalized=False)[0]
    return maps


def class_activation(held: Held) -> Tensor:
    last = [name for name, part in held.module.named_modules() if isinstance(part, nn.Linear)][-1]
    return raw(torchcam.CAM, held, fc_layer=last)


def smooth(held: Held) -> Tensor:
    """TorchCAM's weights, on the clean feature map where it takes that of its last copy."""
    noises = smoothing.DEVIATION * drawn(CamMethod.SMOOTH_GRADCAM_PLUS_PLUS, held, 1, 3, SIZE, SIZE)
    with torchcam.SmoothGradCAMpp(held.module, held.layer, reshape_transform=held.turn, num_samples=1) as cam:
        cam._distrib = _Prepared(noises)  # type: ignore[assignment]  # noqa: SLF001
        held.module(held.images)
        activation: Any = cam.hook_a[0]
        clean: Tensor = activation.clone()
        (weights,) = cam._get_weights(held.classes.tolist())  # noqa: SLF001
    return (weights[:, :, None, None] * clean).sum(1).relu()


def sscam(held: Held) -> Tensor:
    with torchcam.GradCAM(held.module, held.layer, reshape_transform=held.turn) as cam:
        held.module(held.images)
        channels = cam.hook_a[0].shape[1]  # type: ignore[union-attr]
    noises = scored_masks.DEVIATION * drawn(CamMethod.SSCAM, held, 1, channels, SIZE, SIZE)
    return raw(torchcam.SSCAM, held, noises, num_samples=1)
