"""Both strategies on the radar's five axes (Fig. 11 of the paper)."""

import numpy as np
from matplotlib.figure import Figure

from app.domain.protocol import Protocol
from app.domain.results.radar import headline_views, radar
from docs.pictures.audited import STRATEGIES, Audited
from docs.pictures.drawing import COLOURS, MARKERS, save_svg

TITLES = ("focus\n(1 - entropy)", "noise\nreaction", "geometric\nresilience", "degradation", "stability")


def draw(audited: Audited) -> None:
    figure = Figure(figsize=(5.4, 4.2), layout="constrained")
    axes = figure.add_subplot(projection="polar")
    axes.set_theta_offset(np.pi / 2)  # type: ignore[attr-defined]  # of polar axes
    axes.set_theta_direction(-1)  # type: ignore[attr-defined]
    angles = np.arange(len(TITLES)) / len(TITLES) * 2 * np.pi
    for stem, title in STRATEGIES.items():
        values = [value or 0.0 for value in axes_of(audited, stem).values()]
        closed = np.append(angles, angles[0]), [*values, values[0]]
        axes.plot(*closed, color=COLOURS[stem], marker=MARKERS[stem], label=title)
        axes.fill(*closed, color=COLOURS[stem], alpha=0.1)
    axes.set_xticks(angles, TITLES)
    axes.tick_params(pad=12)
    axes.set_ylim(0, 1)
    axes.set_yticks([0.2, 0.4, 0.6, 0.8])
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    save_svg(figure, "radar")


def axes_of(audited: Audited, stem: str) -> dict[str, float | None]:
    """From means over samples, then over the strategy's networks."""
    protocol = Protocol()
    means: dict[tuple[str, str], float | None] = {
        (measure, view): audited.mean(stem, view)
        for measure, views in headline_views(protocol).items()
        for view in views
        if view != "pairs"
    }
    means["stability", "pairs"] = float(audited.stability[stem].score.values.mean())
    return radar(protocol, means)
