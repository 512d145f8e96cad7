"""Passes over a batch, on the device where the model is: nothing here waits for what the device makes of them."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, Self, TypeVar

import torch
from torch import Tensor

from worker.engine.normalisation import Normalisation
from worker.engine.transfers import fetch, send
from worker.functional.quantization import min_max
from worker.salience.draws import Draws
from worker.salience.explainer import Explainer, Explanation

Result = TypeVar("Result")
Explain = Callable[[Tensor, Tensor | None], Sequence[Explanation]]
"""Of normalised images and their classes: of one pass as many as there are methods."""


class Look(NamedTuple):
    """What a model gave for N images of one condition.

    ``logits`` (N, C) by class, ``predicted`` (N,) int64, ``native`` (N, h, w) after min-max, ``constant`` (N,) bool:
    whether a map is constant or not finite.
    """

    logits: Tensor
    predicted: Tensor
    native: Tensor
    constant: Tensor


def fetch_looks(looks: Sequence[Look]) -> Callable[[], list[Look]]:
    """A function that waits for them and gives them on the host: one copy for all, begun now."""
    if not looks:
        return list
    wait = fetch([tensor for look in looks for tensor in look])
    width = len(Look._fields)

    def fetched() -> list[Look]:
        tensors = wait()
        return [Look(*tensors[start : start + width]) for start in range(0, len(tensors), width)]

    return fetched


class Target(NamedTuple):
    """What is explained in N images: ``chosen`` (N,) int64 classes, or (N, K) bool, the labels of which each has any
    number; None: the class predicted for each.

    ``missing`` gives (N,) bool on the host, whether an image has none; None: each has one.
    """

    chosen: Tensor | None
    missing: Callable[[], Tensor | None]

    @classmethod
    def of(cls, known: Tensor, device: torch.device) -> Self:
        """From the host's: classes, -1 where there is none, go to the device; labels stay, since each takes a pass."""
        if known.dim() == 2:
            return cls(known, lambda: ~known.any(1))
        return cls(send(known.clamp(min=0), device), lambda: known < 0)


@dataclass(frozen=True)
class Looker:
    """A model on its device. A batch is padded to ``micro_batch``; None: its images go through one by one."""

    explainer: Explainer
    normalise: Normalisation
    micro_batch: int | None
    device: torch.device

    def look(self, images: Tensor, chosen: Tensor | None, draws: Draws) -> Look:
        """``images`` (N, 3, S, S) uint8 of the host; ``chosen`` as a `Target` has it; ``draws`` of the N samples."""
        if self.micro_batch is None and chosen is not None and chosen.dim() == 2:
            return self._of_own_labels(images, chosen, draws)
        (look,) = self.looks(lambda there, target: (self.explainer.explain(there, target, draws),), images, chosen)
        return look

    def looks(self, explain: Explain, images: Tensor, chosen: Tensor | None) -> tuple[Look, ...]:
        """One for each explanation that ``explain`` gives of a pass."""
        if chosen is not None and chosen.dim() == 2:
            return self._means_over_labels(explain, images, chosen)
        count = len(images)
        size = count if self.micro_batch is None else self.micro_batch
        target = None if chosen is None else _padded(chosen, size)
        there = send(_padded(images, size), self.device)
        return tuple(_first(count, seen) for seen in explain(self.normalise(there), target))

    def beside(self, work: Callable[[], Result]) -> Callable[[], Result]:
        """A function that gives what ``work`` makes: in a thread beside a device; on a CPU when it is asked for, since
        the passes take all cores."""
        if self.device.type == "cpu":
            return work
        return _thread().submit(copy_context().run, work).result

    def _of_own_labels(self, images: Tensor, positives: Tensor, draws: Draws) -> Look:
        """What ``_means_over_labels`` gives, where each image goes through by itself: for its own labels alone, and
        once where it has none."""
        looks = []
        for place, own in enumerate(positives):
            labels = own.nonzero().view(-1)
            copies = images[place : place + 1].expand(max(1, len(labels)), *images.shape[1:])
            seen = self.look(copies, send(labels, self.device) if len(labels) else None, draws.of_one(place))
            rows = [Look(*(values[row : row + 1] for values in seen)) for row in range(len(copies))]
            total = _Sum(rows[0])
            for row in rows[: len(labels)]:
                total.add(row, torch.ones_like(row.constant))
            looks.append(total.mean())
        return Look(*map(torch.cat, zip(*looks, strict=True)))

    def _means_over_labels(self, explain: Explain, images: Tensor, positives: Tensor) -> tuple[Look, ...]:
        """The means of the maps (after min-max) of each sample's labels; a map that is constant counts as none. The
        whole batch goes through for every label that an image of it has."""
        wanted = positives.any(0).nonzero().view(-1).tolist()
        if not wanted:
            return self.looks(explain, images, None)
        there = send(positives, self.device)
        sums: list[_Sum] = []
        for label in wanted:
            looks = self.looks(explain, images, torch.full((len(images),), label, device=self.device))
            sums = sums or [_Sum(look) for look in looks]
            for own, look in zip(sums, looks, strict=True):
                own.add(look, there[:, label])
        return tuple(own.mean() for own in sums)


def _first(count: int, seen: Explanation) -> Look:
    """Without what padded the batch."""
    native, constant = min_max(seen.maps[:count])
    return Look(seen.logits[:count], seen.predicted[:count], native, constant)


class _Sum:
    """Of looks at the same images, some of them for each image."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._total, self._counts = torch.zeros_like(look.native), torch.zeros_like(look.native[:, 0, 0])

    def add(self, look: Look, wanted: Tensor) -> None:
        """``wanted`` (N,) bool."""
        used = wanted & ~look.constant
        self._total += look.native.where(used.view(-1, 1, 1), 0)
        self._counts += used

    def mean(self) -> Look:
        native = self._total / self._counts.clamp(min=1).view(-1, 1, 1)
        return self._look._replace(native=native, constant=self._counts == 0)


@lru_cache(maxsize=1)
def _thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="views")


def _padded(rows: Tensor, size: int) -> Tensor:
    """Rows repeated from the last one up to ``size``."""
    missing = size - len(rows)
    return rows if missing <= 0 else torch.cat([rows, rows[-1:].expand(missing, *rows.shape[1:])])
