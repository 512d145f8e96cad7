"""What stands out, on numbers that were written by hand."""

from typing import Any

import pytest

from app.reports.findings import findings, lead
from app.reports.job import ReportJob, Side
from tests.reports.small_reports import job, summary

Json = dict[str, Any]


def sentences(of: ReportJob) -> list[str]:
    return [sentence for _, found in findings(of) for sentence in found]


def test_nothing_is_said_of_nothing() -> None:
    assert sentences(job()) == []


def test_accuracy() -> None:
    assert sentences(job(accuracy=0.9375)) == ["Clean accuracy is 93.8%."]


def test_a_score_stands_above_its_control_by_more_than_chance() -> None:
    """Rotations by 0.02 with an interval of 0.01, flips by 0.005."""
    found = sentences(
        job(
            summary("geometric_resilience", "flips", 0.7, control_mean=0.695),
            summary("geometric_resilience", "rotations", 0.8, control_mean=0.78),
        )
    )
    assert found == [
        "The maps follow the image under rotations (0.80, control 0.78).",
        "Under flips (0.70, control 0.69) the score does not stand above its control, so it says little.",
    ]


@pytest.mark.parametrize(("removed", "word"), [(0.4, "more than"), (0.8, "less than"), (0.6001, "as much as")])
def test_what_blurring_the_salient_part_does(removed: float, word: str) -> None:
    found = sentences(
        job(
            summary("degradation", "salience_removed", removed),
            summary("degradation", "non_salience_removed", 0.6),
        )
    )
    assert found == [
        (
            f"Blurring what the map calls salient moves the map {word} blurring all the rest "
            f"(SSIM {removed:.2f} against 0.60)."
        )
    ]


def test_noise_that_changes_decisions() -> None:
    """Of the samples, so that a small source does not count as much as a large one."""
    macro = summary("noise_reaction", "noise@0.05", 0.5, flip_rate=0.5)
    found = sentences(job(macro, summary("noise_reaction", "noise@0.05", 0.5, "total/micro", flip_rate=0.125)))
    assert found == ["Noise 5% changes the predicted class of 12.5% of the samples."]


def test_the_worst_group_is_named_where_its_interval_is_apart() -> None:
    """Of entropy, high is worse: a at 0.94 is apart from 0.9, b at 0.915 is not, c at 0.95 is worst."""
    total = summary("entropy", "spatial", 0.9)
    groups = {"label/a": 0.94, "label/b": 0.915, "source/c": 0.95, "source/d": 0.2}
    found = sentences(job(total, *(summary("entropy", "spatial", mean, name) for name, mean in groups.items())))
    assert found == ["Entropy (spatial) is worst for source c: 0.950 against 0.900 in total."]


def test_samples_without_salience_are_counted() -> None:
    micro = summary("entropy", "spatial", 0.9, "total/micro", n=7, n_undefined=3)
    assert sentences(job(micro)) == ["3 of 10 samples have no entropy; see Undefined samples."]


def comparison(*favours: int | None) -> ReportJob:
    """Two sides, and a difference of entropy's headline for each entry."""
    rows = [
        {"first": 0, "second": 1, "measure": "entropy", "view": "spatial", "group_by": "total", "group": "macro"}
        | {"difference": -0.1, "mean_first": 0.9, "mean_second": 0.8, "ci95_low": -0.2, "ci95_high": -0.05}
        | {"favours": one}
        for one in favours
    ]
    sides = [Side(name=name, audit_id=name, model_ids=(name,), totals=[], radar={}) for name in ("a", "b")]
    return job().model_copy(update={"sides": sides, "comparison": {"differences": rows}})


def test_a_comparison_opens_with_the_choice() -> None:
    assert lead(comparison(1, 1, 0, None)) == (
        "Of 4 headline numbers, b is clearly better in 2, a is clearly better in 1; "
        "in 1 the difference is not clear of chance."
    )
    assert lead(comparison(None)) == "In none of the 1 headline numbers is the difference clear of chance."
    assert lead(job()) == ""


def test_a_difference_says_who_where_and_how_much() -> None:
    minus = "\N{MINUS SIGN}"
    assert sentences(comparison(1)) == [
        (
            "b does better in entropy (spatial): 0.800 against 0.900, lower is better "
            f"(difference {minus}0.100, 95% {minus}0.200 to {minus}0.050)."
        )
    ]
