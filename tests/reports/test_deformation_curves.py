"""Figures of listed deformations: a row each, by severity or number."""

import re
from typing import Any

import pytest

from app.domain.views.deformations import DEFORMATIONS
from app.reports.figures import Drawing, drawings
from app.reports.figures.deformation_curves import MOST_PANELS
from app.reports.figures.rendering import as_svg
from app.reports.job import ReportJob
from tests.reports import full_reports

Json = dict[str, Any]


def point(mean: float, auroc: float | None, **more: Any) -> Json:
    return {"mean": mean, "std": 0.1, "auroc": auroc, "accuracy": auroc, "flip_rate": 0.25} | more


def moved(*scales: float, auroc: float | None = 0.7) -> Json:
    points = [point(0.6, auroc, number=scale, control_mean=-0.2) for scale in scales]
    return {"model_id": "m0", "kind": "scale", "points": points}


def deformed(kind: str, auroc: float | None = 0.75) -> Json:
    return {"model_id": "m0", "kind": kind, "points": [point(0.5, auroc, severity=2), point(0.4, 0.625, severity=5)]}


def asked(deformations: list[Json], moves: list[Json], classes: int = 2) -> ReportJob:
    made = full_reports.audit(["net"], classes)
    measures, document = made.protocol["measures"], made.documents["1"]
    kinds = [{"kind": curve["kind"], "severities": [2, 5]} for curve in deformations]
    measures["noise_reaction"] = measures["noise_reaction"] | {"deformations": kinds}
    values = [{"kind": one["kind"], "values": [point["number"] for point in one["points"]]} for one in moves]
    measures["geometric_resilience"] = measures["geometric_resilience"] | {"deformations": values}
    document |= {"deformation_curves": deformations, "move_curves": moves}  # type: ignore[typeddict-item]
    return made


def words(drawing: Drawing) -> list[str]:
    return re.findall(r">([^<>]+)</text>", as_svg(drawing).decode())


def test_moves_stand_by_number_around_what_moves_nothing() -> None:
    found = drawings(asked([], [moved(0.5, 2)]))
    figure, clean = found["move-curves"], found["noise-curve"].tables[0].rows[0]
    assert figure.tables[0].head[:4] == ("view", "SSIM", "std over samples", "control")
    assert figure.tables[0].rows == (
        ("clean", "1.000", "0.000", "\N{EN DASH}", *clean[3:]),
        ("scale 0.5 times", "0.600", "0.100", "\N{MINUS SIGN}0.200", "0.700", "0.700", "25.0%"),
        ("scale 2 times", "0.600", "0.100", "\N{MINUS SIGN}0.200", "0.700", "0.700", "25.0%"),
    )
    assert "net: SSIM 0.60 at 0.5, 0.60 at 2" in figure.alt
    assert "Hollow: control" in figure.note
    assert words(figure).count("scale (times)") == 2
    assert "deformation-curves" not in found


def test_deformations_are_a_row_each_and_as_many_figures_as_pages() -> None:
    kinds = list(DEFORMATIONS)[: MOST_PANELS + 1]
    found = drawings(asked([deformed(kind) for kind in kinds], []))
    first, second = found["deformation-curves-1"], found["deformation-curves-2"]
    assert [len(one.tables[0].rows) for one in (first, second)] == [1 + 2 * MOST_PANELS, 1 + 2]
    assert "Hollow" not in first.note
    assert words(first).count("net") == 1, "named once, whatever the rows"
    assert {"gaussian noise, severity", "SSIM of the maps", "AUROC", "0", "4"} <= {*words(first)}
    assert first.size[1] > second.size[1]


@pytest.mark.parametrize("classes", [0, 2])
def test_without_labels_maps_alone_are_drawn(classes: int) -> None:
    curve = deformed("frost", auroc=None)
    curve["points"][1]["auroc"] = None
    figure = drawings(asked([curve], [], classes))["deformation-curves"]
    assert ("AUROC" in words(figure)) == ("AUROC" in figure.alt) == ("AUROC" in figure.note) == (classes > 0)


def test_results_of_before_there_were_curves_have_no_figure() -> None:
    made = asked([], [moved(0.5)])
    del made.documents["1"]["move_curves"]
    assert "move-curves" not in drawings(made)
