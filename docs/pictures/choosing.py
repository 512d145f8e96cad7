"""Which image stands for all: no picture is picked by hand."""

import torch

from docs.pictures.audited import Audited
from worker.measures.base import Score


def typical(audited: Audited, score: Score) -> int:
    """The place of the face whose score is the faces' median."""
    ranked = ranked_faces(audited, score)
    return ranked[len(ranked) // 2]


def ranked_faces(audited: Audited, score: Score) -> list[int]:
    """Places of the faces that have a score, the lowest first."""
    faces = [place for place in torch.nonzero(audited.truth == 0).flatten().tolist() if score.reasons[place] is None]
    return sorted(faces, key=lambda place: float(score.values[place]))


def middle(score: Score) -> int:
    """The place of the median, of those that have a score."""
    known = [place for place, reason in enumerate(score.reasons) if reason is None]
    return sorted(known, key=lambda place: float(score.values[place]))[len(known) // 2]
