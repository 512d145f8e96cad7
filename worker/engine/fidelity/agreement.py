"""How outputs made here agree with those that the owner's code gave, and within which bound."""

from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from app.domain.models.fidelity import SHARE, Compared, Fidelity, status_of
from app.domain.models.outputs import Output
from app.domain.vocabulary import OutputKind
from worker.wire.job_parts import ReferenceSample

_SUMS_TO_ONE = 2e-3
"""Half precision and four decimals come so close."""
_NOISE = 1e-5
"""Of float32, relative to the outputs."""
_SMALLEST = 1e-7
_MOST_DECIMALS = 7


@dataclass(frozen=True)
class Form:
    """How outputs are written down: as what, with which half unit of the last decimal where all have few, and how far a
    logit may lie from the owner's.
    """

    compared: Compared
    rounding: float
    bound: float

    @classmethod
    def of(cls, rows: Tensor, kind: OutputKind) -> "Form":
        """Of outputs (N, K)."""
        if not len(rows):
            return cls(Compared.CLASSES, 0.0, 0.0)
        compared, rounding = _compared(rows, kind), _rounding(rows)
        if compared is Compared.PROBABILITIES:
            # A probability that was written as 0 or 1 says only that it is closer to it than to its neighbour.
            least = max(_SMALLEST, rounding)
            rows = rows.clamp(least, 1 - least)
            rows = rows.log() if kind is OutputKind.CLASSES else rows.logit()
        spread = float(rows.var(0, correction=0).mean().sqrt())
        noise = _NOISE * float(rows.square().mean().sqrt())
        return cls(
            compared, rounding, SHARE * spread + noise + (0.0 if compared is Compared.PROBABILITIES else rounding)
        )


def _compared(rows: Tensor, kind: OutputKind) -> Compared:
    """Probabilities lie in [0, 1], and of classes they sum to 1; whatever else there is are logits."""
    in_range = bool(((rows >= 0) & (rows <= 1)).all())
    if kind is not OutputKind.CLASSES:
        return Compared.PROBABILITIES if in_range else Compared.LOGITS
    if in_range and _is_one(rows.sum(1)):
        return Compared.PROBABILITIES
    return Compared.LOG_PROBABILITIES if _is_one(rows.exp().sum(1)) else Compared.LOGITS


def _rounding(rows: Tensor) -> float:
    for decimals in range(_MOST_DECIMALS):
        scaled = rows * 10**decimals
        if bool(((scaled - scaled.round()).abs() < 1e-6).all()):
            return 0.5 * 10.0**-decimals
    return 0.0


@dataclass(frozen=True)
class Owned:
    """What the owner's code gave for N images.

    ``outputs`` (N, K) float64, NaN where only a class was given; ``classes`` (N,) int64, -1 where only outputs were.
    """

    output: Output
    outputs: Tensor
    classes: Tensor
    form: Form

    @classmethod
    def of(cls, output: Output, samples: tuple[ReferenceSample, ...]) -> "Owned":
        width = max((len(sample.outputs) for sample in samples if sample.outputs is not None), default=1)
        rows = [sample.outputs or (torch.nan,) * width for sample in samples]
        classes = [-1 if sample.predicted is None else sample.predicted for sample in samples]
        outputs = torch.tensor(rows, dtype=torch.float64)
        return cls(output, outputs, torch.tensor(classes), Form.of(outputs[~outputs.isnan().any(1)], output.kind))

    def part(self, places: list[int]) -> "Owned":
        """Of these images alone, with the form and the bound of all of them."""
        return replace(self, outputs=self.outputs[places], classes=self.classes[places])

    @property
    def compared(self) -> Compared:
        return self.form.compared

    @property
    def _given(self) -> Tensor:
        return ~self.outputs.isnan().any(1)

    @cached_property
    def decisions(self) -> Tensor:
        """(N, D) int64: a class, or for each label whether it is there."""
        derived = decided(self.outputs.nan_to_num(), self.output, self.compared)
        named = self.classes.view(-1, 1)
        return torch.where(named >= 0, named.expand_as(derived), derived)

    def agreement(self, logits: Tensor) -> "Agreement":
        """With ``logits`` (N, K) float64 made here, one column an output."""
        ours = in_their_form(logits, self.output, self.compared)
        differences = (ours - self.outputs).abs()
        within = ((differences <= self._bounds(self.outputs)) | self.outputs.isnan()).all(1)
        same = (decided(ours, self.output, self.compared) == self.decisions).all(1)
        # A class that follows from outputs may be another where outputs within the bound allow it.
        agreeing = within & (same | (self._given & (self.classes < 0)))
        return Agreement(agreeing, differences.nan_to_num(nan=0.0), same)

    def _bounds(self, values: Tensor) -> Tensor:
        if self.compared is not Compared.PROBABILITIES:
            return torch.full_like(values, self.form.bound)
        # Of a softmax, the other logits move as well.
        shift = self.form.bound * (2 if self.output.kind is OutputKind.CLASSES else 1)
        odds = values.clamp(_SMALLEST, 1 - _SMALLEST).logit()
        up, down = (odds + shift).sigmoid() - values, values - (odds - shift).sigmoid()
        return torch.maximum(up.abs(), down.abs()) + max(self.form.rounding, _SMALLEST)

    def judged(self, agreement: "Agreement") -> Fidelity:
        """Without a suggestion."""
        images, agreeing = len(self.classes), int(agreement.agreeing.sum())
        classes = len({tuple(row) for row in self.decisions.tolist()})
        only_classes = self.compared is Compared.CLASSES
        return Fidelity(
            status=status_of(images, agreeing, classes),
            images=images,
            agreeing=agreeing,
            predicted_classes=classes,
            compared=self.compared,
            largest_difference=None if only_classes else float(agreement.differences.max()),
            bound=None if only_classes else self.form.bound,
        )


@dataclass(frozen=True)
class Agreement:
    """``agreeing`` and ``same`` (the class) are (N,) bool; ``differences`` (N, K) of the outputs, 0 where none was
    given."""

    agreeing: Tensor
    differences: Tensor
    same: Tensor

    @property
    def count(self) -> int:
        return int(self.agreeing.sum())

    @property
    def closeness(self) -> tuple[int, int, float]:
        """More is closer."""
        return self.count, int(self.same.sum()), -float(self.differences.mean())


def in_their_form(logits: Tensor, output: Output, compared: Compared) -> Tensor:
    """(N, K) as the owner's code gave them."""
    if compared is Compared.PROBABILITIES:
        return logits.softmax(1) if output.kind is OutputKind.CLASSES else logits.sigmoid()
    return logits.log_softmax(1) if compared is Compared.LOG_PROBABILITIES else logits


def decided(values: Tensor, output: Output, compared: Compared) -> Tensor:
    """(N, D) int64 of values (N, K) in that form."""
    if output.kind is OutputKind.CLASSES:
        return values.argmax(1, keepdim=True)
    threshold = output.threshold if compared is Compared.PROBABILITIES else output.threshold_logit
    return (values > threshold).long()


def _is_one(sums: Tensor) -> bool:
    return bool(((sums - 1).abs() < _SUMS_TO_ONE).all())
