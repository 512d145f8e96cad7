"""From an upload to the weights of a network: which network it is, where its tensors are, and what was done to them."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from app.domain.models.heads import Head
from app.domain.refusals.weights import NO_TENSORS
from app.domain.vocabulary import ModelFormat, Origin
from worker.weights.architecture_names import candidates
from worker.weights.architectures import outline_of
from worker.weights.contents import Contents, read_contents
from worker.weights.heads import PlacedHead, place_head
from worker.weights.lazy import LazyTensor, reshaped
from worker.weights.loading import StateDict, load
from worker.weights.matching import Match, is_ignored, match
from worker.weights.recorded_heads import RecordedHeads
from worker.weights.spellings import redirected
from worker.weights.tensor_names import names_of
from worker.wire.facts import DescribedFact

Facts = dict[str, DescribedFact]
Lazy = dict[str, LazyTensor]

_MAX_SHOWN = 20
_HARMLESS = re.compile(
    r"(?:.*\.)?(?:n_averaged|total_ops|total_params|relative_position_index|attn_mask)"
    r"|(?:.*\.)?(?:criterion|criteria|loss|losses|loss_fn|loss_func|\w*_loss|loss_\w*|\w*criterion"
    r"|metrics?|\w*_metrics?|\w+_acc|\w+_accuracy|\w+_auroc|\w+_f1)(?:\..*)?"
)
"""What trainers keep beside a network and no network computes with: averages' counters, profilers', losses, metrics."""


@dataclass(frozen=True)
class WeightsRequest:
    """What the owner said about the file."""

    format: ModelFormat
    architecture: str
    weights_key: str | None = None
    ignore_tensors: tuple[str, ...] = ()
    head: Head | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class FittedWeights:
    """``architecture`` is ``torchvision/NAME`` or ``timm/NAME``; ``weights`` have its names, and may have more.

    ``head``: the layers in place of its own, where the file has others.
    ``facts`` are what the model's description tells of the file.
    """

    architecture: str
    weights: StateDict
    match: Match
    contents: Contents
    facts: Facts
    head: Head | None = None


def read_weights(file: BinaryIO, request: WeightsRequest) -> FittedWeights:
    """The tensors in memory that the network needs, and those that stand between them.

    Raises InputFailure: ``model-invalid``, ``model-unsafe``, ``model-format-not-accepted``,
    ``archive-duplicate-entry``, ``model-nonfinite-weights``, ``model-architecture-unknown``,
    ``model-architecture-mismatch``, ``model-weights-ambiguous`` or ``model-head-unknown``.
    """
    contents = read_contents(file, request.format)
    if not contents.tensors:
        raise NO_TENSORS.failure()
    found = _best(contents, request)
    kept, beside, ignored = _needed(found, request.ignore_tensors)
    kept, changed = _flattened(kept, found.outline.shapes)
    placed = PlacedHead(kept)
    if found.fits:
        placed = place_head(found.outline, kept, beside, request.head, RecordedHeads(found, contents))
    weights = load(placed.tensors, file.seek(0, 2))
    facts = dict(_facts(request, contents, found, ignored, changed))
    facts |= {"head": placed.fact} if placed.fact else {}
    return FittedWeights(found.outline.architecture, weights, found, contents, facts, placed.head)


def _best(contents: Contents, request: WeightsRequest) -> Match:
    """Of all networks that the name may mean, the first that fits; else the nearest of the first."""
    names = names_of(contents, request.weights_key)
    own = candidates(request.architecture)
    nearest: Match | None = None
    for candidate in redirected(own):
        found = match(outline_of(candidate, request.options), names)
        if found.fits and (candidate in own or found.library is not None):
            return found
        nearest = nearest or found
    if nearest is None:
        raise ValueError("no candidate")
    return nearest


def _needed(found: Match, patterns: tuple[str, ...]) -> tuple[Lazy, Lazy, list[str]]:
    """The network's tensors, those beside it, and the names of what may be left out of both.

    Of the network's own, only its head may be, by its whole name in the file.
    """
    key = f"{found.key}." if found.key else ""
    kept, beside, ignored = Lazy(), Lazy(), list[str]()
    for name, source in found.tensors.items():
        is_own = name in found.outline.shapes
        may_go = is_ignored(key + name, patterns) if is_own else _may_go((name, key + name), patterns)
        if may_go and name not in found.outline.body:
            ignored.append(key + name)
        else:
            kept[name] = source()
    for name, source in found.beside.items():
        if _may_go((name,), patterns):
            ignored.append(name)
        else:
            beside[name] = source()
    return kept, beside, ignored


def _may_go(names: Iterable[str], patterns: tuple[str, ...]) -> bool:
    return any(_HARMLESS.fullmatch(name) or is_ignored(name, patterns) for name in names)


def _flattened(tensors: dict[str, LazyTensor], shapes: dict[str, tuple[int, ...]]) -> tuple[dict[str, LazyTensor], int]:
    """Pointwise convolutions that were saved as matrices get their ones back; and how many there were."""
    changed = 0
    for name, tensor in tensors.items():
        wanted = shapes.get(name, tensor.shape)
        missing = len(wanted) - len(tensor.shape)
        if missing > 0 and (*tensor.shape, *[1] * missing) == wanted:
            tensors[name] = reshaped(tensor, wanted)
            changed += 1
    return tensors, changed


def _facts(
    request: WeightsRequest, contents: Contents, found: Match, ignored: list[str], changed: int
) -> Iterator[tuple[str, DescribedFact]]:
    yield "file", _fact(contents.wrote)
    yield "architecture", _architecture(request, found)
    if found.key:
        origin = Origin.REQUEST if request.weights_key else Origin.FILE
        yield "weights_key", DescribedFact(value=found.key, origin=origin)
    if found.wrappers:
        yield "stripped", _fact(list(found.wrappers), "Taken out of the tensors' names, where wrappers put them.")
    if found.library:
        yield "spelling", _fact(found.library, "The tensors have the names that this library gives them.")
    if found.folded:
        yield "folded", _fact(dict(found.folded), "Weights that were taken apart, put together again.")
    if changed:
        yield "reshaped", _fact(changed, "Pointwise convolutions that were saved as matrices.")
    if ignored:
        more = f" And {len(ignored) - _MAX_SHOWN} more." if len(ignored) > _MAX_SHOWN else ""
        yield "left_out", _fact(ignored[:_MAX_SHOWN], f"Tensors of the file that the network does without.{more}")


def _architecture(request: WeightsRequest, found: Match) -> DescribedFact:
    resolved = found.outline.architecture
    if resolved in candidates(request.architecture)[:1]:
        return DescribedFact(value=resolved, origin=Origin.REQUEST)
    note = f"Named {request.architecture[:200]!r}; the names of the file's tensors are those of {resolved}."
    return DescribedFact(value=resolved, origin=Origin.FILE, note=note)


def _fact(value: object, note: str | None = None) -> DescribedFact:
    return DescribedFact(value=value, origin=Origin.FILE, note=note)
