"""What a disagreement looks like: which change of the description explains it, found by trying."""

import json
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from torch import Tensor

from app.errors import InputFailure
from worker.engine.fidelity.agreement import Agreement, Owned
from worker.engine.fidelity.class_order import reordered
from worker.engine.fidelity.readings import Change, changes
from worker.engine.fidelity.running import Runner
from worker.wire.job_parts import JobModel
from worker.wire.jobs import ReferenceJob
from worker.wire.replies import Progress

MOST_TRIED = 32
"""Images of a trial: those that disagree first."""
MOST_PAIRS = 20
SECONDS = 90.0
"""After which no further trial begins."""


@dataclass(frozen=True)
class Trial:
    """A description that was tried: the changes of it, and how the owner's predictions agree with it."""

    changes: tuple[Change, ...]
    agreement: Agreement
    class_names: tuple[str, ...] | None = None
    is_reordered: bool = False

    @property
    def explains(self) -> bool:
        return bool(self.agreement.agreeing.all())

    @property
    def words(self) -> str:
        parts = [change.words for change in self.changes]
        return " and ".join(parts + ["classes are in another order"] * self.is_reordered)

    @property
    def request(self) -> dict[str, Any]:
        """Fields of a registration."""
        found: dict[str, Any] = {}
        for change in self.changes:
            for field, value in change.request.items():
                found[field] = found.get(field, {}) | value
        return found | ({"class_names": list(self.class_names)} if self.class_names is not None else {})


@dataclass(frozen=True)
class Suggestion:
    """In words, and as fields of a registration where one description explains everything."""

    words: str
    change: dict[str, Any] | None


Tries = Generator[Progress, None, Suggestion]


class Suggester:
    """Tries single changes, then two together, on some of the images."""

    def __init__(self, job: ReferenceJob, owned: Owned, runner: Runner) -> None:
        self._job = job
        self._owned = owned
        self._runner = runner
        self._base = job.model
        self._until = time.monotonic() + SECONDS

    def suggestion(self, logits: Tensor, agreement: Agreement) -> Tries:
        """``logits`` and ``agreement`` are those of all images as the model is described."""
        order = agreement.agreeing.long().argsort(stable=True)
        places = order[:MOST_TRIED].tolist()
        tried = list(self._judged((), logits[places], self._owned.part(places)))
        singles = changes(self._job.model, self._job.assumed_options)
        if not any(trial.explains for trial in tried):
            tried += yield from self._try([(change,) for change in singles], places)
        if not any(trial.explains for trial in tried):
            tried += yield from self._try(_pairs(singles, tried), places)
        best = max(tried, key=lambda trial: trial.agreement.closeness)
        if best.explains and best.changes:
            logits = yield from self._runner.outputs(_read(self._base, best.changes), self._samples(None))
        confirmed = list(self._judged(best.changes, logits, self._owned))
        whole = next(one for one in confirmed if one.is_reordered == best.is_reordered)
        return _told(whole, agreement)

    def _try(self, tries: Sequence[tuple[Change, ...]], places: list[int]) -> Generator[Progress, None, list[Trial]]:
        found: list[Trial] = []
        owned = self._owned.part(places)
        for combined in tries:
            if time.monotonic() > self._until:
                break
            try:
                logits = yield from self._runner.outputs(_read(self._base, combined), self._samples(places))
            except InputFailure:
                continue  # an option that this network does not take
            found += self._judged(combined, logits, owned)
        return found

    def _judged(self, combined: tuple[Change, ...], logits: Tensor, owned: Owned) -> Iterator[Trial]:
        """As it is, and with the classes in the order that comes closest."""
        yield Trial(combined, owned.agreement(logits))
        found = reordered(owned, logits)
        if found is not None:
            yield Trial(combined, owned.agreement(found.logits), self._names(found.order), is_reordered=True)

    def _names(self, order: list[int]) -> tuple[str, ...] | None:
        """As the outputs have them: the owner's class i is put out at ``order[i]``."""
        names = self._job.class_names
        if names is None:
            return None
        placed = dict(zip(order, names, strict=True))
        return tuple(placed[index] for index in range(len(names)))

    def _samples(self, places: list[int] | None) -> list[Any]:
        chosen = range(len(self._job.samples)) if places is None else places
        return [self._job.samples[place].sample for place in chosen]


def _read(base: JobModel, combined: Sequence[Change]) -> JobModel:
    for change in combined:
        base = change.applied(base)
    return base


def _pairs(singles: Sequence[Change], tried: Sequence[Trial]) -> list[tuple[Change, ...]]:
    """Of different groups, those first whose parts came closest alone."""
    closeness = {trial.changes[0].words: trial.agreement.closeness for trial in tried if len(trial.changes) == 1}
    known = [change for change in singles if change.words in closeness]
    pairs: list[tuple[Change, ...]] = [pair for pair in combinations(known, 2) if pair[0].group != pair[1].group]
    return sorted(pairs, key=lambda pair: max(closeness[one.words] for one in pair), reverse=True)[:MOST_PAIRS]


def _told(best: Trial, before: Agreement) -> Suggestion:
    count, images = best.agreement.count, len(best.agreement.agreeing)
    request = json.dumps(best.request)
    if count == images:
        return Suggestion(f"All {images} agree where {best.words}: {request}.", best.request)
    if count > before.count:
        words = f"No change that was tried explains all. The closest: {count} of {images} agree where {best.words}."
        return Suggestion(words, None)
    tried = "order and range of channels, crop, interpolation, order of classes, assumed options"
    return Suggestion(f"No change that was tried explains it ({tried}).", None)
