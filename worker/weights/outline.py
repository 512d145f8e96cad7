"""What a network asks of its weights: the names of its tensors, and which of them belong to its head."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

COUNTER = "num_batches_tracked"
"""Files from before PyTorch 0.4.1 lack these; eval mode never reads them."""


@dataclass(frozen=True)
class Outline:
    """``shapes`` by name, for some number of classes; ``classifier`` are the names whose shapes depend on it."""

    architecture: str
    shapes: dict[str, tuple[int, ...]]
    classifier: frozenset[str]
    children: tuple[str, ...] = ()
    """The outermost modules in their order, those without tensors too."""
    auxiliary: tuple[str, ...] = ()
    """What the names of heads begin with that only training runs; a file may have them or not."""
    saved: Mapping[str, str] = field(default_factory=dict)
    """The names in files that the network's library writes, where it renames tensors on their way."""

    @cached_property
    def head_module(self) -> str:
        """The module of the last tensor that depends on the number of classes: ``fc``, ``classifier.6``."""
        last = [name for name in self.shapes if name in self.classifier][-1]
        return last.rpartition(".")[0]

    @cached_property
    def body(self) -> frozenset[str]:
        """What a file must have whatever head its owner put on: all names outside of the head's branch."""
        heads = {name.partition(".")[0] for name in self.classifier}
        body = _outside(self.shapes, heads)
        if len(body) * 2 < len(self.shapes):  # the branch is the network
            body = _outside(self.shapes, {name.rpartition(".")[0] for name in self.classifier})
        return body


def _outside(names: Iterable[str], branches: set[str]) -> frozenset[str]:
    starts = tuple(f"{branch}." for branch in branches)
    return frozenset(name for name in names if not name.startswith(starts) and not name.endswith(COUNTER))
