"""Where salience is taken in 90 networks with tokens, NHWC or NCHW, and one map of each against autograd by hand.

    python -m benchmarks.layouts [NAME ...]      one line a network
    python -m benchmarks.layouts --write         all of them, and the table of docs/layouts.md

The map by hand is the whole network's in double precision, every gradient of it, turned by what the row says; it may
differ from ours by 2e-5, or by twice what single precision loses there, up to 2e-4. A map whose cells are all but equal
proves nothing, and counts as wrong. Networks are made with random weights and small images, so that each takes a second
or two.
"""

import re
import sys
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from app.domain.vocabulary import CamMethod, Layout
from app.errors import InputFailure
from benchmarks.layout_networks import Subject, subjects
from benchmarks.layout_weights import CLASSES, made
from worker.functional.quantization import min_max
from worker.salience import make_explainer
from worker.salience.hook import TargetHook
from worker.salience.traced_layers import Layer
from worker.salience.watching import tensor_put_out
from worker.weights.probe import probe

TOLERANCE, LOSS = 2e-5, 2e-4
CONTRAST = 1e-3
SPREADS = (0.02, 0.1)
PAGE = Path(__file__).parents[1] / "docs" / "layouts.md"
TABLE = "| family | library | networks | default layer | layout | peer | largest difference | the peer's in float32 |\n"
RULE = "| --- | --- | --- | --- | --- | --- | --- | --- |\n"
PEER = "autograd by hand, float64"
_NUMBER = re.compile(r"(?<=\.)\d+(?=\.|$)|(?<=layer_)\d+")


@dataclass(frozen=True)
class Found:
    """What came of one network: its layer, or why there is none; how far its map is from the one by hand, and how far
    one by hand in single precision is.
    """

    subject: Subject
    layer: Layer | None
    problem: str = ""
    difference: float | None = None
    rounding: float = 0.0

    @property
    def is_wrong(self) -> bool:
        allowed = min(max(TOLERANCE, 2 * self.rounding), LOSS)
        return self.difference is None or self.difference > allowed

    @property
    def line(self) -> str:
        layer = self.layer
        place = self.problem if layer is None else f"{layer.name:42} {layout_of(layer)}, {layer.height} x {layer.width}"
        told = "-" if self.difference is None else f"{self.difference:.1e} ({self.rounding:.1e})"
        return f"{self.subject.label:44} {place:66} {told:18} {'WRONG' if self.is_wrong else ''}"


def layout_of(layer: Layer) -> str:
    return f"{layer.layout} + {layer.prefix_tokens}" if layer.prefix_tokens else str(layer.layout)


def by_hand(network: nn.Module, layer: Any, images: Tensor, classes: Tensor) -> Tensor:
    """Grad-CAM (N, h, w) in the precision of the network: a hook, a whole backward pass, and a turn to NCHW."""
    kept: list[Tensor] = []

    def keep(_module: nn.Module, _inputs: Any, output: Any) -> None:
        kept[:] = [one for one in [tensor_put_out(output)] if one is not None]

    handle = network.get_submodule(layer.name).register_forward_hook(keep)
    logits = network(images.clone())
    handle.remove()
    gradient = torch.autograd.grad(logits.gather(1, classes.view(-1, 1)).sum(), kept[0])[0]
    activation, gradient = (turned(one.detach(), layer) for one in (kept[0], gradient))
    return (activation * gradient.mean((2, 3), keepdim=True)).sum(1).relu()


def turned(output: Tensor, layer: Any) -> Tensor:
    """As reshape_transform of pytorch-grad-cam is written."""
    if layer.layout is Layout.NCHW:
        return output
    if layer.layout is Layout.TOKENS:
        cells = output[:, layer.prefix_tokens :, :]
        output = cells.reshape(len(output), layer.height, layer.width, cells.shape[-1])
    return output.transpose(2, 3).transpose(1, 2)


def look(subject: Subject) -> Found:
    """Of weights near the published start, or further from it where those give maps without contrast."""
    found = Found(subject, None, "never tried")
    for spread in SPREADS:
        found = look_at(made(subject, spread), subject)
        if found.difference is not None:
            break
    return found


def look_at(network: nn.Module, subject: Subject) -> Found:
    size = subject.size
    try:
        probed = probe(network, input_size=size, target_layer=None)
    except InputFailure as refusal:
        return Found(subject, None, f"refused: {refusal.code}")
    layer = next((one for one in probed.candidate_layers if one.name == probed.target_layer), None)
    if layer is None:
        return Found(subject, None, f"{probed.target_layer}: no module's output")
    images = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(2))
    explainer = make_explainer(CamMethod.GRADCAM, TargetHook(network, input_size=size))
    for chosen in range(CLASSES):  # of random weights, some class speaks of no cell
        classes = torch.full((2,), chosen)
        exact = by_hand(deepcopy(network).double(), layer, images.double(), classes)
        if has_contrast(exact):
            break
    else:
        return Found(subject, layer, "a constant map")
    precise = min_max(exact)[0]
    rounding = float((min_max(by_hand(network, layer, images, classes))[0].double() - precise).abs().max())
    ours = min_max(explainer.explain(images, classes).maps)[0]
    return Found(subject, layer, "", float((ours.double() - precise).abs().max()), rounding)


def has_contrast(maps: Tensor) -> bool:
    """Whether the cells of every map differ by more than rounding does."""
    return bool((maps.amax((1, 2)) - maps.amin((1, 2)) > CONTRAST * maps.amax((1, 2))).all())


def rows(results: list[Found]) -> str:
    """The table: families of one library and one layer, but for its numbers, share a row."""
    table: dict[tuple[str, str, str], list[Found]] = {}
    for one in results:
        layer = one.problem if one.layer is None else _NUMBER.sub("N", one.layer.name)
        table.setdefault((one.subject.family, one.subject.library, layer), []).append(one)
    return "".join(_row(*key, found) for key, found in table.items())


def _row(family: str, library: str, layer: str, found: list[Found]) -> str:
    layouts = ", ".join(dict.fromkeys(layout_of(one.layer) for one in found if one.layer is not None))
    names = ", ".join(f"`{one.subject.name}`" for one in found)
    worst = max(found, key=lambda one: one.difference or 0.0)
    numbers = f"{worst.difference or 0.0:.0e} | {worst.rounding:.0e}"
    return f"| {family} | {library} | {names} | `{layer}` | {layouts} | {PEER} | {numbers} |\n"


def main() -> int:
    asked = sys.argv[1:]
    writes = asked == ["--write"]
    listed = {subject.label: subject for subject in subjects()}
    results = []
    for name in listed if writes or not asked else asked:
        results.append(look(listed[name]))
        print(results[-1].line, flush=True)
    wrong = sum(found.is_wrong for found in results)
    print(f"{len(results)} networks, {wrong} wrong")
    if writes:
        words, _, _ = PAGE.read_text().partition(TABLE)
        PAGE.write_text(words + TABLE + RULE + rows(results))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
