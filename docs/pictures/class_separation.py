"""Faces with the map of the class that is predicted, and with that of the other class."""

from docs.pictures.beside import Faces, asked, network
from docs.pictures.drawing import at_input, grid, over, save_png, show
from worker.measures import PAIRINGS
from worker.salience.other_class import OtherClassExplainer

NETWORK = "cross_entropy_run1"
SHARES = (0.0, 0.5, 1.0)
"""Of the faces for which both classes have a map, by how alike these are."""


def draw() -> None:
    faces, module, protocol = Faces.plain(), network(NETWORK).module(), asked({"entropy": {}})
    own = faces.looked_at(module, protocol).clean.maps
    other = faces.looked_at(module, protocol, OtherClassExplainer).clean.maps
    score = PAIRINGS["class_separation"]([own, other]).score
    known = [place for place, reason in enumerate(score.reasons) if reason is None]
    ranked = sorted(known, key=lambda place: float(score.values[place]))
    places = [ranked[round(share * (len(ranked) - 1))] for share in SHARES]
    figure, axes = grid(2, len(places))
    for column, place in enumerate(places):
        show(axes[0, column], over(faces.image(place), at_input(own, place)), "predicted class")
        show(
            axes[1, column], over(faces.image(place), at_input(other, place)), f"other: SSIM {score.values[place]:.2f}"
        )
    save_png(figure, "class-separation")
