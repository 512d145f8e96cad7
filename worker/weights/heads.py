"""Which layers stand in a file where the network has its classifier: as declared, recorded, or as only one can be.

A state_dict names layers that have weights, and no other. A dropout changes nothing in use; an activation between two
linear layers changes every map, so a head of several layers is taken only where no other layer can be between them.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from app.domain.models.heads import WITH_WEIGHTS, Head
from app.domain.refusals.networks import HEAD_AMBIGUOUS, HEAD_OTHER, HEAD_UNKNOWN, LEFT_OVER
from app.domain.vocabulary import Origin
from app.errors import InputFailure
from worker.weights.head_layers import Group
from worker.weights.head_places import Link, Place, places
from worker.weights.lazy import LazyTensor
from worker.weights.outline import COUNTER, Outline
from worker.wire.facts import DescribedFact

Tensors = dict[str, LazyTensor]
Recorded = Callable[[Iterable[str]], Head | None]
"""The head that a pickled module recorded of layers of these names."""

_MAX_SHOWN = 20
_UNSEEN = (
    " Layers without weights are in no file: what comes before the linear layer was taken for a dropout, which changes "
    "nothing; an activation there would change the maps."
)


class PlacedHead(NamedTuple):
    """The network's tensors, those of its head by the names that ``head`` gives them; None: it has its own."""

    tensors: Tensors
    head: Head | None = None
    fact: DescribedFact | None = None


@dataclass(frozen=True)
class _Reading:
    """A head in its place; ``origin`` is who says that it is that one."""

    place: Place
    head: Head
    links: list[Link]
    origin: Origin

    def placed(self, given: Tensors, beside: Tensors) -> PlacedHead:
        taken, renamed = set[str](), Tensors()
        numbers = [number for number, layer in enumerate(self.head.layers) if layer.kind in WITH_WEIGHTS]
        for number, (_, group) in zip(numbers, self.links, strict=True):
            for own in group.shapes:
                name = f"{group.name}.{own}"
                taken.add(name)
                renamed[f"{self.place.module}.{number}.{own}"] = (beside if name in beside else given)[name]
        tensors = {name: tensor for name, tensor in given.items() if name not in taken} | renamed
        note = f"In place of {self.place.module!r}." + (_UNSEEN if self.origin is Origin.ASSUMED else "")
        return PlacedHead(tensors, self.head, DescribedFact(value=self.head.to_json(), origin=self.origin, note=note))


def place_head(
    outline: Outline, given: Tensors, beside: Tensors, declared: Head | None, recorded: Recorded
) -> PlacedHead:
    """``given`` are tensors by the network's names, ``beside`` those that stand next to it in the file.

    Raises InputFailure ``model-head-unknown`` where only a declaration can say what the head is, or where it names
    another one; ``model-architecture-mismatch`` where there is one head too many.
    """
    extra = [name for name in given if name not in outline.shapes and not name.startswith(outline.auxiliary)]
    if declared is None and not extra and not beside and _has_own(outline, given):
        return PlacedHead(given)
    shapes = {name: one.shape for name, one in given.items() if not name.startswith(outline.auxiliary)}
    found = list(places(outline, shapes, {name: one.shape for name, one in beside.items()}))
    for place in found:
        reading = _read(place, declared, recorded)
        if reading is not None:
            return reading.placed(given, beside)
    if declared is not None and found:
        raise _other(found, recorded)
    for place in found:
        suggested = _suggested(place, recorded)
        if suggested is not None:
            told = {"module": repr(place.module), "layers": _shown(place.groups), "head": json.dumps(suggested)}
            raise HEAD_AMBIGUOUS.failure(program={"suggested_head": suggested}, **told)
    left = [*extra, *beside]
    if left and _has_own(outline, given):
        raise _left_over(outline, left)
    if left and found and found[0].groups:
        raise HEAD_UNKNOWN.failure(module=repr(found[0].module), layers=_shown(found[0].groups))
    return PlacedHead(given)


def _has_own(outline: Outline, given: Tensors) -> bool:
    """Whether the file has the network's own head, for some number of classes."""
    own = [name for name in outline.shapes if name not in outline.body and not name.endswith(COUNTER)]
    skipped = {name: int(name in outline.classifier) for name in own}
    return all(
        name in given and given[name].shape[skipped[name] :] == outline.shapes[name][skipped[name] :] for name in own
    )


def _read(place: Place, declared: Head | None, recorded: Recorded) -> _Reading | None:
    """The only reading that there is of the layers, if there is one."""
    told = recorded([group.name for group in place.groups])
    head = declared or told
    if head is not None:
        links = place.declared(head)
        if links is None or (told is not None and head.essence != told.essence):
            return None
        named = head.model_copy(update={"module": place.module})
        return _Reading(place, named, links, Origin.REQUEST if declared else Origin.FILE)
    links = place.chain() if place.flat else None
    if links is None or not place.is_seamless(links):
        return None
    layers = tuple(place.with_unseen(links))
    is_certain = len(layers) == len(links) and place.is_inside(links)
    return _Reading(
        place, Head(layers=layers, module=place.module), links, Origin.FILE if is_certain else Origin.ASSUMED
    )


def _suggested(place: Place, recorded: Recorded) -> list[object] | None:
    """A head that would fit the file's layers; None where none would."""
    head, links = recorded([group.name for group in place.groups]), place.chain()
    if head is None and links is not None:
        head = Head(layers=tuple(place.with_unseen(links)))
    return None if head is None else head.to_json()


def _other(found: list[Place], recorded: Recorded) -> InputFailure:
    for place in found:
        suggested = _suggested(place, recorded)
        if suggested is not None:
            advice = f'This one would fit: "head": {json.dumps(suggested)}.'
            told = {"module": repr(place.module), "layers": _shown(place.groups), "advice": advice}
            return HEAD_OTHER.failure(program={"suggested_head": suggested}, **told)
    advice = "Name its layers with weights in their order, each with its width."
    return HEAD_OTHER.failure(module=repr(found[0].module), layers=_shown(found[0].groups), advice=advice)


def _left_over(outline: Outline, names: list[str]) -> InputFailure:
    patterns = list(dict.fromkeys(f"{name.rpartition('.')[0] or name}.*" for name in names))[:_MAX_SHOWN]
    own = list(dict.fromkeys(f"{name.rpartition('.')[0]}.*" for name in outline.shapes if name in outline.classifier))
    return LEFT_OVER.failure(
        architecture=outline.architecture,
        count=len(names),
        first=repr(names[0]),
        patterns=json.dumps(patterns),
        own=json.dumps(own),
    )


def _shown(groups: list[Group]) -> str:
    shown = [f"{group.name} {list(next(iter(group.shapes.values())))}" for group in groups[:_MAX_SHOWN]]
    return ", ".join(shown) or "nothing"
