"""The CAM methods, but for their arithmetic: what each is, who computes it and what a map costs.

A new one is a member of ``CamMethod``, a line here, and a line in `worker.salience` or `worker.salience.library`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

from app.domain.vocabulary import CamMethod

_ONE_PAIR = "From one captured activation and gradient: about the price of a forward pass."
_LIBRARY = "By the library, image by image: several times the price of a forward pass."

DEFAULT_MASKS = 4000
"""Of RISE, an image: as its authors had for their smaller network."""
_PIXELS = "Its maps are as large as the image, and so is what is stored."
_THERE_AND_BACK = 3.0
"""A gradient goes back through all layers: 2.5, 2.8 and 2.2 passes of ResNet-18, DenseNet-121 and ViT-Tiny on a CPU."""


HEAD_NUMBERS = 2**24
"""Of changed feature maps that go through the layers behind the target layer at a time: 64 MiB."""


def changed_at_once(channels: int, cells: int) -> int:
    """How many feature maps of that size those are."""
    return max(1, HEAD_NUMBERS // (channels * cells))


def _one(_channels: int, _cells: int) -> int:
    return 1


@dataclass(frozen=True, kw_only=True)
class CamMethodSpec:
    """A method's page.

    ``passes`` are the images that go forward through a model for one map, by the target layer's channels and cells;
    each of ``masks`` is one more. ``heads`` are the changed feature maps that go through the layers behind it alone.
    """

    note: str = _ONE_PAIR
    from_library: bool = False
    """Whether pytorch-grad-cam computes it; most others come from one captured pair at the price of a forward."""
    draws: bool = False
    """Whether its maps depend on random numbers, of a stream for each seed and sample."""
    at_input_resolution: bool = False
    """Whether its maps are as large as the image rather than as the target layer."""
    passes: Callable[[int, int], int] = _one
    of_one_pair: bool = False
    """Whether an activation and its gradient are all that it needs: such methods share the passes of one model."""
    image_by_image: bool = False
    """Whether each image goes through the model without others, so that a short batch is not filled up."""
    heads: Callable[[int, int], int] | None = None
    cost_of_pass: float = 1.0
    """In passes of the kind that the probe measures, where this method's are another one."""
    adds_bias_maps: bool = False
    """Whether a map of every channel with a bias is enlarged to the image, on the host, which no pass is."""
    refused: str | None = None
    """Why it is not possible for a network of another form than it supposes; None: every network has it."""

    @property
    def runs_the_head(self) -> bool:
        """Whether the layers behind the target layer are passed for every cell or channel."""
        return self.heads is not None

    @property
    def computed_by(self) -> str:
        return "pytorch-grad-cam" if self.from_library else "salience-audit"


_OF_ONE_PAIR = CamMethodSpec(of_one_pair=True)
_BY_LIBRARY = CamMethodSpec(note=_LIBRARY, from_library=True)

CAM_METHODS: dict[CamMethod, CamMethodSpec] = {
    CamMethod.GRADCAM: _OF_ONE_PAIR,
    CamMethod.GRADCAM_PLUS_PLUS: _OF_ONE_PAIR,
    CamMethod.HIRESCAM: _OF_ONE_PAIR,
    CamMethod.XGRADCAM: _OF_ONE_PAIR,
    CamMethod.LAYERCAM: _OF_ONE_PAIR,
    CamMethod.EIGENCAM: _OF_ONE_PAIR,
    CamMethod.EIGENGRADCAM: _BY_LIBRARY,
    CamMethod.SEG_EIGENCAM: _BY_LIBRARY,
    CamMethod.KPCA_CAM: _BY_LIBRARY,
    CamMethod.GRADCAM_ELEMENTWISE: _BY_LIBRARY,
    CamMethod.FEM: _BY_LIBRARY,
    CamMethod.SHAPLEYCAM: _BY_LIBRARY,
    CamMethod.SCORECAM: CamMethodSpec(
        note="One forward pass for every channel of the target layer and every image.",
        image_by_image=True,
        passes=lambda channels, _: 1 + channels,
    ),
    CamMethod.ABLATIONCAM: CamMethodSpec(
        note="The layers behind the target layer once more for every channel of an image; those before it once, and "
        "once for as many channels as 64 MiB hold.",
        image_by_image=True,
        passes=lambda channels, cells: 1 + ceil(channels / changed_at_once(channels, cells)),
        heads=lambda channels, _: channels,
    ),
    CamMethod.FULLGRAD: CamMethodSpec(
        note="From all layers with a bias; its maps are as large as the image, and so is what is stored.",
        from_library=True,
        at_input_resolution=True,
        cost_of_pass=_THERE_AND_BACK,
        adds_bias_maps=True,
        refused="a convolution or batch norm with a bias is passed more than once, in another order, or not at all",
    ),
    CamMethod.RECIPROCAM: CamMethodSpec(
        note="The layers behind the target layer once more for every cell of an image; those before it once for as "
        "many cells as 64 MiB hold.",
        passes=lambda channels, cells: ceil((1 + cells) / changed_at_once(channels, cells)),
        heads=lambda _, cells: 1 + cells,
        image_by_image=True,
    ),
    CamMethod.CAM: CamMethodSpec(
        of_one_pair=True,
        note="From one captured activation and gradient; of networks that end in a pooling and one linear layer alone.",
        refused="behind its target layer there is more than a mean over all cells and one linear layer",
    ),
    CamMethod.SMOOTH_GRADCAM_PLUS_PLUS: CamMethodSpec(
        note="Four noisy copies beside every image: five times the price of a forward pass.",
        passes=lambda _channels, _cells: 5,
        draws=True,
    ),
    CamMethod.SSCAM: CamMethodSpec(
        image_by_image=True,
        note="35 forward passes for every channel of the target layer and every image: hours for a hundred images.",
        passes=lambda channels, _: 1 + 35 * channels,
        draws=True,
    ),
    CamMethod.ISCAM: CamMethodSpec(
        image_by_image=True,
        note="Ten forward passes for every channel of the target layer and every image, with TorchCAM's factors.",
        passes=lambda channels, _: 1 + 10 * channels,
    ),
    CamMethod.OCCLUSION: CamMethodSpec(
        image_by_image=True,
        note="One forward pass for every cell of the target layer's grid and every image.",
        passes=lambda _, cells: 1 + cells,
    ),
    CamMethod.INTEGRATED_GRADIENTS: CamMethodSpec(
        image_by_image=True,
        note=f"50 passes there and back for every image. {_PIXELS}",
        at_input_resolution=True,
        passes=lambda _channels, _cells: 1 + 50,
        cost_of_pass=_THERE_AND_BACK,
    ),
    CamMethod.SMOOTHGRAD: CamMethodSpec(
        image_by_image=True,
        note=f"25 passes there and back for every image. {_PIXELS}",
        at_input_resolution=True,
        passes=lambda _channels, _cells: 1 + 25,
        cost_of_pass=_THERE_AND_BACK,
        draws=True,
    ),
    CamMethod.ATTENTION_ROLLOUT: CamMethodSpec(
        note="From the attention of all blocks, about the price of a forward pass; of transformers such as ViT alone, "
        "and the same for every class.",
        refused="it does not attend over all tokens of its grid in every block, by torch's own attention, as ViT, DeiT "
        "and BEiT do",
    ),
    CamMethod.RISE: CamMethodSpec(
        image_by_image=True,
        note=f"One forward pass for every random mask (`masks`, 4,000 by default) and every image. {_PIXELS}",
        at_input_resolution=True,
        draws=True,
    ),
    CamMethod.MEANINGFUL_PERTURBATION: CamMethodSpec(
        image_by_image=True,
        note=f"300 passes there and back for every image, one after the other. {_PIXELS}",
        at_input_resolution=True,
        passes=lambda _channels, _cells: 1 + 300 + 36,  # 36 go forwards alone, to find where to begin
        cost_of_pass=_THERE_AND_BACK,
        draws=True,
    ),
}

_OF_GRAPHS = "of an ONNX graph there are no gradients but those of a linear layer behind a pooling"


def why_not(method: CamMethod, *, is_graph: bool) -> str:
    """Why a method is not possible for a model whose probe says so."""
    return _OF_GRAPHS if is_graph else CAM_METHODS[method].refused or ""
