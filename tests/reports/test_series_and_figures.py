"""Which series a report has, under which names, and figures that have room for them."""

import re
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from app.reports.figures.drawing import Drawing, legend, with_legend
from app.reports.figures.rendering import as_svg
from app.reports.job import ReportJob
from app.reports.page import page
from app.reports.series import all_together, series_of_audit, series_of_comparison
from app.reports.series_part import Series
from tests.reports.reading import Report
from tests.reports.small_reports import MEASURES, job, summary

Json = Any
"""Documents written by hand, with what a test is about and no more."""


def audit(*names: str) -> Json:
    """Results of several models, with the stability of all of them."""
    shared = summary("stability", "pairs", 0.51, model_id=None)
    of_models = [summary("entropy", "spatial", 0.5, model_id=str(place)) for place in range(len(names))]
    return {
        "audit_id": "1",
        "protocol": {"measures": MEASURES | {"stability": {}}},
        "models": [{"model_id": str(place), "name": name, "digest": ""} for place, name in enumerate(names)],
        "summaries": [shared, *of_models],
        "across_models": [summary("entropy", "spatial", 0.5, n_models=len(names), min=0.5, max=0.5)],
        "stability": {"model_ids": ["0", "1"], "pair_means": [[1, 0.51], [0.51, 1]], "mean_to_others": [0.51, 0.51]},
        "performance": [],
        "noise_curves": [],
    }


def test_no_two_series_have_one_name() -> None:
    all_series = series_of_audit(audit("a", "a", "a (1)"), None, as_runs=False)
    assert [series.name for series in all_series] == ["a (2)", "a (3)", "a (1)"]
    shown: list[dict[str, Any]] = [
        {"audit_id": "1", "audit_name": "nightly", "models": [{}, {}], "across_models": []} for _ in range(2)
    ]
    shown = [one | {"totals": [], "radar": {}, "models": [{"model_id": "m"}] * 2} for one in shown]
    compared: Json = {"sides": shown}
    assert [series.name for series in series_of_comparison(compared)] == ["nightly (1)", "nightly (2)"]


def test_stability_is_of_all_models_and_of_no_single_one() -> None:
    document = audit("a", "b")
    single = series_of_audit(document, None, as_runs=False)
    assert [series.radar["stability"] for series in single] == [None, None]
    together = all_together(document, single)
    assert together is not None
    assert (together.radar["stability"], together.model_ids) == (0.51, ("0", "1"))
    runs = series_of_audit(document, "recipe", as_runs=True)
    assert [series.radar["stability"] for series in runs] == [0.51]
    assert all_together(document, runs) is None


def test_a_report_without_scores_does_not_say_that_none_is_undefined() -> None:
    gone = job(summary("entropy", "spatial", 0.5)).model_copy(update={"undefined": None})
    assert "The scores per sample were removed as old" in page(gone)
    assert "every sample has every score" not in page(gone)


def test_documents_travel_once_however_many_series_there_are() -> None:
    whole = job(summary("entropy", "spatial", 0.123456789))
    all_series = [Series(name=str(n), audit_id="1", model_ids=("m",), totals=[], radar={}) for n in range(8)]
    text = whole.model_copy(update={"all_series": all_series}).model_dump_json()
    assert text.count("0.123456789") == 1
    read = ReportJob.model_validate_json(text)
    assert all(series.document is read.documents["1"] for series in read.all_series)


@pytest.mark.parametrize("names", [["resnet50-cross-entropy-run1"] * 3, ["x" * 16] * 3, ["n" * 200] * 10, ["a", "b"]])
def test_a_legend_fits_into_its_figure(names: list[str]) -> None:
    """Every letter of it begins inside, and ends there by its estimated width."""

    def draw(figure: Any, _: Any) -> None:
        axes = figure.add_subplot()
        for place, name in enumerate(names):
            axes.plot([0, 1], [0, place], label=name[:28])
        legend(figure, names)

    size = with_legend((4.4, 2.7), names)
    svg = as_svg(Drawing("n", "s", "t", "a", draw, (), size)).decode()
    width = float(re.search(r'viewBox="0 0 ([0-9.]+)', svg)[1])  # type: ignore[index]
    texts = re.findall(r"translate\(([-0-9.]+) [-0-9.]+\)[^>]*>([^<]*)</text>", svg) or re.findall(
        r'<text[^>]*x="([-0-9.]+)"[^>]*>([^<]*)</text>', svg
    )
    shown = [(float(left), text) for left, text in texts if text in {name[:28] for name in names}]
    assert len(shown) == len(names)
    assert all(left >= 0 and left + 4.2 * len(text) <= width for left, text in shown)


def test_names_with_control_characters_and_underscores_are_drawn() -> None:
    found = page(job(summary("entropy", "spatial", 0.5)))
    assert Report(found).tables
    odd = job(summary("entropy", "spatial", 0.5))
    series = odd.all_series[0].model_copy(update={"name": "_a\x01b"})
    series.attach(odd.documents["1"])
    from app.reports.figures import drawings

    svg = as_svg(drawings(odd.model_copy(update={"all_series": [series]}))["radar"])
    ET.fromstring(svg)
    assert "_a\N{REPLACEMENT CHARACTER}b" in svg.decode()
