"""A face moved by whole cells, under a network that follows a little and one that stands still."""

from app.domain.views.families import cells_view
from docs.pictures.audited import pixels
from docs.pictures.beside import Faces, asked, network
from docs.pictures.choosing import middle
from docs.pictures.drawing import at_input, grid, over, save_png, show

NETWORKS = {"cross_entropy_run2": "cross-entropy", "human_guided_run1": "human-guided"}
CELLS = (1, 2, 3)


def draw() -> None:
    faces, protocol = Faces.plain(), asked({"equivariance": {}})
    figure, axes = grid(len(NETWORKS), 1 + len(CELLS), lines=2)
    for row, (name, title) in enumerate(NETWORKS.items()):
        outcome = faces.looked_at(network(name).module(), protocol)
        place = middle(outcome.scores["equivariance", "shifts"])
        views = faces.views(protocol, outcome)
        show(axes[row, 0], over(faces.image(place), at_input(outcome.clean.maps, place)), f"{title},\nas it is")
        for column, count in enumerate(CELLS, start=1):
            view = cells_view(count, "right")
            score = outcome.scores["equivariance", view]
            control = float("nan") if score.control is None else float(score.control[place])
            moved = pixels(views[view].transform(faces.batch, outcome.clean.maps)[place])
            caption = f"follows: {score.values[place]:.2f},\nstands still: {control:.2f}"
            show(axes[row, column], over(moved, at_input(outcome.observations[view].maps, place)), caption)
    save_png(figure, "equivariance")
