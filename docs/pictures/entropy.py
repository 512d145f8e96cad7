"""Maps of one network from its most to its least focused."""

from docs.pictures.audited import Audited, score_of
from docs.pictures.drawing import at_input, grid, native, over, save_png, show, show_map

NETWORK = "cross_entropy_run1"
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
TITLES = ("lowest", "lower quartile", "median", "upper quartile", "highest")


def draw(audited: Audited) -> None:
    outcome = audited.outcomes[NETWORK]
    spatial, histogram = (score_of(outcome, reading) for reading in ("spatial", "histogram"))
    places = [place for place, reason in enumerate(spatial.reasons) if reason is None]
    ranked = sorted(places, key=lambda place: float(spatial.values[place]))
    figure, axes = grid(2, len(SHARES), lines=2)
    for column, share in enumerate(SHARES):
        place = ranked[round(share * (len(ranked) - 1))]
        numbers = f"spatial {spatial.values[place]:.2f}, histogram {histogram.values[place]:.2f}"
        axes[0, column].set_title(TITLES[column], fontsize=9)
        show(axes[0, column], over(audited.image(place), at_input(outcome.clean.maps, place)))
        show_map(axes[1, column], native(outcome.clean.maps, place), numbers.replace(", ", "\n"))
    save_png(figure, "entropy")
