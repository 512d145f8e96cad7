"""Statistics against NumPy and scikit-learn, and by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import roc_auc_score, roc_curve

from app.domain.measures import ScoreColumn
from app.domain.statistics import aggregates, bootstrap, roc
from app.domain.summaries.groups import Groups
from app.domain.summaries.score_table import ScoreTable
from app.domain.summaries.several_models import across_models, pair_report
from app.domain.summaries.summarising import summarise

floats = st.floats(-1, 1, allow_nan=False)


@given(arrays(np.float64, st.integers(1, 40), elements=floats), st.sampled_from([0.05, 0.25, 0.5, 0.95]))
def test_equal_weights_give_numpys_numbers(values: np.ndarray, share: float) -> None:
    weights = np.ones_like(values)
    assert aggregates.weighted_mean(values, weights) == pytest.approx(values.mean(), abs=1e-12)
    assert aggregates.weighted_moments(values, weights)[1] == pytest.approx(values.std(), abs=1e-9)
    assert aggregates.weighted_quantiles(values, weights, [share])[0] == pytest.approx(
        np.quantile(values, share), abs=1e-9
    )


def test_undefined_values_never_become_numbers() -> None:
    values = np.array([np.nan, 1.0, 3.0])
    assert aggregates.mean(values) == 2
    assert aggregates.mean(np.array([np.nan])) is None
    assert aggregates.weighted_quantiles(np.array([np.nan]), np.ones(1), [0.5, 0.9]) == [None, None]
    assert sum(aggregates.histogram(values, 0, 4)) == 2


@given(
    arrays(np.float64, 30, elements=st.integers(0, 8).map(lambda n: n / 8)),
    arrays(np.bool_, 30).filter(lambda kinds: 0 < kinds.sum() < kinds.size),
)
def test_roc_agrees_with_scikit_learn(scores: np.ndarray, positives: np.ndarray) -> None:
    assert roc.auroc(scores, positives) == pytest.approx(roc_auc_score(positives, scores))
    ours, theirs = roc.roc_curve(scores, positives), roc_curve(positives, scores)
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other)


def test_auroc_of_one_kind_is_undefined() -> None:
    assert roc.auroc(np.array([0.1, 0.2]), np.array([True, True])) is None


def test_bootstrap_covers_the_mean_and_is_seeded() -> None:
    columns = np.random.default_rng(0).normal(size=(400, 2))
    resampled = bootstrap.bootstrap(columns, 3)
    np.testing.assert_array_equal(resampled.means, bootstrap.bootstrap(columns, 3).means)
    lows, highs = bootstrap.percentile_interval(resampled)
    expected = 1.96 * columns.std(0) / math.sqrt(400)
    np.testing.assert_allclose(np.array(highs) - np.array(lows), 2 * expected, rtol=0.1)


def test_macro_gives_every_source_the_same_weight() -> None:
    """(0.885 + 4 * 0.896) / 5 = 0.894, the paper's Table 1, with sources of different sizes."""
    sizes = {"a": 7, "b": 1, "c": 2, "d": 3, "e": 4}
    scores = [0.885 if name == "a" else 0.896 for name, size in sizes.items() for _ in range(size)]
    sources = tuple(name for name, size in sizes.items() for _ in range(size))
    column = ScoreColumn(measure="entropy", view="spatial")
    table = np.array(scores)[:, None]
    blank = np.full_like(table, np.nan)
    found = summarise(ScoreTable("m", (column,), table, blank, blank), Groups((None,) * 17, sources), 0).rows
    means = {(row["group_by"], row["group"]): row["mean"] for row in found}
    assert means["total", "macro"] == pytest.approx((0.885 + 4 * 0.896) / 5)
    assert means["total", "micro"] == pytest.approx((7 * 0.885 + 10 * 0.896) / 17)
    assert means["source", "a"] == pytest.approx(0.885)
    assert all(row["control_mean"] is None and row["flip_rate"] is None for row in found)


def test_the_run_apart_is_the_least_similar() -> None:
    report = pair_report(np.array([[0.9, 0.2, 0.3], [0.7, 0.2, np.nan]]), ["x", "y", "z"])
    assert report["pair_means"][0] == [1.0, pytest.approx(0.8), pytest.approx(0.2)]
    assert report["pair_means"][2][1] == pytest.approx(0.3)
    assert report["apart_model_id"] == "z"


def test_the_interval_of_a_mean_over_models() -> None:
    """Of one model it is its own; of two that mirror each other, nothing is left to vary; of two alike, their own."""
    column = ScoreColumn(measure="entropy", view="spatial")
    scores = np.random.default_rng(0).uniform(size=(40, 1))
    groups, blank = Groups((None,) * 40, ("a", "b") * 20), np.full((40, 1), np.nan)
    first, mirror = (
        summarise(ScoreTable(name, (column,), values, blank, blank), groups, 0)
        for name, values in (("m", scores), ("n", 1 - scores))
    )
    own = {(row["group_by"], row["group"]): (row["ci95_low"], row["ci95_high"]) for row in first.rows}
    for models in ([first], [first, first]):
        for row in across_models((column,), models):
            assert (row["ci95_low"], row["ci95_high"]) == own["total", row["group"]]
    for row in across_models((column,), [first, mirror]):
        assert [row["ci95_low"], row["ci95_high"]] == pytest.approx([0.5, 0.5])


def test_a_model_without_any_score_has_no_part_in_the_interval() -> None:
    column = ScoreColumn(measure="entropy", view="spatial")
    scores, blank = np.array([[0.2], [0.4]]), np.full((2, 1), np.nan)
    groups = Groups((None, None), (None, None))
    some, none = (
        summarise(ScoreTable(name, (column,), values, blank, blank), groups, 0)
        for name, values in (("m", scores), ("n", blank))
    )
    for row in across_models((column,), [some, none]):
        assert [row["ci95_low"], row["ci95_high"]] == pytest.approx([0.2, 0.4])
