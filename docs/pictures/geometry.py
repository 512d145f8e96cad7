"""One image moved three ways, its map carried back or left as it is, and all twelve views beside their controls."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from app.domain.views.families import FLIPS, ROTATIONS, SHIFTS
from docs.pictures.audited import STRATEGIES, Audited, pixels, score_of
from docs.pictures.choosing import typical
from docs.pictures.drawing import COLOURS, MARKERS, at_input, grid, over, save_png, save_svg, show, show_map
from worker.views.geometry import GeometricView, Pixels, default_shift_pixels

NETWORK = "cross_entropy_run1"
SHOWN = ("shift_left", "flip_horizontal", "rotate_90_cw")
VIEWS = (*SHIFTS, *FLIPS, *ROTATIONS)


def draw(audited: Audited) -> None:
    _strip(audited)
    figure = Figure(figsize=(7.2, 3.8), layout="constrained")
    axes = figure.subplots(1, len(STRATEGIES), sharey=True)
    for each, stem in zip(axes, STRATEGIES, strict=True):
        _controls(audited, stem, each)
    save_svg(figure, "geometry-controls")


def _strip(audited: Audited) -> None:
    outcome = audited.outcomes[NETWORK]
    place = typical(audited, score_of(outcome, "all"))
    figure, axes = grid(3, 1 + len(SHOWN))
    clean = at_input(outcome.clean.maps, place)
    show(axes[0, 0], over(audited.image(place), clean), "clean")
    show_map(axes[1, 0], clean, "its map")
    for column, name in enumerate(SHOWN, start=1):
        view = GeometricView(name, pixels=Pixels(*[default_shift_pixels(audited.batch.images.shape[-1])] * 2))
        image = pixels(view.transform(audited.batch, outcome.clean.maps)[place])
        score, maps = score_of(outcome, name), outcome.observations[name].maps
        carried = view.carry_back(maps.at_input, audited.batch.samples).maps
        show(axes[0, column], over(image, at_input(maps, place)), name)
        show_map(axes[1, column], carried[place].numpy(), f"score {score.values[place]:.2f}")
        control = 0.0 if score.control is None else float(score.control[place])
        show_map(axes[2, column], at_input(maps, place), f"control {control:.2f}")
    for row, words in ((1, "carried back"), (2, "as it is")):
        axes[row, 1].text(-0.06, 0.5, words, transform=axes[row, 1].transAxes, rotation=90, ha="right", va="center")
    save_png(figure, "geometry")


def _controls(audited: Audited, stem: str, axes: Axes) -> None:
    places = range(len(VIEWS))
    scores = [audited.mean(stem, view) for view in VIEWS]
    controls = [audited.control(stem, view) for view in VIEWS]
    axes.hlines(places, controls, scores, color="lightgrey", linewidth=3)
    axes.scatter(controls, places, color="black", marker="|", s=80, label="control")
    axes.scatter(scores, places, color=COLOURS[stem], marker=MARKERS[stem], label="score")
    axes.set(title=STRATEGIES[stem], xlabel="mean SSIM", xlim=(0, 1.02))
    axes.set_yticks(places, VIEWS)
    axes.set_ylim(len(VIEWS) - 0.5, -0.5)
    axes.grid(axis="x", alpha=0.3)
    axes.legend(loc="lower left", frameon=False)
