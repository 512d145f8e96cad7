"""The report of a comparison: who does better in what, on the same samples."""

from typing import Any

import httpx
import pytest

from app.domain.results.meaning import reason
from tests.reports.reading import Report, written

Json = dict[str, Any]


@pytest.fixture(scope="module")
def report(service: httpx.Client, strategies_compared: Json) -> Report:
    answer = service.get(f"/v1/comparisons/{strategies_compared['id']}/report")
    assert answer.status_code == 200, answer.text
    return Report(answer.text)


def test_both_sides_stand_in_every_table(report: Report) -> None:
    assert report.table("The radar's numbers")[0] == ["axis", "cross_entropy", "human_guided", "how it is made"]
    assert report.table("Stability, pairs of runs, by label")[0] == ["group", "cross_entropy", "human_guided"]
    assert len([label for label in report.labels if label.startswith("ROC")]) == 2
    assert len([label for label in report.labels if label.startswith("Matrix")]) == 2


def test_differences_are_those_of_the_comparison(report: Report, strategies_compared: Json) -> None:
    rows = {row[0]: row for row in report.table("Paired differences: ")[1:]}
    wanted = {"measure": "entropy", "view": "spatial", "group_by": "total", "group": "macro"}
    row = next(row for row in strategies_compared["results"]["differences"] if wanted.items() <= row.items())
    shown = rows["Entropy, spatial"]
    assert shown[2:4] == [written(row["mean_first"]), written(row["mean_second"])]
    difference = f"{row['difference']:+.3f}".replace("-", "\N{MINUS SIGN}")
    silent = f" says nothing: {reason(row['says_nothing'])}" if row["says_nothing"] else ""
    assert shown[4] == difference + silent
    won = row["favours"] is not None and not silent
    assert shown[7] == (("cross_entropy", "human_guided")[row["favours"]] if won else "\N{EN DASH}")


def test_what_stands_out_says_who_does_better(report: Report, strategies_compared: Json) -> None:
    total = ("total", "macro")
    clear = [
        row
        for row in strategies_compared["results"]["differences"]
        if (row["group_by"], row["group"]) == total and row["favours"] is not None and row["view"] == "spatial"
        if not row["says_nothing"]
    ]
    sentence = "human_guided does better in entropy (spatial)"
    assert (sentence in report.words()) == bool([row for row in clear if row["favours"] == 1])
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
