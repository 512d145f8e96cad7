"""ReciproCAM: the head alone, on the feature map with one cell left, once for every cell.

Byun and Lee 2022, arXiv 2209.14074, with masks of one cell: a cell is as salient as the class's score from it alone,
softmax over the classes (of one logit or independent labels: sigmoid). There is no gradient in it.
"""

import torch
from torch import Tensor

from app.domain.maps.cam_methods import changed_at_once
from app.domain.vocabulary import ClassScore
from worker.salience.draws import UNNAMED, Draws
from worker.salience.explainer import Cuttable, Explanation
from worker.salience.signs_of_life import give_sign_of_life


class ReciproExplainer:
    """Maps (N, h, w), image by image: masked maps of one go through the head together."""

    def __init__(self, network: Cuttable) -> None:
        self.decisions = network.decisions
        self.stride = network.stride
        self._network = network

    def explain(self, images: Tensor, target: Tensor | None, draws: Draws = UNNAMED) -> Explanation:
        del draws
        chosen = [None] * len(images) if target is None else target.tolist()
        found = [self._explain(images[place : place + 1], one) for place, one in enumerate(chosen)]
        logits = torch.cat([each for each, _ in found])
        return Explanation(logits, logits.argmax(1), torch.stack([map_ for _, map_ in found]))

    def logits(self, images: Tensor) -> Tensor:
        """Each in the company of its first masked maps, since the head's last bits depend on how many there are."""
        with torch.no_grad():
            return torch.cat([self._network.run(image, _Masks().next)[:1] for image in torch.split(images, 1)])

    def _explain(self, image: Tensor, chosen: int | None) -> tuple[Tensor, Tensor]:
        """Logits (1, C) and the map (h, w), whose lowest cell is zero: the scores may lie close together, and what
        tells them apart must not be lost where they become float32.
        """
        masks = _Masks()
        parts = []
        with torch.no_grad():
            while masks.left:
                give_sign_of_life()
                parts.append(self._network.run(image, masks.next))
        logits = torch.cat(parts)
        scores = self.decisions.class_scores(logits[1:], ClassScore.SOFTMAX)
        of_class = scores[:, int(logits[0].argmax()) if chosen is None else chosen]
        return logits[:1], (of_class - of_class.min()).float().view(masks.sides)


class _Masks:
    """The whole feature map first, then each of its cells alone, as many at a time as memory should hold."""

    def __init__(self) -> None:
        self.sides = (0, 0)
        self.left = 1
        self._done = 0

    def next(self, features: Tensor) -> Tensor:
        """From (1, K, h, w) the next (M, K, h, w)."""
        channels, height, width = features.shape[1:]
        self.sides = (height, width)
        total = 1 + height * width
        stop = min(total, self._done + changed_at_once(channels, height * width))
        numbers = torch.arange(self._done, stop, device=features.device).view(-1, 1)
        cells = (numbers == torch.arange(1, total, device=features.device)) | (numbers == 0)
        self._done, self.left = stop, total - stop
        return features * cells.view(-1, 1, height, width).to(features.dtype)
