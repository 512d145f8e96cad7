"""Paired tests and intervals against SciPy, exact fractions and hand-computed cases."""

from fractions import Fraction
from itertools import permutations, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from threadpoolctl import threadpool_limits

from app.domain.comparisons.difference_rows import difference_rows
from app.domain.comparisons.farthest import most_different
from app.domain.comparisons.series import ScoreSeries
from app.domain.comparisons.significance import correct, sign_flip_rows
from app.domain.comparisons.totals import series_totals
from app.domain.statistics import differences
from app.domain.statistics.bootstrap import bootstrap
from app.domain.summaries.groups import Groups
from app.domain.summaries.score_table import ScoreTable
from app.domain.summaries.summarising import summarise
from tests.domain.small_series import ENTROPY, normals, series_of


def scipy_sign_flip(values: np.ndarray, resamples: float = np.inf) -> float:
    """SciPy flips the signs of one sample where the permutations are of ``samples``."""
    found = stats.permutation_test(  # type: ignore[call-overload] # the stubs leave out np.inf, all permutations
        (values,), np.mean, permutation_type="samples", n_resamples=resamples, rng=np.random.default_rng(1)
    )
    return float(found.pvalue)


class TestSignFlip:
    @given(arrays(np.float64, st.integers(1, 9), elements=st.floats(-2, 2).map(lambda x: round(x, 3))))
    @settings(max_examples=60)
    def test_small_samples_are_exact(self, values: np.ndarray) -> None:
        """Counted with fractions, so that ties are ties."""
        parts = [Fraction(float(value)) for value in differences.snap(values[:, None])[:, 0]]
        sums = [
            abs(sum((s * part for s, part in zip(signs, parts, strict=True)), Fraction()))
            for signs in product((1, -1), repeat=len(parts))
        ]
        expected = sum(one >= abs(sum(parts, Fraction())) for one in sums) / len(sums)
        [(found, method)] = differences.sign_flip_test(values[:, None], 0, 99)
        assert (found, method) == (expected, "exact")

    @pytest.mark.parametrize("mean", [0.0, 0.4, 1.5])
    def test_small_samples_agree_with_scipy(self, mean: float) -> None:
        values = normals(12, mean)
        [(found, _)] = differences.sign_flip_test(values[:, None], 0, 99)
        assert found == pytest.approx(scipy_sign_flip(values), abs=1e-12)

    @pytest.mark.parametrize("mean", [0.0, 0.1, 0.3])
    def test_drawn_patterns_agree_with_scipy(self, mean: float) -> None:
        values = normals(16, mean)
        [(found, method)] = differences.sign_flip_test(values[:, None], 0, 50_000)
        exact = scipy_sign_flip(values)
        assert method == "monte-carlo"
        assert found == pytest.approx(exact, abs=5 * np.sqrt(exact * (1 - exact) / 50_000))

    def test_large_samples_take_the_normal_limit(self) -> None:
        values = normals(10_001, 0.017)
        [(found, method)] = differences.sign_flip_test(values[:, None], 0, 99)
        assert method == "normal"
        assert found == pytest.approx(scipy_sign_flip(values, 1500), abs=0.05)
        assert found == pytest.approx(stats.ttest_1samp(values, 0).pvalue, rel=0.02)

    def test_by_hand(self) -> None:
        """Of the eight patterns of 1, 2, 3 only +++ and --- reach 6; with a zero the share stays."""
        for values in ([1.0, 2.0, 3.0], [1.0, 2.0, 0.0, 3.0, np.nan]):
            assert differences.sign_flip_test(np.array(values)[:, None], 0, 99) == [(0.25, "exact")]
        assert differences.sign_flip_test(np.zeros((3, 1)), 0, 99) == [(1.0, "exact")]
        assert differences.sign_flip_test(np.full((3, 1), np.nan), 0, 99) == [(None, None)]

    def test_false_alarms_keep_to_their_rate(self) -> None:
        columns = np.random.default_rng(5).normal(size=(30, 1000))
        p_values = [p for p, _ in differences.sign_flip_test(columns, 0, 999)]
        assert np.mean(np.array(p_values) <= 0.05) == pytest.approx(0.05, abs=0.021)

    def test_a_draw_never_gives_zero(self) -> None:
        [(found, _)] = differences.sign_flip_test(np.ones((50, 1)), 0, 999)
        assert found == 1 / 1000


class TestSameBits:
    @given(arrays(np.float64, st.integers(1, 60), elements=st.floats(-2, 2)), st.randoms())
    @settings(max_examples=60)
    def test_sums_on_the_grid_are_exact_in_any_order(self, values: np.ndarray, random: object) -> None:
        snapped = differences.snap(values[:, None])[:, 0]
        exact = float(sum(Fraction(float(value)) for value in snapped))
        shuffled = list(snapped)
        random.shuffle(shuffled)  # type: ignore[attr-defined]
        assert sum(shuffled) == np.sum(snapped) == exact
        assert np.abs(snapped - values).max() <= np.abs(values).max() * len(values) * 2.0**-49

    def test_threads_neighbours_and_repeats_change_nothing(self) -> None:
        columns = differences.snap(np.random.default_rng(2).uniform(-1, 1, (777, 9)))
        with threadpool_limits(1):
            alone = bootstrap(columns, 3).means
        with threadpool_limits(2):
            np.testing.assert_array_equal(bootstrap(columns, 3).means, alone)
            for index in range(9):
                np.testing.assert_array_equal(bootstrap(columns[:, [index]], 3).means[:, 0], alone[:, index])
        tested = differences.sign_flip_test(columns, 4, 999)
        assert tested == differences.sign_flip_test(columns, 4, 999)
        assert tested[3] == differences.sign_flip_test(columns[:, [3]], 4, 999)[0]

    def test_undefined_stays_undefined(self) -> None:
        assert np.isnan(differences.snap(np.array([[np.nan], [1.0]]))[0, 0])
        assert differences.snap(np.zeros((0, 3))).shape == (0, 3)


class TestHolm:
    def test_by_hand(self) -> None:
        """Holm (1979): 4 * 0.005, 3 * 0.01, 2 * 0.03, and 0.04 lifted to the one before."""
        found = differences.holm([0.01, 0.04, None, 0.03, 0.005])
        assert found == [pytest.approx(0.03), pytest.approx(0.06), None, pytest.approx(0.06), pytest.approx(0.02)]
        assert differences.holm([]) == []
        assert differences.holm([0.9, 0.8]) == [1.0, 1.0]

    @given(st.lists(st.floats(0, 1), min_size=1, max_size=6), st.sampled_from([0.01, 0.05, 0.3]))
    def test_rejects_what_the_closed_testing_procedure_rejects(self, p_values: list[float], alpha: float) -> None:
        """Holm is Bonferroni under closure (Marcus, Peritz and Gabriel 1976)."""
        places = range(len(p_values))
        subsets = [[place for place in places if bits >> place & 1] for bits in range(1, 2 ** len(p_values))]
        for place, adjusted in enumerate(differences.holm(p_values)):
            closed = max(
                min(1.0, min(p_values[one] for one in subset) * len(subset)) for subset in subsets if place in subset
            )
            assert adjusted == pytest.approx(closed)
            assert alpha > 0


class TestDifferenceRows:
    def test_by_hand(self) -> None:
        """Sample 3 is undefined on one series; source x has two samples, y one."""
        series = series_of([[0.1, 0.2, 0.3, 0.9]], [[0.2, 0.4, 0.6, np.nan]], sources=("x", "x", "y", "y"))
        rows: dict[tuple[str, str], Any] = {(row["group_by"], row["group"]): row for row in difference_rows(series)}
        micro, macro, label = rows["total", "micro"], rows["total", "macro"], rows["label", "a"]
        assert (micro["n"], micro["n_undefined"]) == (3, 1)
        assert (micro["mean_first"], micro["mean_second"]) == (pytest.approx(0.2), pytest.approx(0.4))
        assert micro["difference"] == pytest.approx(0.2)
        assert macro["mean_first"] == pytest.approx((0.15 + 0.3) / 2)
        assert macro["difference"] == pytest.approx((0.15 + 0.3) / 2)
        assert (label["n"], label["difference"]) == (2, pytest.approx(0.2))
        assert set(rows) == {*(("label", x) for x in "ab"), *(("source", x) for x in "xy"), *rows.keys()}
        assert micro["ci95_low"] == pytest.approx(0.1)
        assert micro["ci95_high"] == pytest.approx(0.3)

    def test_interval_agrees_with_scipy(self) -> None:
        first, second = normals(150), normals(150, 0.3, seed=1)
        row = difference_rows(series_of([first.tolist()], [second.tolist()]))[1]
        theirs = stats.bootstrap((second - first,), np.mean, method="percentile", n_resamples=20_000, rng=2)
        assert row["ci95_low"] == pytest.approx(theirs.confidence_interval.low, abs=0.02)
        assert row["ci95_high"] == pytest.approx(theirs.confidence_interval.high, abs=0.02)

    def test_interval_covers_the_truth_as_often_as_it_says(self) -> None:
        """400 experiments of 60 skewed differences with mean 1; percentile intervals are known to fall a bit short."""
        columns = np.random.default_rng(9).exponential(1.0, (60, 400))
        series = series_of(np.zeros((400, 60)).tolist(), columns.T.tolist())
        rows: list[Any] = [row for row in difference_rows(series) if row["group"] == "micro"]
        assert np.mean([row["ci95_low"] <= 1 <= row["ci95_high"] for row in rows]) == pytest.approx(0.935, abs=0.03)

    def test_pairs_and_order(self) -> None:
        series = series_of(*([[float(k), 0.0]] for k in range(3)))
        assert series.pairs == ((0, 1), (0, 2), (1, 2))
        rows = [row for row in difference_rows(series) if row["group"] == "micro"]
        assert [(row["first"], row["second"], row["difference"]) for row in rows] == [
            (0, 1, 0.5),
            (0, 2, 1.0),
            (1, 2, 0.5),
        ]

    def test_a_pair_without_a_common_sample(self) -> None:
        series = series_of([[0.1, np.nan]], [[np.nan, 0.2]])
        row = difference_rows(series)[0]
        assert (row["n"], row["difference"], row["ci95_low"], row["mean_first"]) == (0, None, None, None)
        assert sign_flip_rows(series, 99) == [(None, None)]
        assert most_different(series, {("entropy", "spatial")})[0]["samples"] == []

    def test_favours_follow_the_measures_direction(self) -> None:
        """Twelve samples all lower on the second series: better by entropy, worse by flips."""
        first = np.linspace(0.5, 0.9, 12)
        series = series_of([first.tolist()] * 2, [(first - np.linspace(0.1, 0.2, 12)).tolist()] * 2)
        rows = [row for row in difference_rows(series) if row["group"] == "macro"]
        for row, (p_value, _) in zip(rows, sign_flip_rows(series, 99), strict=True):
            row["p_value"] = p_value
        correct(rows)
        assert [row["p_value"] for row in rows] == [2 / 4096] * 2
        assert [row["p_holm"] for row in rows] == [4 / 4096] * 2
        assert [row["favours"] for row in rows] == [1, 0]

    def test_weights_of_the_macro_test(self) -> None:
        """A source of one sample weighs as much as one of eleven: SciPy, given the weights, agrees."""
        values = normals(12, 0.5, seed=3)
        sources = ("x",) * 11 + ("y",)
        series = series_of([[0.0] * 12], [values.tolist()], sources=sources)
        [(found, _)] = sign_flip_rows(series, 99)
        assert found == pytest.approx(scipy_sign_flip(values * np.array([1 / 11] * 11 + [1.0])))

    def test_most_different(self) -> None:
        series = series_of([[0.0] * 13], [[0.1, -0.9, 0.3, np.nan, 0.9, *[0.05] * 8]])
        [table] = most_different(series, {("entropy", "spatial")})
        assert [sample["ordinal"] for sample in table["samples"]] == [1, 4, 2, 0, 5, 6, 7, 8, 9, 10]

    def test_totals_are_the_audits_own(self) -> None:
        """Same streams, so the same intervals as the results document, but for the grid."""
        values, sources = normals(90)[:, None], tuple("xyz"[number % 3] for number in range(90))
        blank, groups = np.full_like(values, np.nan), Groups((None,) * 90, sources)
        own = next(
            row
            for row in summarise(ScoreTable("m", (ENTROPY,), values, blank, blank), groups, 0).rows
            if row["group"] == "macro"
        )
        [[total]] = series_totals(ScoreSeries.of([values], (ENTROPY,), groups, 0))
        for name in ("mean", "ci95_low", "ci95_high"):
            assert total[name] == pytest.approx(own[name], abs=1e-12)


def test_every_order_of_two_sides_agrees() -> None:
    """Swapping the series turns every sign and nothing else."""
    scores = [[normals(20, seed=seed).tolist()] for seed in (1, 2)]
    tables: list[Any] = []
    for order in permutations(scores):
        series = series_of(*order)
        tables.append((difference_rows(series)[0], sign_flip_rows(series, 999)))
    (one, p_one), (other, p_other) = tables
    assert one["difference"] == -other["difference"]
    assert (one["ci95_low"], one["ci95_high"]) == (
        pytest.approx(-other["ci95_high"], abs=1e-12),
        pytest.approx(-other["ci95_low"], abs=1e-12),
    )
    assert p_one == p_other
