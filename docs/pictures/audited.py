"""The example's six networks on its 200 images, through the worker's own engine."""

import importlib
import json
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from app.domain.models.preprocessing import Preprocessing
from app.domain.protocol import Protocol
from docs.pictures.joining import joined
from worker.engine.measuring import ModelAuditor, Outcome
from worker.engine.normalisation import Normalisation
from worker.measures.base import PairScores, Score
from worker.measures.stability import stability
from worker.salience import make_explainer
from worker.salience.hook import TargetHook
from worker.views.base import ImageBatch
from worker.weights.architectures import build
from worker.weights.loading import read_canonical

FACES = Path(__file__).resolve().parents[2] / "examples" / "faces"
RECIPE: dict[str, Any] = json.loads((FACES / "recipe.json").read_text(encoding="utf-8"))
STRATEGIES = {"cross_entropy": "cross-entropy", "human_guided": "human-guided"}
RUNS = (1, 2, 3)
BATCH = 16


@dataclass(frozen=True)
class Audited:
    """``batch`` the N images, ``outcomes`` by network (``cross_entropy_run1``, ...)."""

    batch: ImageBatch
    truth: Tensor
    outcomes: dict[str, Outcome]

    def runs(self, stem: str) -> list[Outcome]:
        """The three networks of a strategy."""
        return [self.outcomes[f"{stem}_run{run}"] for run in RUNS]

    def mean(self, stem: str, view: str) -> float:
        """A score's mean over the samples that have one, then over the strategy's networks."""
        return float(np.mean([defined(outcome, view).mean() for outcome in self.runs(stem)]))

    def control(self, stem: str, view: str) -> float:
        """The same of the control."""
        return float(np.mean([_control(outcome, view).mean() for outcome in self.runs(stem)]))

    def place(self, sample: str) -> int:
        return self.batch.samples.index(sample)

    def image(self, place: int) -> NDArray[np.uint8]:
        """(S, S, 3) as the networks see it."""
        return pixels(self.batch.images[place])

    @cached_property
    def stability(self) -> dict[str, PairScores]:
        return {stem: stability([outcome.clean.maps for outcome in self.runs(stem)]) for stem in STRATEGIES}


def audit_faces() -> Audited:
    """Takes two minutes of one core."""
    sys.path.insert(0, str(FACES))
    named: dict[str, Image.Image] = importlib.import_module("prepare").named_images()
    size = RECIPE["preprocessing"]["input_size"]
    pictures = [picture.convert("RGB").resize((size, size), Image.Resampling.BILINEAR) for picture in named.values()]
    images = torch.from_numpy(np.stack([np.asarray(picture) for picture in pictures])).permute(0, 3, 1, 2).contiguous()
    truth = torch.tensor([RECIPE["class_names"].index(name.partition("/")[0]) for name in named])
    batches = [
        ImageBatch(images[first : first + BATCH], tuple(named)[first : first + BATCH])
        for first in range(0, len(images), BATCH)
    ]
    names = [f"{stem}_run{run}" for stem in STRATEGIES for run in RUNS]
    outcomes = {name: _audit(_auditor(name), batches, truth) for name in names}
    return Audited(ImageBatch(images, tuple(named)), truth, outcomes)


def _audit(auditor: ModelAuditor, batches: list[ImageBatch], truth: Tensor) -> Outcome:
    starts = range(0, len(truth), BATCH)
    parts = zip(batches, starts, strict=True)
    return joined([auditor.audit(batch, truth[start : start + BATCH]) for batch, start in parts])


def _auditor(name: str) -> ModelAuditor:
    with (FACES / "weights" / f"{name}.safetensors").open("rb") as file:
        module = build(RECIPE["architecture"], read_canonical(file))
    preprocessing = RECIPE["preprocessing"]
    size, protocol = preprocessing["input_size"], Protocol()
    normalisation = Normalisation(Preprocessing.of(preprocessing))
    explainer = make_explainer(protocol.salience.method, TargetHook(module, input_size=size))
    return ModelAuditor(explainer, normalisation, protocol, (0, 1))


def pixels(image: Tensor) -> NDArray[np.uint8]:
    """(3, S, S) uint8 -> (S, S, 3)."""
    found: NDArray[np.uint8] = image.permute(1, 2, 0).numpy()
    return found


def score_of(outcome: Outcome, view: str) -> Score:
    """No two measures have a view of one name."""
    return next(score for (_, name), score in outcome.scores.items() if name == view)


def defined(outcome: Outcome, view: str) -> NDArray[np.float64]:
    """The scores of the samples that have one."""
    score = score_of(outcome, view)
    return score.values[torch.tensor([reason is None for reason in score.reasons])].double().numpy()


def _control(outcome: Outcome, view: str) -> NDArray[np.float64]:
    score = score_of(outcome, view)
    if score.control is None:
        raise ValueError(f"{view} has no control")
    return score.control[torch.tensor([reason is None for reason in score.reasons])].double().numpy()
