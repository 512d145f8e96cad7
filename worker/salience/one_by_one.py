"""Methods that send many variants of an image through the network: image by image, so that memory is bounded by a few
variants and a map does not depend on its batch.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from worker.salience.decisions import Decisions
from worker.salience.draws import UNNAMED, Draws
from worker.salience.explainer import Cuttable, Explanation
from worker.salience.signs_of_life import give_sign_of_life

VARIANTS = 16
"""That go through the network at a time."""


@dataclass(frozen=True)
class Case:
    """One image to explain.

    ``image`` (1, C, H, W) normalised, its ``features`` (1, K, h, w) at the target layer, its ``logits`` (1, C) by class
    and the class that is ``chosen``; ``stream`` is what the method may draw from.
    """

    network: Cuttable
    image: Tensor
    features: Tensor
    logits: Tensor
    chosen: int
    stream: np.random.Generator

    def logits_of(self, variants: Tensor) -> Tensor:
        """(M, classes) of ``variants`` (M, C, H, W)."""
        give_sign_of_life()
        return self.network.run(variants, unchanged)

    def scores(self, variants: Tensor) -> Tensor:
        """(M,) of the chosen class: its logits for ``variants`` (M, C, H, W)."""
        return self.logits_of(variants)[:, self.chosen]

    def scores_behind(self, change: Callable[[Tensor], Tensor]) -> Tensor:
        """(M,) of the chosen class, where ``change`` made (M, K, h, w) of the image's ``features``."""
        give_sign_of_life()
        return self.network.run(self.image, change)[:, self.chosen]

    def drawn(self, *shape: int) -> Tensor:
        """Standard normal float32: the next of the stream, made on the host, so that every device gets the same."""
        return torch.from_numpy(self.stream.standard_normal(shape, np.float32)).to(self.image.device)


class OneByOneExplainer:
    """``make_map`` gives the raw map (h, w) of a case; ``name`` tells its streams from those of other methods."""

    def __init__(self, network: Cuttable, name: str, make_map: Callable[[Case], Tensor]) -> None:
        self.decisions: Decisions = network.decisions
        self.stride = network.stride
        self._network = network
        self._name = name
        self._make_map = make_map

    def explain(self, images: Tensor, target: Tensor | None, draws: Draws = UNNAMED) -> Explanation:
        cases, maps = [], []
        with torch.no_grad():
            for place in range(len(images)):
                chosen = None if target is None else int(target[place])
                case = self._case(images[place : place + 1], chosen, draws.stream(place, self._name))
                maps.append(self._make_map(case))
                cases.append(case.logits)
        logits = torch.cat(cases)
        return Explanation(logits, logits.argmax(1), torch.stack(maps))

    def logits(self, images: Tensor) -> Tensor:
        """One pass an image."""
        with torch.no_grad():
            return torch.cat([self._network.run(image, unchanged) for image in torch.split(images, 1)])

    def _case(self, image: Tensor, chosen: int | None, stream: np.random.Generator) -> Case:
        seen: list[Tensor] = []

        def keep(arriving: Tensor) -> Tensor:
            seen.append(arriving.clone())
            return arriving

        logits = self._network.run(image, keep)
        wanted = int(logits[0].argmax()) if chosen is None else chosen
        return Case(self._network, image, seen[-1], logits, wanted, stream)


def unchanged(arriving: Tensor) -> Tensor:
    return arriving


def parts(count: int, size: int = VARIANTS) -> Iterator[slice]:
    """Of ``count`` variants."""
    return (slice(start, min(start + size, count)) for start in range(0, count, size))
