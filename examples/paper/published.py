"""The paper's numbers: Crum et al. 2023, Tables 1 and 2, totals. What its figures show is not held here.

Each row has the four groups in the order of `GROUPS`: cross-entropy DenseNet and ResNet, human-guided DenseNet and
ResNet.
"""

from typing import NamedTuple

Four = tuple[float, float, float, float]


class Row(NamedTuple):
    """A row of a table: its title, the measure and view in the service's results, and the paper's four numbers."""

    title: str
    measure: str
    view: str
    paper: Four


TABLE_1 = (
    Row("S_E entropy", "entropy", "histogram", (0.894, 0.875, 0.813, 0.859)),
    Row("S_N noise 5%", "noise_reaction", "noise@0.05", (0.555, 0.265, 0.494, 0.485)),
    Row("S_D salience removed", "degradation", "salience_removed", (0.501, 0.698, 0.591, 0.757)),
    Row("S_D non-salience removed", "degradation", "non_salience_removed", (0.849, 0.703, 0.687, 0.781)),
    Row("S_S stability", "stability", "pairs", (0.747, 0.392, 0.922, 0.929)),
)
TABLE_2 = (
    Row("S_G shifts", "geometric_resilience", "shifts", (0.825, 0.609, 0.841, 0.716)),
    Row("S_G flips", "geometric_resilience", "flips", (0.690, 0.491, 0.640, 0.600)),
    Row("S_G rotations", "geometric_resilience", "rotations", (0.852, 0.814, 0.839, 0.851)),
)
ROWS = (*TABLE_1, *TABLE_2)


def radar(place: int) -> dict[str, float]:
    """The axes of Figure 11 for one group, computed from the tables by the formulas of the service's radar.

    Geometric resilience is the mean over the twelve transformations: eight shifts, two flips, two rotations.
    """
    number = {(row.measure, row.view): row.paper[place] for row in ROWS}
    shifts, flips, turns = (number["geometric_resilience", view] for view in ("shifts", "flips", "rotations"))
    removed, kept = (number["degradation", view] for view in ("salience_removed", "non_salience_removed"))
    return {
        "entropy": 1 - number["entropy", "histogram"],
        "noise_reaction": number["noise_reaction", "noise@0.05"],
        "geometric_resilience": (8 * shifts + 2 * flips + 2 * turns) / 12,
        "degradation": (1 - removed + kept) / 2,
        "stability": number["stability", "pairs"],
    }
