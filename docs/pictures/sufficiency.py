"""A face of which more and more is kept, or removed, in the order of its map."""

from app.domain.measures.sufficiency import KEPT, REMOVED
from app.domain.views.families import filled_view
from docs.pictures.audited import RECIPE, pixels
from docs.pictures.beside import Faces, asked, network
from docs.pictures.choosing import middle
from docs.pictures.drawing import grid, save_png, show

NETWORK = "cross_entropy_run1"
SHARES = (0.02, 0.1, 0.2, 0.5)


def draw() -> None:
    faces, protocol = Faces.plain(), asked({"sufficiency": {"shares": SHARES}})
    outcome = faces.looked_at(network(NETWORK).module(), protocol)
    place = middle(outcome.scores["sufficiency", KEPT])
    views = faces.views(protocol, outcome)
    figure, axes = grid(2, len(SHARES), lines=2)
    for row, order in enumerate((KEPT, REMOVED)):
        for column, share in enumerate(SHARES):
            view = filled_view(order, share)
            score = outcome.scores["sufficiency", view].values[place]
            told = RECIPE["class_names"][int(outcome.observations[view].predicted[place])]
            image = pixels(views[view].transform(faces.batch, outcome.clean.maps)[place])
            show(axes[row, column], image, f"{share:.0%} {order}:\n{told}, {score:.2f}")
    save_png(figure, "sufficiency")
