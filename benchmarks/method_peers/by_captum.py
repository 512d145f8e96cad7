"""The peers that Captum makes."""

import torch
from captum.attr import IntegratedGradients, Occlusion, Saliency
from torch import Tensor

from app.domain.vocabulary import CamMethod
from benchmarks.method_peers.held import SIZE, Held, drawn
from worker.salience.hook import TargetHook
from worker.salience.pixel_gradients import COPIES, SPREAD


def occlusion(held: Held) -> Tensor:
    cell = SIZE // TargetHook(held.module, input_size=SIZE, target_layer=held.layer).layer.height
    window = (3, cell, cell)
    falls = Occlusion(held.module).attribute(held.images, window, window, target=held.classes)
    found: Tensor = falls[:, 0, cell // 2 :: cell, cell // 2 :: cell].relu()
    return found


def integrated(held: Held) -> Tensor:
    found = IntegratedGradients(held.module).attribute(
        held.images, target=held.classes, n_steps=50, internal_batch_size=10
    )
    attributions: Tensor = found.detach()
    return attributions.sum(1).abs()


def smoothgrad(held: Held) -> Tensor:
    noise = drawn(CamMethod.SMOOTHGRAD, held, COPIES, 3, SIZE, SIZE)
    maps = []
    for image, chosen, one in zip(held.images, held.classes, noise, strict=True):
        copies = image + SPREAD * (image.max() - image.min()) * one
        parts = [Saliency(held.module).attribute(part.requires_grad_(), chosen, abs=False) for part in copies.split(5)]
        maps.append(torch.cat(parts).mean(0).abs().sum(0))
    return torch.stack(maps)
