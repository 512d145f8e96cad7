"""Figures 4, 9 and 11: noise curve and radar as the service draws them, and the ROC curves of Figure 9.

The service's own ROC curves leave out noisy images, which the paper's figure has.
"""

from pathlib import Path
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from examples.paper.tables import CONDITIONS
from salience_audit import Client
from salience_audit.results import Results

DRAWN = {"figure-4": "noise-curve", "figure-11": "radar"}
"""Files, by the service's name of what is in them."""
FORMS: tuple[Literal["png"], Literal["svg"]] = ("png", "svg")
COLOURS = ("black", "tab:orange", "tab:red", "tab:blue")


def draw(client: Client, comparison_id: str, results: dict[tuple[str, str], Results], folder: Path) -> None:
    """Writes ``figure-4``, ``figure-9`` and ``figure-11``, each as PNG and SVG."""
    for file, name in DRAWN.items():
        for form in FORMS:
            (folder / f"{file}.{form}").write_bytes(client.comparison_plot(comparison_id, name, form))
    figure = Figure(figsize=(9, 9), layout="constrained")
    panels = figure.subplots(2, 2, sharex=True, sharey=True).ravel()
    for panel, (group, document) in zip(panels, results.items(), strict=True):
        _draw_curves(panel, document)
        panel.set_title(" ".join(reversed(group)))
    panels[0].legend(loc="lower right")
    for form in FORMS:
        figure.savefig(folder / f"figure-9.{form}", dpi=120)


def _draw_curves(panel: Axes, document: Results) -> None:
    """A line a run, a colour a kind of image; dotted: chance."""
    panel.plot([0, 1], [0, 1], ":", color="grey")
    panel.set(xlabel="false positive rate", ylabel="true positive rate", aspect="equal")
    for condition, colour in zip(CONDITIONS, COLOURS, strict=True):
        rows = [row for row in document["performance"] if row["condition"] == condition and row["roc"] is not None]
        for place, row in enumerate(rows):
            panel.plot(row["roc"]["fpr"], row["roc"]["tpr"], color=colour, label=None if place else condition)
