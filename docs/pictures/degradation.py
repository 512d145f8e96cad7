"""Two images with their salience blurred away, and with everything else blurred away."""

from app.domain.measures.degradation import DegradationSettings
from app.domain.views.families import DEGRADATIONS
from app.domain.vocabulary import CLEAN
from docs.pictures.audited import Audited, pixels, score_of
from docs.pictures.choosing import ranked_faces
from docs.pictures.drawing import at_input, grid, over, save_png, show
from worker.views.degradation import DegradationView

NETWORK = "cross_entropy_run1"
SHARES = (0.1, 0.9)
"""Of the faces, by how well the map survives the removal of salience."""


def draw(audited: Audited) -> None:
    outcome = audited.outcomes[NETWORK]
    ranked = ranked_faces(audited, score_of(outcome, "salience_removed"))
    figure, axes = grid(2, 3 * len(SHARES))
    for number, share in enumerate(SHARES):
        place, first = ranked[round(share * (len(ranked) - 1))], 3 * number
        show(axes[0, first], audited.image(place), CLEAN)
        show(axes[1, first], over(audited.image(place), at_input(outcome.clean.maps, place)))
        for column, name in enumerate(DEGRADATIONS, start=first + 1):
            view = DegradationView(name, DegradationSettings())
            image = pixels(view.transform(audited.batch, outcome.clean.maps)[place])
            show(axes[0, column], image, name)
            changed = over(image, at_input(outcome.observations[name].maps, place))
            show(axes[1, column], changed, f"SSIM {score_of(outcome, name).values[place]:.2f}")
    save_png(figure, "degradation")
