"""Which CAM methods suppose another form of network than a model has, at each of its layers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from app.domain.vocabulary import CamMethod
from app.errors import InputFailure
from worker.salience.bias_layers import passes_biases_in_order
from worker.salience.extraction import SalienceExtractor
from worker.salience.hook import TargetHook
from worker.salience.linear_head import before_linear_head, has_linear_head
from worker.salience.rollout import AttentionCalls
from worker.salience.traced_layers import Layer

Methods = tuple[CamMethod, ...]


@dataclass(frozen=True)
class NotPossible:
    """Methods that a network is none for: where its salience is taken by default, and at each layer by name."""

    at_target: Methods
    at_layers: Mapping[str, Methods]

    @classmethod
    def of(cls, hook: TargetHook, layers: Sequence[Layer]) -> Self:
        """From a few passes of two images; ``layers`` are in the order of a pass."""
        linear = frozenset(before_linear_head(hook, layers))
        attention, has_biases = AttentionCalls.of(hook), passes_biases_in_order(hook)

        def at(layer: Layer, *, is_linear: bool) -> Methods:
            possible = {
                CamMethod.CAM: is_linear,
                CamMethod.ATTENTION_ROLLOUT: attention.are_of(layer),
                CamMethod.FULLGRAD: has_biases,
            }
            return tuple(method for method, is_so in possible.items() if not is_so)

        return cls(
            at_target=at(hook.layer, is_linear=hook.layer.name in linear or _is_linear(hook)),
            at_layers={layer.name: at(layer, is_linear=layer.name in linear) for layer in layers},
        )


def _is_linear(hook: TargetHook) -> bool:
    try:
        return has_linear_head(SalienceExtractor(hook), hook.trial_images())
    except InputFailure:
        return False
