"""The peers that pytorch-grad-cam makes."""

from typing import Any

import numpy as np
import pytorch_grad_cam as library
import torch
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import Tensor

from app.domain.vocabulary import CamMethod
from benchmarks.method_peers.held import SIZE, Held
from worker.salience import make_explainer
from worker.salience.hook import TargetHook


def _library(kind: Any, held: Held) -> Tensor:
    targets = [ClassifierOutputTarget(index) for index in held.classes.tolist()]
    with kind(held.module, [held.hooked], reshape_transform=held.turn) as cam:
        cam.get_target_width_height = lambda _images: None
        cam(held.images.clone(), targets)
        seen = cam.activations_and_grads
        gradient = seen.gradients[0].numpy() if seen.gradients else None
        raw = cam.get_cam_image(
            held.images, held.hooked, targets, seen.activations[0].numpy(), gradient, eigen_smooth=False
        )
    return torch.from_numpy(np.asarray(raw))


def positive(kind: Any, held: Held) -> Tensor:
    return _library(kind, held).relu()


def scaled(kind: Any, held: Held) -> Tensor:
    """As it hands them out, after ReLU and min-max."""
    targets = [ClassifierOutputTarget(index) for index in held.classes.tolist()]
    with kind(held.module, [held.hooked], reshape_transform=held.turn) as cam:
        cam.get_target_width_height = lambda _images: None
        return torch.from_numpy(np.asarray(cam(held.images.clone(), targets)))


def full(held: Held) -> Tensor:
    targets = [ClassifierOutputTarget(index) for index in held.classes.tolist()]
    with library.FullGrad(held.module, []) as cam:
        return torch.from_numpy(np.asarray(cam(held.images.clone(), targets)))


def eigen(held: Held) -> Tensor:
    """A singular vector has no sign: the one that goes with the mean activation is taken."""
    raw = _library(library.EigenCAM, held)
    ours = make_explainer(CamMethod.EIGENCAM, TargetHook(held.module, input_size=SIZE, target_layer=held.layer))
    sign = (raw * ours.explain(held.images, held.classes).maps).sum((1, 2), keepdim=True).sign()
    return (raw * sign).relu()
