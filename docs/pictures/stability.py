"""One face, and what the three networks of each strategy look at in it."""

from docs.pictures.audited import RUNS, STRATEGIES, Audited
from docs.pictures.choosing import typical
from docs.pictures.drawing import at_input, grid, over, save_png, show


def draw(audited: Audited) -> None:
    """The face that is median for cross-entropy."""
    place = typical(audited, audited.stability["cross_entropy"].score)
    figure, axes = grid(len(STRATEGIES), 1 + len(RUNS), lines=2)
    for row, (stem, title) in enumerate(STRATEGIES.items()):
        stability = audited.stability[stem].score.values[place]
        show(axes[row, 0], audited.image(place), f"{title}\nstability {stability:.2f}")
        for column, outcome in enumerate(audited.runs(stem), start=1):
            image = over(audited.image(place), at_input(outcome.clean.maps, place))
            show(axes[row, column], image, f"run {column}")
    save_png(figure, "stability")
