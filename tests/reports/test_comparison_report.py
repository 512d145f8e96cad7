"""The report of a comparison: who does better in what, on the same samples."""

from typing import Any

import httpx
import pytest

from tests.reports.reading import Report, written

Json = dict[str, Any]


@pytest.fixture(scope="module")
def report(service: httpx.Client, strategies_compared: Json) -> Report:
    answer = service.get(f"/v1/comparisons/{strategies_compared['id']}/report")
    assert answer.status_code == 200, answer.text
    return Report(answer.text)


def test_both_sides_stand_in_every_table(report: Report) -> None:
    assert report.table("The radar's numbers")[0] == ["axis", "cross_entropy", "human_guided", "how it is made"]
    beside = ["difference", "95% interval", "better"]
    assert report.table("Stability, pairs of runs, by label")[0] == ["group", "cross_entropy", "human_guided", *beside]
    assert len([label for label in report.labels if label.startswith("ROC")]) == 2
    assert len([label for label in report.labels if label.startswith("Matrix")]) == 2


def test_differences_are_those_of_the_comparison(report: Report, strategies_compared: Json) -> None:
    rows = {row[0]: row for row in report.table("Paired differences: ")[1:]}
    wanted = {"measure": "entropy", "view": "spatial", "group_by": "total", "group": "macro"}
    row = next(row for row in strategies_compared["results"]["differences"] if wanted.items() <= row.items())
    shown = rows["Entropy, spatial"]
    assert shown[1:3] == [written(row["mean_first"]), written(row["mean_second"])]
    difference = f"{row['difference']:+.3f}".replace("-", "\N{MINUS SIGN}")
    number, silent, _ = shown[3].partition(" says nothing: ")
    assert (number, bool(silent)) == (difference, bool(row["says_nothing"]))
    won = row["favours"] is not None and not silent
    assert shown[6] == (("cross_entropy", "human_guided")[row["favours"]] if won else "\N{EN DASH}")


def test_accuracy_comes_before_the_measures(report: Report) -> None:
    assert "Accuracy does not tell them apart" in report.words() or "not equally accurate" in report.words()


def test_the_gallery_holds_the_samples_that_differ_most(report: Report, strategies_compared: Json) -> None:
    table = next(
        table
        for table in strategies_compared["results"]["most_different_samples"]
        if table["measure"] == "noise_reaction"
    )
    shown = [picture.alt for picture in report.pictures if picture.alt.endswith("human_guided: noise 5%")]
    assert [alt.partition(": ")[0] for alt in shown] == [sample["sample"] for sample in table["samples"][:2]]


def test_its_figures_alone(service: httpx.Client, strategies_compared: Json) -> None:
    answer = service.get(f"/v1/comparisons/{strategies_compared['id']}/plots/roc-2.svg")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
    assert all(name in answer.text for name in ("false positive rate", "salience removed", "non-salience removed"))
