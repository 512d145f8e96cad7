"""Faces as a network sees them, and as its random twin does."""

import torch

from docs.pictures.beside import Faces, asked, network
from docs.pictures.drawing import at_input, grid, over, save_png, show
from worker.measures.sanity import sanity

NETWORK = "cross_entropy_run1"
SHARES = (0.0, 0.5, 1.0)
"""Of the faces, by how far the entropy rises."""


def draw() -> None:
    faces, trained, protocol = Faces.plain(), network(NETWORK), asked({"entropy": {}})
    own, twin = (faces.looked_at(one.module(), protocol).clean.maps for one in (trained, trained.twin()))
    score = sanity([own, twin]).score
    known = [place for place, reason in enumerate(score.reasons) if reason is None]
    ranked = sorted(known, key=lambda place: float(score.values[place]))
    figure, axes = grid(2, len(SHARES))
    for column, share in enumerate(SHARES):
        place = ranked[round(share * (len(ranked) - 1))]
        rise = float(torch.as_tensor(score.values[place]))
        show(axes[0, column], over(faces.image(place), at_input(own, place)), "as trained")
        show(axes[1, column], over(faces.image(place), at_input(twin, place)), f"random weights: {rise:+.2f}")
    save_png(figure, "sanity")
