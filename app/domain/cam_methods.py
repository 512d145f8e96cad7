"""The CAM methods, but for their arithmetic: what each is, who computes it and what a map costs.

A new one is a member of ``CamMethod``, a line here, and a line in `worker.salience` or `worker.salience.library`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from app.domain.vocabulary import CamMethod

_ONE_PAIR = "From one captured activation and gradient: about the price of a forward pass."
_LIBRARY = "By the library, image by image: several times the price of a forward pass."
_CHANNELS = "One forward pass for every channel of the target layer and every image."


def _one(channels: int) -> int:
    del channels
    return 1


@dataclass(frozen=True, kw_only=True)
class CamMethodSpec:
    """A method's page.

    ``passes`` are the images that go forward through a model for one map, by the target layer's channels.
    ``is_timed``: the probe of a model measures its kind of pass, so that its cost can be told beforehand.
    """

    note: str = _ONE_PAIR
    from_library: bool = False
    """Whether pytorch-grad-cam computes it; most others come from one captured pair at the price of a forward."""
    from_head: bool = False
    """Whether it asks what is behind the target layer alone, and no gradient."""
    at_input_resolution: bool = False
    """Whether its maps are as large as the image rather than as the target layer."""
    passes: Callable[[int], int] = _one
    is_timed: bool = True

    @property
    def computed_by(self) -> str:
        return "pytorch-grad-cam" if self.from_library else "salience-audit"


_BY_LIBRARY = CamMethodSpec(note=_LIBRARY, from_library=True)

CAM_METHODS: dict[CamMethod, CamMethodSpec] = {
    CamMethod.GRADCAM: CamMethodSpec(),
    CamMethod.GRADCAM_PLUS_PLUS: CamMethodSpec(),
    CamMethod.HIRESCAM: CamMethodSpec(),
    CamMethod.XGRADCAM: CamMethodSpec(),
    CamMethod.LAYERCAM: CamMethodSpec(),
    CamMethod.EIGENCAM: CamMethodSpec(),
    CamMethod.EIGENGRADCAM: _BY_LIBRARY,
    CamMethod.SEG_EIGENCAM: _BY_LIBRARY,
    CamMethod.KPCA_CAM: _BY_LIBRARY,
    CamMethod.GRADCAM_ELEMENTWISE: _BY_LIBRARY,
    CamMethod.FEM: _BY_LIBRARY,
    CamMethod.SHAPLEYCAM: _BY_LIBRARY,
    CamMethod.SCORECAM: CamMethodSpec(note=_CHANNELS, from_library=True, passes=lambda channels: 1 + channels),
    CamMethod.ABLATIONCAM: CamMethodSpec(note=_CHANNELS, from_library=True, passes=lambda channels: 2 + channels),
    CamMethod.FULLGRAD: CamMethodSpec(
        note="From all layers with a bias; its maps are as large as the image, and so is what is stored.",
        from_library=True,
        at_input_resolution=True,
        is_timed=False,
    ),
    CamMethod.RECIPROCAM: CamMethodSpec(
        note="One forward pass for every image, and the layers behind the target layer once more for every cell.",
        from_head=True,
        is_timed=False,
    ),
}
