"""One probe batch through an uploaded model: what it puts out and where its salience can be taken."""

from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import torch
from torch import Tensor, nn

from app.domain.models.input_size import InputSize, size_of
from app.domain.models.outputs import CLASSES, Output
from app.domain.vocabulary import CamMethod, OutputKind
from app.errors import InputFailure
from worker.machine.shortage import is_gpu_shortage, is_shortage
from worker.salience.hook import TargetHook
from worker.salience.input_channels import input_channels
from worker.salience.preconditions import NotPossible
from worker.salience.traced_layers import Layer
from worker.salience.tracing import TARGET, Trace, trace
from worker.salience.watching import Row

PROBE_IMAGES = 2
PROBE_SEED = 20_230
SAME_ROW = 1e-4
"""Of a row's size: so far may sums over it differ between batches."""


@dataclass(frozen=True)
class ModelProbe:
    """What the model's resource shows."""

    classes: int
    parameter_count: int
    target_layer: str
    map_channels: int
    map_height: int
    map_width: int
    candidate_layers: tuple["ProbedLayer", ...]
    in_place_operations: tuple[str, ...]
    final_softmax: bool
    cam_methods: tuple[CamMethod, ...]
    """Those that can explain it at its target layer."""

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class ProbedLayer(Layer):
    """A layer, and the CAM methods that cannot explain the model there."""

    not_possible: tuple[CamMethod, ...] = ()

    @classmethod
    def with_methods(cls, layer: Layer, not_possible: tuple[CamMethod, ...]) -> Self:
        return cls(**asdict(layer), not_possible=not_possible)


def probe(
    module: nn.Module,
    *,
    input_size: InputSize,
    target_layer: str | None,
    output: Output = CLASSES,
) -> ModelProbe:
    """Raises InputFailure ``model-output-mismatch`` or ``target-layer-not-found``."""
    generator = torch.Generator().manual_seed(PROBE_SEED)
    images = torch.randn(PROBE_IMAGES, input_channels(module), *size_of(input_size), generator=generator)
    try:
        traced = trace(module, images)
    except (RuntimeError, ValueError, AssertionError, TypeError) as error:
        if is_gpu_shortage(error) or is_shortage(error):
            raise
        detail = f"The model cannot take images of {size_of(input_size)} pixels: {str(error)[:200]}"
        raise InputFailure("model-output-mismatch", detail) from error
    numbers = checked_output(traced.output, output.kind).shape[1]
    traced = _with_own_layers(module, images, traced)
    hook = TargetHook(module, input_size=input_size, target_layer=target_layer, output=output, traced=traced)
    layer = hook.layer
    refused = NotPossible.of(hook, traced.layers)
    return ModelProbe(
        classes=output.classes_of(numbers),
        parameter_count=sum(parameter.numel() for parameter in module.parameters()),
        target_layer=layer.name,
        map_channels=layer.channels,
        map_height=layer.height,
        map_width=layer.width,
        candidate_layers=tuple(ProbedLayer.with_methods(each, refused.at_layers[each.name]) for each in traced.layers),
        in_place_operations=traced.in_place,
        final_softmax=traced.final_softmax,
        cam_methods=tuple(method for method in CamMethod if method not in refused.at_target),
    )


def _with_own_layers(module: nn.Module, images: Tensor, traced: Trace) -> Trace:
    """Layers whose row of an image is that image's alone: the first image among other ones, and one more of them.

    Windows, tokens of several images in one row, or a norm over the batch would make maps that depend on neighbours.
    """
    generator = torch.Generator().manual_seed(PROBE_SEED + 1)
    others = torch.randn(PROBE_IMAGES, *images.shape[1:], generator=generator)
    again = trace(module, torch.cat([images[:1], others]))
    own = {name for name, row in traced.rows.items() if is_alike(row, again.rows.get(name))}
    layers = tuple(layer for layer in traced.layers if layer.name in own)
    if TARGET in own:
        return replace(traced, layers=layers)
    return replace(traced, layers=layers, collapse=None, collapse_layer=None)


def is_alike(row: Row, other: Row | None) -> bool:
    """Batches of two sizes differ in the last bits alone; sums of positive and negative numbers lose more of them."""
    return other is not None and all(abs(a - b) <= SAME_ROW * max(row[1:]) for a, b in zip(row, other, strict=True))


_WANTED = {OutputKind.CLASSES: "classes >= 2", OutputKind.BINARY: "1", OutputKind.MULTILABEL: "labels"}
_ONE_LOGIT = (
    ' For a network with one logit send "output": {"kind": "binary"} and two class_names, the negative one first.'
)
_NOT_BINARY = (
    ' A binary model has one logit. Where these are one logit a class, register the model again, leave "output" out '
    "and send {outputs} class_names in their order, or none. Where they are independent labels, send "
    '"output": {{"kind": "multilabel"}}.'
)


def checked_output(output: Any, kind: OutputKind) -> Tensor:
    """What a network gave for ``PROBE_IMAGES`` images. Raises InputFailure ``model-output-mismatch``."""
    if not isinstance(output, Tensor):
        raise _mismatch(f"a {type(output).__name__}", kind)
    if output.dim() != 2 or output.shape[0] != PROBE_IMAGES or output.shape[1] == 0:
        raise _mismatch(f"a tensor of shape {list(output.shape)}", kind)
    if kind is OutputKind.CLASSES and output.shape[1] == 1:
        raise _mismatch(f"a tensor of shape {list(output.shape)}", kind, _ONE_LOGIT)
    if kind is OutputKind.BINARY and output.shape[1] > 1:
        raise _mismatch(f"a tensor of shape {list(output.shape)}", kind, _NOT_BINARY.format(outputs=output.shape[1]))
    if output.dtype is not torch.float32:
        raise _mismatch(f"numbers of type {output.dtype}", kind)
    if not bool(torch.isfinite(output).all()):
        raise _mismatch("numbers that are not finite", kind)
    return output


def _mismatch(found: str, kind: OutputKind, way_out: str = "") -> InputFailure:
    wanted = f"[{PROBE_IMAGES}, {_WANTED[kind]}] of float32"
    detail = f"For {PROBE_IMAGES} images the model gave {found}, not {wanted}.{way_out}"
    return InputFailure("model-output-mismatch", detail)
