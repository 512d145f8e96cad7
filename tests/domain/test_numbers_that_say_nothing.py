"""When a number says nothing, by cases at both sides of each limit; and the findings that tell of them."""

from typing import Any

import numpy as np
import pytest

from app.domain.findings import findings_in
from app.domain.measures import ScoreColumn
from app.domain.results.meaning import Conditions, of_several, says_nothing
from app.domain.statistics.bootstrap import bootstrap
from app.domain.statistics.resampling import group_seed
from app.domain.summaries.groups import Groups
from app.domain.summaries.score_table import ScoreTable
from app.domain.summaries.summarising import summarise
from app.domain.vocabulary import GroupBy

Json = Any
"""Documents written by hand, with what a test is about and no more."""

GEOMETRY, NOISE, STABILITY = "geometric_resilience", "noise_reaction", "stability"


def row(measure: str, view: str, **changes: Any) -> Json:
    """Of a number that counts, unless changed."""
    shown = {"measure": measure, "view": view, "model_id": "m", "n": 100, "n_undefined": 0, "flip_rate": 0.0}
    numbers = {"mean": 0.8, "ci95_low": 0.7, "ci95_high": 0.9, "control_mean": 0.5, "above_control_low": 0.2}
    return shown | numbers | {"group_by": "total", "group": "macro"} | changes


def conditions(target: object = "predicted", classes: int | None = 2, **balanced: float) -> Conditions:
    rows: list[Any] = [
        {"model_id": "m", "condition": name, "balanced_accuracy": value} for name, value in balanced.items()
    ]
    return Conditions.of(target, classes, rows)


@pytest.mark.parametrize(
    ("shown", "codes"),
    [
        (row(GEOMETRY, "shifts"), []),
        (row(GEOMETRY, "shifts", above_control_low=0.0), ["not-above-control"]),
        (row(GEOMETRY, "shifts", above_control_low=-0.1, n=19), ["not-above-control", "few-samples"]),
        (row(GEOMETRY, "shifts", above_control_low=None, n=20), []),
        (row(STABILITY, "pairs", model_id=None, above_control_low=-0.01), ["not-above-control"]),
        (row(STABILITY, "pairs", model_id=None, above_control_low=None, control_mean=None), []),
        (row(NOISE, "noise@0.5", flip_rate=1 / 3), []),
        (row(NOISE, "noise@0.5", flip_rate=0.34), ["predictions-flip"]),
        (row("degradation", "non_salience_removed", flip_rate=0.34), ["predictions-flip"]),
        (row("degradation", "salience_removed", flip_rate=1.0), []),
        (row(GEOMETRY, "flips", flip_rate=1.0), []),
        (row("entropy", "spatial", flip_rate=None, above_control_low=-1), []),
        (row("entropy", "spatial", flip_rate=None, n=90, n_undefined=10), []),
        (row("entropy", "spatial", flip_rate=None, n=89, n_undefined=11), ["many-undefined"]),
    ],
)
def test_each_rule_at_its_limit(shown: Json, codes: list[str]) -> None:
    assert says_nothing(shown, conditions()) == codes


@pytest.mark.parametrize(
    ("classes", "accuracy", "codes"),
    [
        (2, 0.55, ["at-chance"]),
        (2, 0.56, []),
        (10, 0.15, ["at-chance"]),
        (10, 0.2, []),
        (101, 0.0, []),
        (None, 0.0, []),
    ],
)
def test_chance_depends_on_the_number_of_classes(classes: int | None, accuracy: float, codes: list[str]) -> None:
    known = conditions(classes=classes, **{"noise@1": accuracy, "salience_removed": accuracy})
    assert says_nothing(row(NOISE, "noise@1"), known) == codes
    assert says_nothing(row(NOISE, "noise@0.5"), known) == [], "of another condition"
    assert says_nothing(row("degradation", "salience_removed"), known) == []


def test_flips_mean_little_where_the_class_is_kept() -> None:
    assert says_nothing(row(NOISE, "noise@1", flip_rate=1.0), conditions(target="clean_predicted")) == []


def test_results_from_before_know_the_interval_of_the_score_alone() -> None:
    old = row(GEOMETRY, "shifts")
    del old["above_control_low"]
    assert says_nothing(old, conditions()) == []
    assert says_nothing(old | {"control_mean": 0.7}, conditions()) == ["not-above-control"]


def test_several_models_say_nothing_where_half_of_them_do() -> None:
    silent: Json = {"says_nothing": ["few-samples"]}
    telling: Json = {"says_nothing": []}
    assert of_several([silent, telling]) == ["few-samples"]
    assert of_several([silent, telling, telling]) == []


def test_the_interval_of_score_minus_control_is_of_pairs() -> None:
    """By resampling the differences themselves; score and control alone overlap widely."""
    generator = np.random.default_rng(0)
    controls = generator.uniform(0, 1, (60, 1))
    scores = controls + generator.normal(0.05, 0.05, controls.shape)
    scores[3] = np.nan
    column = ScoreColumn(measure=GEOMETRY, view="shifts", has_control=True)
    groups = Groups(("a",) * 60, (None,) * 60)
    summary: Json = summarise(ScoreTable("m", (column,), scores, controls, np.zeros_like(scores)), groups, 5).rows[0]
    means = bootstrap(scores - controls, group_seed(5, GroupBy.TOTAL, "micro")).means
    low, high = np.quantile(means[:, 0], [0.025, 0.975])
    assert (summary["above_control_low"], summary["above_control_high"]) == (pytest.approx(low), pytest.approx(high))
    assert 0 < low < 0.05 < high
    assert summary["ci95_low"] < summary["control_mean"], "unpaired, nobody could tell"


def test_findings_name_measure_views_and_models() -> None:
    silent = {"says_nothing": ["not-above-control"]}
    counts: Json = {"says_nothing": []}
    document: Json = {
        "protocol": {"measures": {"geometric_resilience": {}, "entropy": {}}},
        "models": [{"model_id": "m", "name": "run 1"}, {"model_id": "k", "name": "run 2"}],
        "summaries": [
            row(GEOMETRY, "shifts") | silent,
            row(GEOMETRY, "flips") | silent,
            row(GEOMETRY, "flips", model_id="k") | counts,
            row(GEOMETRY, "shift_left") | silent,
            row(GEOMETRY, "rotations", group="micro") | silent,
            row("entropy", "spatial", n=3) | {"says_nothing": ["few-samples"]},
        ],
    }
    few, control = findings_in(document)
    assert (few["code"], few["level"], few.get("measure")) == ("few-samples", "says-nothing", None)
    assert few["text"] == "Entropy says nothing: fewer than 20 samples have a score."
    assert (control["code"], control.get("measure")) == ("not-above-control", GEOMETRY)
    assert control["text"] == (
        "Geometric resilience (shifts and flips) of run 1 says nothing: it does not lie above its control."
    )
    assert [one["view"] for one in control["evidence"]["numbers"]] == ["shifts", "flips"]
