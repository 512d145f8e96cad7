"""One image under more and more noise, and the curve over all of them (Fig. 4 of the paper)."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from app.domain.statistics.roc import auroc
from app.domain.views.families import noise_view
from docs.pictures.audited import STRATEGIES, Audited, pixels, score_of
from docs.pictures.choosing import typical
from docs.pictures.drawing import COLOURS, MARKERS, at_input, grid, over, save_png, save_svg, show
from worker.engine.observing import Observation
from worker.views.noise import NoiseView

NETWORK = "cross_entropy_run1"
CURVE = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0)
SHOWN = (0.01, 0.05, 0.25, 1.0)


def draw(audited: Audited) -> None:
    _strip(audited)
    figure = Figure(figsize=(7.2, 3.0), layout="constrained")
    salience, accuracy = figure.subplots(1, 2)
    _curves(audited, salience)
    _aurocs(audited, accuracy)
    figure.legend(*salience.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    save_svg(figure, "noise-curve")


def _strip(audited: Audited) -> None:
    outcome = audited.outcomes[NETWORK]
    place = typical(audited, score_of(outcome, noise_view(0.05)))
    figure, axes = grid(2, 1 + len(SHOWN))
    show(axes[0, 0], audited.image(place), "clean")
    show(axes[1, 0], over(audited.image(place), at_input(outcome.clean.maps, place)))
    for column, amount in enumerate(SHOWN, start=1):
        view = NoiseView(amount=amount, seed=0)
        image = pixels(view.transform(audited.batch, outcome.clean.maps)[place])
        show(axes[0, column], image, f"{amount:.0%}")
        maps = over(image, at_input(outcome.observations[view.name].maps, place))
        show(axes[1, column], maps, f"SSIM {score_of(outcome, view.name).values[place]:.2f}")
    save_png(figure, "noise")


def _curves(audited: Audited, axes: Axes) -> None:
    for stem, title in STRATEGIES.items():
        means = [audited.mean(stem, noise_view(amount)) for amount in CURVE]
        axes.plot(CURVE, means, color=COLOURS[stem], marker=MARKERS[stem], label=title)
    axes.set(xlabel="share of noisy values", ylabel="noise reaction (mean SSIM)", ylim=(0, 1.02))
    axes.grid(alpha=0.3)


def _aurocs(audited: Audited, axes: Axes) -> None:
    for stem in STRATEGIES:
        values = [
            sum(_auroc(audited, run.observations[noise_view(amount)]) for run in audited.runs(stem))
            / len(audited.runs(stem))
            for amount in CURVE
        ]
        axes.plot(CURVE, values, color=COLOURS[stem], marker=MARKERS[stem])
    axes.axhline(0.5, color="grey", linestyle=":")
    axes.set(xlabel="share of noisy values", ylabel="AUROC", ylim=(0, 1.02))
    axes.grid(alpha=0.3)


def _auroc(audited: Audited, observation: Observation) -> float:
    area = auroc(observation.class_scores[:, 1].numpy(), (audited.truth == 1).numpy())
    if area is None:
        raise ValueError("one class is missing")
    return area
