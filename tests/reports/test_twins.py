"""A report of a model beside its random twin: as a figure, and number by number as a table."""

from typing import Any
from xml.etree import ElementTree as ET

import pytest

from app.domain.protocol import ProtocolRequest
from app.reports.figures import drawings
from app.reports.figures.rendering import as_svg
from app.reports.job import ReportJob
from app.reports.page import page
from tests.reports import small_reports
from tests.reports.reading import Report
from tests.reports.small_reports import summary

DISTANCES: list[dict[str, Any]] = [
    {"measure": "entropy", "view": "spatial", "n": 30, "mean": 0.71, "random_mean": 0.94, "difference": -0.23}
    | {"ci95_low": -0.25, "ci95_high": -0.2, "better": True},
    {"measure": "noise_reaction", "view": "noise@0.05", "n": 30, "mean": 0.4, "random_mean": 0.9, "difference": -0.5}
    | {"ci95_low": -0.6, "ci95_high": -0.4, "better": False},
]


def job(sections: list[dict[str, Any]]) -> ReportJob:
    rise = summary("sanity", "entropy_rise", 0.3, model_id=None)
    found = small_reports.job(summary("entropy", "spatial", 0.71), rise)
    found.documents["1"]["sanity"] = sections  # type: ignore[typeddict-item]
    measures = small_reports.MEASURES | {"sanity": {}}
    return found.model_copy(
        update={"protocol": ProtocolRequest.model_validate({"measures": measures}).resolve().to_json()}
    )


@pytest.fixture(scope="module")
def beside() -> ReportJob:
    return job([{"model_id": "m", "entropy_rise": 0.3, "distances": DISTANCES}])


def test_every_number_stands_beside_the_twins(beside: ReportJob) -> None:
    rows = Report(page(beside)).table("net beside the same network with random weights")
    assert rows == [
        ["number", "model", "random twin", "difference", "95% interval", "better than random"],
        [
            "Entropy, spatial",
            "0.710",
            "0.940",
            "\N{MINUS SIGN}0.230",
            "\N{MINUS SIGN}0.250 to \N{MINUS SIGN}0.200",
            "yes",
        ],
        [
            "Noise reaction, noise 5%",
            "0.400",
            "0.900",
            "\N{MINUS SIGN}0.500",
            "\N{MINUS SIGN}0.600 to \N{MINUS SIGN}0.400",
            "no",
        ],
    ]


def test_the_figure_has_a_mark_for_both(beside: ReportJob) -> None:
    drawing = drawings(beside)["sanity"]
    assert "net: Entropy, spatial 0.71 (twin 0.94), Noise reaction, noise 5% 0.40 (twin 0.90)" in drawing.alt
    svg = as_svg(drawing)
    ET.fromstring(svg)
    assert b"Entropy" in svg
    assert "sanity" not in drawings(job([])), "a model without a twin"
