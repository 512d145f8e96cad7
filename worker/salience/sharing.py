"""Methods that make their maps of the same pairs (activation, gradient): the passes of one are those of all."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass

from torch import Tensor

from worker.salience.draws import UNNAMED, Draws
from worker.salience.explainer import Explainer, Explanation, PairExplainer


@dataclass(frozen=True, eq=False)
class Together:
    """Methods on one network at one layer."""

    methods: tuple[PairExplainer, ...]

    def explain(self, images: Tensor, target: Tensor | None) -> tuple[Explanation, ...]:
        """One a method, of one pass."""
        return self.methods[0].explain_by(self.methods, images, target)


class SharingExplainer:
    """One of them, at ``place``. What it alone is asked for is a pass of its own."""

    def __init__(self, together: Together, place: int) -> None:
        self.together = together
        self.place = place
        self._own = together.methods[place]
        self.decisions = self._own.decisions
        self.stride = self._own.stride

    def explain(self, images: Tensor, target: Tensor | None, draws: Draws = UNNAMED) -> Explanation:
        return self._own.explain(images, target, draws)

    def logits(self, images: Tensor) -> Tensor:
        """(N, C) by class, whichever is explained."""
        return self._own.logits(images)


def sharing(explainers: Iterable[tuple[Hashable, Explainer]]) -> tuple[Explainer, ...]:
    """In the same order; those of one owner, a network at a layer, share its passes where their methods can."""
    of_owner: dict[Hashable, list[PairExplainer]] = {}
    asked = list(explainers)
    for owner, explainer in asked:
        if isinstance(explainer, PairExplainer):
            of_owner.setdefault(owner, []).append(explainer)
    together = {owner: Together(tuple(methods)) for owner, methods in of_owner.items() if len(methods) > 1}
    return tuple(
        SharingExplainer(together[owner], of_owner[owner].index(explainer))
        if isinstance(explainer, PairExplainer) and owner in together
        else explainer
        for owner, explainer in asked
    )
