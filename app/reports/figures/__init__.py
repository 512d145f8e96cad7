"""The figures of a report, by name: the list is the documentation."""

from collections.abc import Callable
from typing import Any

from app.domain.measures import MEASURES, MeasureSpec
from app.reports.figures.deformation_curves import deformation_curves, move_curves
from app.reports.figures.distributions import distributions
from app.reports.figures.drawing import Drawing
from app.reports.figures.geometry import geometry
from app.reports.figures.noise_curve import noise_curves
from app.reports.figures.pairs import pair_matrices
from app.reports.figures.places import where_maps_lie
from app.reports.figures.polygon import radar_figure
from app.reports.figures.roc import roc_curves
from app.reports.figures.twins import twins
from app.reports.job import ReportJob

FIGURES: dict[str, Callable[[ReportJob, MeasureSpec[Any]], list[Drawing]]] = {
    "noise-curve": noise_curves,
    "deformation-curves": deformation_curves,
    "geometry": geometry,
    "move-curves": move_curves,
    "roc": roc_curves,
    "pairs": pair_matrices,
    "twins": twins,
}
"""What a measure's page may name among its figures."""


def drawings(job: ReportJob) -> dict[str, Drawing]:
    """Those that the job has numbers for, in the order of the page."""
    of_measures = [
        drawing
        for name, make in FIGURES.items()
        for spec in MEASURES.values()
        if name in spec.figures
        for drawing in make(job, spec)
    ]
    return {
        drawing.name: drawing
        for drawing in (*where_maps_lie(job), *radar_figure(job), *distributions(job), *of_measures)
    }


__all__ = ["Drawing", "drawings"]
