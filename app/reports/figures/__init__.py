"""The figures of a report, by name: the list is the documentation."""

from app.reports.figures.curves import noise_curves
from app.reports.figures.distributions import distributions
from app.reports.figures.drawing import Drawing
from app.reports.figures.geometry import geometry
from app.reports.figures.pairs import pair_matrices
from app.reports.figures.polygon import radar_figure
from app.reports.figures.roc import roc_curves
from app.reports.job import ReportJob

MAKERS = (radar_figure, distributions, noise_curves, geometry, roc_curves, pair_matrices)


def drawings(job: ReportJob) -> dict[str, Drawing]:
    """Those that the job has numbers for, in the order of the page."""
    return {drawing.name: drawing for make in MAKERS for drawing in make(job)}


__all__ = ["Drawing", "drawings"]
