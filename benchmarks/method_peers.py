"""CAM methods by other tools, or by their formulas, for `benchmarks.methods`: raw maps (N, h, w)."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pytorch_grad_cam as library
import torch
import torchcam.methods as torchcam
import transformers
from captum.attr import IntegratedGradients, Occlusion, Saliency
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from app.domain.models.input_size import Size
from app.domain.vocabulary import CamMethod, ClassScore
from benchmarks.perturbation_peer import mask_deleted
from benchmarks.rise_peer import their_map, their_masks
from worker.salience import make_explainer, meaningful_perturbation, scored_masks, smoothing
from worker.salience.decisions import Decisions
from worker.salience.draws import Draws
from worker.salience.hook import TargetHook
from worker.salience.pixel_gradients import COPIES, SPREAD
from worker.salience.rise import Drawn

SIZE = 128
RISE_MASKS = 200
DRAWS = Draws(0, ("first", "second"))
VIT: dict[str, Any] = {"hidden_size": 192, "num_hidden_layers": 12, "num_attention_heads": 3, "image_size": SIZE}
VIT_CONFIG: Any = transformers.ViTConfig


@dataclass(frozen=True)
class Held:
    """A network as the other tools can hook it at ``layer``, and what to explain there."""

    module: nn.Module
    layer: str
    turn: Callable[[Tensor], Tensor] | None
    images: Tensor
    classes: Tensor

    @property
    def hooked(self) -> nn.Module:
        return self.module.get_submodule(self.layer)

    def few(self, count: int) -> "Held":
        return Held(self.module, self.layer, self.turn, self.images[:count], self.classes[:count])


Peer = Callable[[Held], Tensor]


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


def _positive(kind: Any, held: Held) -> Tensor:
    return _library(kind, held).relu()


def _scaled(kind: Any, held: Held) -> Tensor:
    """As it hands them out, after ReLU and min-max."""
    targets = [ClassifierOutputTarget(index) for index in held.classes.tolist()]
    with kind(held.module, [held.hooked], reshape_transform=held.turn) as cam:
        cam.get_target_width_height = lambda _images: None
        return torch.from_numpy(np.asarray(cam(held.images.clone(), targets)))


def _full(held: Held) -> Tensor:
    targets = [ClassifierOutputTarget(index) for index in held.classes.tolist()]
    with library.FullGrad(held.module, []) as cam:
        return torch.from_numpy(np.asarray(cam(held.images.clone(), targets)))


def _eigen(held: Held) -> Tensor:
    """A singular vector has no sign: the one that goes with the mean activation is taken."""
    raw = _library(library.EigenCAM, held)
    ours = make_explainer(CamMethod.EIGENCAM, TargetHook(held.module, input_size=SIZE, target_layer=held.layer))
    sign = (raw * ours.explain(held.images, held.classes).maps).sum((1, 2), keepdim=True).sign()
    return (raw * sign).relu()


class _Prepared:
    """Draws for TorchCAM, in the order in which it asks for them."""

    def __init__(self, noises: Tensor) -> None:
        self._left = list(noises.unbind(1))

    def sample(self, _size: torch.Size) -> Tensor:
        return self._left.pop(0)


def _drawn(method: CamMethod, held: Held, *shape: int) -> Tensor:
    streams = (DRAWS.stream(place, method) for place in range(len(held.images)))
    return torch.from_numpy(np.stack([stream.standard_normal(shape, np.float32) for stream in streams]))


def _torchcam(kind: Any, held: Held, noises: Tensor | None = None, **options: Any) -> Tensor:
    with kind(held.module, held.layer, reshape_transform=held.turn, **options) as cam:
        if noises is not None:
            cam._distrib = _Prepared(noises)  # noqa: SLF001
        held.module(held.images)
        maps: Tensor = cam(held.classes.tolist(), normalized=False)[0]
    return maps


def _cam(held: Held) -> Tensor:
    last = [name for name, part in held.module.named_modules() if isinstance(part, nn.Linear)][-1]
    return _torchcam(torchcam.CAM, held, fc_layer=last)


def _smooth(held: Held) -> Tensor:
    """TorchCAM's weights, on the clean feature map where it takes that of its last copy."""
    noises = smoothing.DEVIATION * _drawn(CamMethod.SMOOTH_GRADCAM_PLUS_PLUS, held, 1, 3, SIZE, SIZE)
    with torchcam.SmoothGradCAMpp(held.module, held.layer, reshape_transform=held.turn, num_samples=1) as cam:
        cam._distrib = _Prepared(noises)  # type: ignore[assignment]  # noqa: SLF001
        held.module(held.images)
        activation: Any = cam.hook_a[0]
        clean: Tensor = activation.clone()
        (weights,) = cam._get_weights(held.classes.tolist())  # noqa: SLF001
    return (weights[:, :, None, None] * clean).sum(1).relu()


def _sscam(held: Held) -> Tensor:
    with torchcam.GradCAM(held.module, held.layer, reshape_transform=held.turn) as cam:
        held.module(held.images)
        channels = cam.hook_a[0].shape[1]  # type: ignore[union-attr]
    noises = scored_masks.DEVIATION * _drawn(CamMethod.SSCAM, held, 1, channels, SIZE, SIZE)
    return _torchcam(torchcam.SSCAM, held, noises, num_samples=1)


def _occlusion(held: Held) -> Tensor:
    cell = SIZE // TargetHook(held.module, input_size=SIZE, target_layer=held.layer).layer.height
    window = (3, cell, cell)
    falls = Occlusion(held.module).attribute(held.images, window, window, target=held.classes)
    found: Tensor = falls[:, 0, cell // 2 :: cell, cell // 2 :: cell].relu()
    return found


def _integrated(held: Held) -> Tensor:
    found = IntegratedGradients(held.module).attribute(
        held.images, target=held.classes, n_steps=50, internal_batch_size=10
    )
    attributions: Tensor = found.detach()
    return attributions.sum(1).abs()


def _smoothgrad(held: Held) -> Tensor:
    noise = _drawn(CamMethod.SMOOTHGRAD, held, COPIES, 3, SIZE, SIZE)
    maps = []
    for image, chosen, one in zip(held.images, held.classes, noise, strict=True):
        copies = image + SPREAD * (image.max() - image.min()) * one
        parts = [Saliency(held.module).attribute(part.requires_grad_(), chosen, abs=False) for part in copies.split(5)]
        maps.append(torch.cat(parts).mean(0).abs().sum(0))
    return torch.stack(maps)


def _rollout(held: Held) -> Tensor:
    config = VIT_CONFIG(**VIT, num_labels=2, attn_implementation="eager")
    theirs: Any = transformers.ViTForImageClassification(config)
    theirs.eval().load_state_dict(held.module.state_dict())
    with torch.no_grad():
        attentions = theirs(held.images, output_attentions=True).attentions
    total = torch.eye(attentions[0].shape[-1], dtype=torch.float64)
    for attention in attentions:
        total = (attention.double().mean(1) + torch.eye(len(total[-1]), dtype=torch.float64)) / 2 @ total
    side = int((total.shape[-1] - 1) ** 0.5)
    return total[:, 0, 1:].view(-1, side, side).float()


def _recipro(held: Held) -> Tensor:
    """Cell by cell: the softmax of the class where a hook leaves that cell alone (of tokens, and the class token)."""
    side = TargetHook(held.module, input_size=SIZE, target_layer=held.layer).layer.height
    scores = [_seen_alone(held, cell) for cell in range(side**2)]
    return torch.stack(scores, 1).view(-1, side, side)


def _seen_alone(held: Held, cell: int) -> Tensor:
    def leave(_module: nn.Module, _inputs: Any, output: Tensor) -> Tensor:
        mask = torch.zeros_like(output)
        if held.turn is None:
            mask.flatten(2)[:, :, cell] = 1
        else:
            mask[:, [0, cell + 1]] = 1
        return output * mask

    handle = held.hooked.register_forward_hook(leave)
    with torch.no_grad():
        scores = Decisions().class_scores(held.module(held.images), ClassScore.SOFTMAX)
    handle.remove()
    return scores.gather(1, held.classes.view(-1, 1))[:, 0]


def _perturbation(held: Held) -> Tensor:
    network = deepcopy(held.module).double()
    maps = []
    for place, (image, chosen) in enumerate(zip(held.images, held.classes.tolist(), strict=True)):
        stream = DRAWS.stream(place, CamMethod.MEANINGFUL_PERTURBATION)
        moves = stream.integers(0, meaningful_perturbation.MOVES, (meaningful_perturbation.STEPS, 2))
        maps.append(mask_deleted(network, image.double().numpy(), chosen, moves))
    return torch.from_numpy(np.stack(maps))


def _shapley(held: Held) -> Tensor:
    """Channels weighted by the mean of the gradient less half the Hessian's product with the activation."""
    seen: list[Tensor] = []
    handle = held.hooked.register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    with sdpa_kernel(SDPBackend.MATH):
        score = held.module(held.images).gather(1, held.classes.view(-1, 1)).sum()
    handle.remove()
    (gradient,) = torch.autograd.grad(score, seen, create_graph=True)
    activation = seen[0].detach().clone()
    activation[:, : 0 if held.turn is None else 1] = 0
    # Behind a pooling and a linear layer the gradient is a constant.
    (product,) = torch.autograd.grad(gradient, seen, activation, allow_unused=True)
    turn = held.turn or (lambda kept: kept)
    weights, features = turn((gradient - (0 if product is None else product / 2)).detach()), turn(activation)
    return (weights.mean((2, 3), keepdim=True) * features).sum(1).relu()


def _rise(held: Held) -> Tensor:
    size = Size(SIZE, SIZE)
    maps = []
    for place, (image, chosen) in enumerate(zip(held.images, held.classes.tolist(), strict=True)):
        masks = their_masks(Drawn.of(DRAWS.stream(place, CamMethod.RISE), RISE_MASKS, size), size)
        maps.append(their_map(held.module, masks, image, chosen))
    return torch.from_numpy(np.stack(maps))


def _ablation(held: Held) -> Tensor:
    """Channel by channel: the share of the logit that goes where a hook makes that channel of the grid zero."""
    whole, features = _without_channel(held, None)
    chosen = held.classes.view(-1, 1)
    total = torch.zeros_like(features[:, 0], dtype=torch.float64)
    for channel in range(features.shape[1]):
        left, _ = _without_channel(held, channel)
        share = (whole - left).gather(1, chosen) / whole.gather(1, chosen)
        total += share.view(-1, 1, 1).double() * features[:, channel].double()
    return total.relu()


def _without_channel(held: Held, channel: int | None) -> tuple[Tensor, Tensor]:
    """Logits, and the grid (N, K, h, w) as it was; tokens before it keep all their channels."""
    seen: list[Tensor] = []

    def clear(_module: nn.Module, _inputs: Any, output: Tensor) -> Tensor:
        seen.append(output if held.turn is None else held.turn(output))
        left = output.clone()
        if channel is not None:
            grid = left[:, channel] if held.turn is None else left[:, 1:, channel]
            grid.zero_()
        return left

    handle = held.hooked.register_forward_hook(clear)
    with torch.no_grad():
        logits: Tensor = held.module(held.images)
    handle.remove()
    return logits, seen[0]


PEERS: dict[CamMethod, tuple[str, Peer]] = {
    CamMethod.GRADCAM: ("pytorch-grad-cam", partial(_positive, library.GradCAM)),
    CamMethod.GRADCAM_PLUS_PLUS: ("pytorch-grad-cam", partial(_positive, library.GradCAMPlusPlus)),
    CamMethod.HIRESCAM: ("pytorch-grad-cam", partial(_positive, library.HiResCAM)),
    CamMethod.XGRADCAM: ("pytorch-grad-cam", partial(_positive, library.XGradCAM)),
    CamMethod.LAYERCAM: ("pytorch-grad-cam", partial(_positive, library.LayerCAM)),
    CamMethod.EIGENCAM: ("pytorch-grad-cam", _eigen),
    CamMethod.EIGENGRADCAM: ("pytorch-grad-cam by hand", partial(_scaled, library.EigenGradCAM)),
    CamMethod.SEG_EIGENCAM: ("pytorch-grad-cam by hand", partial(_scaled, library.SegEigenCAM)),
    CamMethod.KPCA_CAM: ("pytorch-grad-cam by hand", partial(_scaled, library.KPCA_CAM)),
    CamMethod.GRADCAM_ELEMENTWISE: ("pytorch-grad-cam by hand", partial(_scaled, library.GradCAMElementWise)),
    CamMethod.FEM: ("pytorch-grad-cam by hand", partial(_scaled, library.FEM)),
    CamMethod.SHAPLEYCAM: ("its formula, by autograd", _shapley),
    CamMethod.SCORECAM: ("pytorch-grad-cam", partial(_scaled, library.ScoreCAM)),
    CamMethod.ABLATIONCAM: ("its formula, by a hook channel by channel", _ablation),
    CamMethod.FULLGRAD: ("pytorch-grad-cam by hand", _full),
    CamMethod.RECIPROCAM: ("its formula, by a hook cell by cell", _recipro),
    CamMethod.CAM: ("TorchCAM", _cam),
    CamMethod.SMOOTH_GRADCAM_PLUS_PLUS: ("TorchCAM's weights, the same noise", _smooth),
    CamMethod.SSCAM: ("TorchCAM, the same noise", _sscam),
    CamMethod.ISCAM: ("TorchCAM", partial(_torchcam, torchcam.ISCAM, num_samples=2)),
    CamMethod.OCCLUSION: ("Captum", _occlusion),
    CamMethod.RISE: ("its authors' code, written again in NumPy and scikit-image", _rise),
    CamMethod.INTEGRATED_GRADIENTS: ("Captum", _integrated),
    CamMethod.SMOOTHGRAD: ("Captum's Saliency of the same noisy copies", _smoothgrad),
    CamMethod.MEANINGFUL_PERTURBATION: ("its objective, in NumPy and float64", _perturbation),
    CamMethod.ATTENTION_ROLLOUT: ("attention that transformers returns, by the formula in float64", _rollout),
}
