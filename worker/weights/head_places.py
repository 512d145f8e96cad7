"""Where in a network a head may stand, and which tensors of a file are layers of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from app.domain.models.heads import WITH_WEIGHTS, Head, HeadLayer, LayerKind
from worker.weights.head_layers import Group, Shapes, groups_of
from worker.weights.outline import COUNTER, Outline

_TRIED = (LayerKind.LINEAR, LayerKind.BATCHNORM, LayerKind.LAYERNORM, LayerKind.PRELU)

_POOLED = (HeadLayer(kind=LayerKind.CONCATPOOL), HeadLayer(kind=LayerKind.FLATTEN))
_RELU, _DROPOUT = HeadLayer(kind=LayerKind.RELU), HeadLayer(kind=LayerKind.DROPOUT, number=0.5)

Link = tuple[HeadLayer, Group]
"""A layer with weights, and its tensors."""


@dataclass(frozen=True)
class Place:
    """A module of the network, the features that arrive there, and the file's layers in its place.

    ``flat``: they arrive without cells, as a linear layer takes them.
    """

    module: str
    takes: int
    flat: bool
    groups: list[Group]

    def chain(self) -> list[Link] | None:
        """All layers, each as wide as the one before it, a linear one last; None where they are no chain.

        Twice as many features as arrive are those of two poolings.
        """
        return self._chain(self.takes) or self._chain(2 * self.takes)

    def _chain(self, takes: int) -> list[Link] | None:
        left, links = list(self.groups), list[Link]()
        while left:
            found = next(_fitting(left, _TRIED, takes), None)
            if found is None:
                return None
            kind, group, takes = found
            left.remove(group)
            links.append((_layer(kind, takes), group))
        return links if links and links[-1][0].kind is LayerKind.LINEAR else None

    def declared(self, head: Head) -> list[Link] | None:
        """The layers with weights as a declaration names them; None where these are others."""
        left, links, takes = list(self.groups), list[Link](), self.takes
        for layer in head.layers:
            if layer.kind is LayerKind.CONCATPOOL:
                takes *= 2
            if layer.kind not in WITH_WEIGHTS:
                continue
            wanted = layer.number if layer.kind is LayerKind.LINEAR else takes
            fitting = [group for _, group, gives in _fitting(left, (layer.kind,), takes) if gives == wanted]
            if not fitting or not _is_ordered(fitting):
                return None
            takes = int(wanted or takes)
            left.remove(fitting[0])
            links.append((layer, fitting[0]))
        return None if left else links

    def is_inside(self, links: list[Link]) -> bool:
        """Whether the layers are within the place, and not in a module of the owner's own around the network."""
        return all(group.name == self.module or group.name.startswith(f"{self.module}.") for _, group in links)

    def is_seamless(self, links: list[Link]) -> bool:
        """Whether nothing can be between the layers: there is one, or a Sequential in this place numbers them."""
        if self._is_doubled(links):
            return False
        if len(links) == 1:
            return True
        parts = [group.name.removeprefix(f"{self.module}.") for _, group in links]
        if not self.is_inside(links) or not all(part.isdecimal() for part in parts):
            return False
        return all(int(later) - int(earlier) == 1 for earlier, later in pairwise(parts))

    def with_unseen(self, links: list[Link]) -> list[HeadLayer]:
        """The layers, and what is likely to stand between them, since it has no weights."""
        before, waits = None, False
        layers = list(_POOLED if self._is_doubled(links) else () if self.flat else _POOLED[1:])
        for layer, group in links:
            parent, _, own = group.name.rpartition(".")
            gap = int(waits)
            if own.isdecimal() and (before is None or before[0] == parent):
                gap = int(own) - (before[1] + 1 if before else len(layers))
            for _ in range(gap):
                layers.append(_RELU if waits else _DROPOUT)
                waits = False
            layers.append(layer)
            before = (parent, int(own)) if own.isdecimal() else None
            waits = waits or layer.kind is LayerKind.LINEAR
        return layers

    def _is_doubled(self, links: list[Link]) -> bool:
        return links[0][1].gives(links[0][0].kind, self.takes) is None


def _fitting(groups: list[Group], kinds: tuple[LayerKind, ...], takes: int) -> Iterator[tuple[LayerKind, Group, int]]:
    for group in groups:
        for kind in kinds:
            gives = group.gives(kind, takes)
            if gives is not None:
                yield kind, group, gives
                break


def _layer(kind: LayerKind, gives: int) -> HeadLayer:
    return HeadLayer(kind=kind, number=gives if kind is LayerKind.LINEAR else None)


def _is_ordered(groups: list[Group]) -> bool:
    """Of layers of one shape, whether file and names say the same of which is first: safetensors have no order."""
    numbered = all(group.name.rpartition(".")[2].isdecimal() for group in groups)
    return numbered or min(groups, key=lambda group: group.name) is groups[0]


def places(outline: Outline, given: Shapes, beside: Shapes) -> Iterator[Place]:
    """From the last layer outward, each module without which the file has all of the network.

    ``given`` are the tensors by the network's names, ``beside`` those that stand next to the network.
    """
    for module in _outward(outline.head_module):
        own = {name for name in outline.shapes if name.startswith(f"{module}.")}
        needed = {
            name: shape for name, shape in outline.shapes.items() if name not in own and not name.endswith(COUNTER)
        }
        if any(given.get(name) != shape for name, shape in needed.items()):
            continue
        here = {name: shape for name, shape in given.items() if name not in outline.shapes or name in own}
        branch = f"{module.partition('.')[0]}."
        if any(name.startswith(branch) and not name.startswith(f"{module}.") for name in here):
            continue
        first = next(shape for name, shape in outline.shapes.items() if name in own)
        yield Place(module, first[min(1, len(first) - 1)], len(first) == 2, groups_of({**here, **beside}))


def _outward(module: str) -> Iterator[str]:
    while module:
        yield module
        module = module.rpartition(".")[0]
