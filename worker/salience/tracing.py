"""One watched forward pass: which layers are spatial, which tensor enters the last global pooling, what is in place."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from app.domain.models.input_size import InputSize, size_of
from app.domain.vocabulary import Layout
from worker.salience.calls import SOFTMAXES
from worker.salience.families import default_layer, family_of
from worker.salience.traced_layers import Layer, down_sampling
from worker.salience.watching import Event, Row, Watch, row_of, tensor_put_out, version_of


class Place(NamedTuple):
    """Where in a pass a tensor is to be found: it is what a module put out, ``calls`` None, or the first argument of
    the call that comes so many calls on feature maps after it. ``module`` None counts from the beginning.
    """

    module: str | None
    calls: int | None = None


@dataclass(frozen=True)
class Trace:
    """What one forward pass showed.

    ``collapse`` is the place of the tensor that enters the last call that takes a feature map and leaves it no spatial
    extent; None where there is none, or where more feature maps come after it: that was a gate's pooling.
    ``collapse_layer`` describes it, named after the outermost module that made it. It is no module's output any more
    where it was written to since (DenseNet's last ReLU, in place).
    ``family_layer`` is the name of the default layer where a table of families has one, instead of the collapse, and
    ``family_layouts`` how it may lie there.
    ``rows`` are numbers that tell the first image's part of each layer, and of the target under ``TARGET``.
    ``final_activation`` is the name of the softmax or sigmoid that made the output, if one did.
    ``own_modes`` says that a module was left while a function mode of the model's own was on.
    """

    output: Any
    layers: tuple[Layer, ...]
    collapse: Place | None
    collapse_layer: Layer | None
    in_place: tuple[str, ...]
    final_activation: str | None
    own_modes: bool
    family_layer: str | None = None
    family_layouts: frozenset[Layout] = frozenset()
    rows: Mapping[str, Row] = field(default_factory=dict, repr=False, compare=False)

    @property
    def final_softmax(self) -> bool:
        return self.final_activation in SOFTMAXES

    def stride(self, layer: Layer, input_size: InputSize) -> tuple[int, int]:
        """Pixels (down, right) by which an image must move for this layer's map to move by one cell.

        The product of all down-sampling on the way, each step rounded to the whole number that it is: a layer without
        padding loses a cell or two beside it (Inception's 299 pixels become 8 cells of 32). Where the sizes on the way
        do not tell, the image is shared out among the cells.
        """
        height, width = size_of(input_size)
        return (
            down_sampling([one.height for one in self.layers], layer.height, height),
            down_sampling([one.width for one in self.layers], layer.width, width),
        )


TARGET = ""
"""The name of the target in ``Trace.rows``: no module's."""


def trace(module: nn.Module, images: Tensor) -> Trace:
    """Run ``module``, in eval mode, on (N, 3, H, W) float images and watch every call that torch sees."""
    watch = Watch(len(images))
    handles = [part.register_forward_hook(_remember(name, watch)) for name, part in module.named_modules() if name]
    try:
        with evaluating(tuple(module.modules())), torch.no_grad(), watch:
            output = module(images)
    finally:
        for handle in handles:
            handle.remove()
    return _read(module, output, watch)


@contextmanager
def evaluating(parts: Sequence[nn.Module]) -> Iterator[None]:
    """Eval mode for the block, of a module and all its parts, itself first; each gets its mode back, whatever happens.

    To go through the tree of two hundred takes half a millisecond, so that who passes often keeps the list.
    """
    training = [part for part in parts if part.training]
    if training:
        parts[0].eval()
    try:
        yield
    finally:
        for part in training:
            part.training = True


def _remember(name: str, watch: Watch) -> Callable[[nn.Module, Any, Any], None]:
    def hook(_module: nn.Module, _inputs: Any, output: Any) -> None:
        if (tensor := tensor_put_out(output)) is not None:
            watch.note_output(name, tensor)

    return hook


def _read(module: nn.Module, output: Any, watch: Watch) -> Trace:
    layers, rows = _layers(watch)
    collapse = None if watch.collapse is None or not _is_last(watch.collapse, watch) else watch.collapse
    place = None if collapse is None else _place(collapse, watch)
    collapse_layer = None
    if collapse is not None and place is not None:
        rows[TARGET] = row_of(collapse.tensor)
        makers = [event.name for event in watch.made if event.tensor is collapse.tensor and event.name]
        found = watch.arrangement(collapse.tensor)
        collapse_layer = None if found is None else Layer.of((makers or ["(functional)"])[-1], collapse.tensor, found)
    modules = [name for name, part in module.named_modules() if getattr(part, "inplace", False)]
    family = family_of(module)
    return Trace(
        output=output,
        layers=tuple(layers.values()),
        collapse=place,
        collapse_layer=collapse_layer,
        in_place=(*modules, *watch.in_place),
        final_activation=watch.activated[1] if watch.activated and output is watch.activated[0] else None,
        own_modes=watch.own_modes,
        family_layer=None if family is None else default_layer(module, family),
        family_layouts=family.layouts if family else frozenset(),
        rows=rows,
    )


def _layers(watch: Watch) -> tuple[dict[str, Layer], dict[str, Row]]:
    """Modules whose output holds a feature map, and its row. Of one that is called again in a pass the last output
    counts; where the outputs lie in other ways, none.
    """
    layers: dict[str, Layer] = {}
    rows: dict[str, Row] = {}
    unlike = set()
    for event in watch.made:
        found, name = watch.arrangement(event.tensor), event.name or ""
        if found is None or event.row is None:
            continue
        layer = Layer.of(name, event.tensor, found)
        if name in layers and Layout.NCHW is not layer.layout and layers[name] != layer:
            unlike.add(name)
        layers[name], rows[name] = layer, event.row
    return {name: layer for name, layer in layers.items() if name not in unlike}, rows


def _is_last(collapse: Event, watch: Watch) -> bool:
    """Whether it is a feature map of every image, and no other feature map is worked on after it."""
    if watch.outlived or watch.arrangement(collapse.tensor) is None or len(collapse.tensor) != watch.images:
        return False
    later = (event.tensor for event in watch.worked_on if event.calls > collapse.calls)
    return all(tensor is collapse.tensor or watch.arrangement(tensor) is None for tensor in later)


def _place(collapse: Event, watch: Watch) -> Place | None:
    """From the last module that put the tensor out before it was taken; else, or where that is called again in a pass,
    from the beginning. The first call that takes it as it is at the collapse counts: there may be other poolings.

    A map that is no NCHW is taken where a module puts it out.
    """
    taken = (event for event in watch.taken if event.tensor is collapse.tensor and event.version == collapse.version)
    found = watch.arrangement(collapse.tensor)
    is_nchw = found is not None and found.layout is Layout.NCHW
    first = next(taken).calls if is_nchw else len(watch.taken)
    for event in reversed(watch.made) if not watch.own_modes or not is_nchw else ():
        is_maker = event.tensor is collapse.tensor and event.calls <= first
        if is_maker and sum(other.name == event.name for other in watch.made) == 1:
            if is_nchw:
                return Place(event.name, None if event.version == collapse.version else first - event.calls)
            if event.version == collapse.version == version_of(collapse.tensor):
                return Place(event.name)
    return Place(None, first) if is_nchw else None
