"""Outcomes of several batches as one."""

import torch

from worker.engine.measuring import Outcome
from worker.engine.observing import Observation
from worker.measures.base import Score
from worker.views.maps import SalienceMaps


def joined(parts: list[Outcome]) -> Outcome:
    """In their order."""
    first = parts[0]
    observations = {name: _observation([part.observations[name] for part in parts]) for name in first.observations}
    return Outcome(observations, {name: _score([part.scores[name] for part in parts]) for name in first.scores})


def _observation(parts: list[Observation]) -> Observation:
    maps = [part.maps for part in parts]
    reasons = tuple(reason for part in maps for reason in part.reasons)
    return Observation(
        SalienceMaps(torch.cat([part.native for part in maps]), reasons, maps[0].input_size),
        torch.cat([part.predicted for part in parts]),
        torch.cat([part.class_scores for part in parts]),
    )


def _score(parts: list[Score]) -> Score:
    controls = [part.control for part in parts if part.control is not None]
    reasons = tuple(reason for part in parts for reason in part.reasons)
    return Score(torch.cat([part.values for part in parts]), reasons, torch.cat(controls) if controls else None)
