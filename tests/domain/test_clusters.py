"""Images of one person, video or scene are no independent samples: what intervals, tests and findings make of them."""

from dataclasses import replace
from itertools import product
from typing import Any, cast

import numpy as np
import pytest
from scipy import stats

from app.domain.comparisons.difference_rows import difference_rows
from app.domain.comparisons.series import ScoreSeries
from app.domain.comparisons.significance import sign_flip_rows
from app.domain.findings import findings_in
from app.domain.findings.trained_on import trained_on
from app.domain.gates.baselines import unpaired_rows
from app.domain.measures import ScoreColumn
from app.domain.results.meaning import Conditions, says_nothing
from app.domain.statistics.bootstrap import bootstrap, percentile_interval
from app.domain.statistics.resampling import macro_bootstrap
from app.domain.summaries.groups import Groups
from app.domain.summaries.score_table import ScoreTable
from app.domain.summaries.summarising import summarise

Json = dict[str, Any]
ENTROPY = ScoreColumn(measure="entropy", view="spatial")
PEOPLE, IMAGES = 40, 5


def drawn(seed: int, people: int = PEOPLE) -> Any:
    """Scores of ``IMAGES`` images of each person: people differ, their images hardly."""
    generator = np.random.default_rng(seed)
    return np.repeat(generator.normal(0.5, 0.1, people), IMAGES) + generator.normal(0, 0.01, people * IMAGES)


def codes(people: int = PEOPLE) -> Any:
    return np.repeat(np.arange(people), IMAGES)


def table(scores: Any) -> ScoreTable:
    blank = np.full((len(scores), 1), np.nan)
    return ScoreTable("m", (ENTROPY,), scores[:, None], blank, blank)


def interval(scores: Any, clusters: Any) -> Any:
    return np.array(percentile_interval(bootstrap(scores[:, None], 3, clusters)), dtype=float)[:, 0]


def test_clusters_of_one_size_are_resampled_as_their_means() -> None:
    scores = drawn(1)
    theirs = stats.bootstrap(
        (scores.reshape(PEOPLE, IMAGES).mean(1),), np.mean, method="percentile", n_resamples=20_000, rng=2
    ).confidence_interval
    ours, alone = interval(scores, codes()), interval(scores, None)
    np.testing.assert_allclose(ours, [theirs.low, theirs.high], atol=0.003)
    assert np.ptp(ours) / np.ptp(alone) == pytest.approx(np.sqrt(IMAGES), rel=0.15)


def test_every_sample_a_cluster_is_no_cluster_to_the_bit() -> None:
    scores = np.where(np.arange(60) % 7 == 0, np.nan, drawn(2, 12))[:, None]
    alone = bootstrap(scores, 4, np.arange(60))
    np.testing.assert_array_equal(alone.means, bootstrap(scores, 4).means)
    sources = np.arange(60) % 3
    np.testing.assert_array_equal(
        macro_bootstrap(scores, sources, 4, np.arange(60)).means, macro_bootstrap(scores, sources, 4).means
    )


def test_sources_that_share_people_are_drawn_together() -> None:
    """A real and a fake image of each person: both sources hold the same people, so that the mean of the two varies as
    people do, and not by the square root of 2 less."""
    people = np.random.default_rng(3).normal(0, 1, 200)
    scores, sources = np.concatenate([people + 5, people - 5])[:, None], np.repeat([0, 1], 200)
    together = macro_bootstrap(scores, sources, 5, np.tile(np.arange(200), 2))
    apart = macro_bootstrap(scores, sources, 5, np.arange(400))
    assert together.means.std() == pytest.approx(people.std() / np.sqrt(200), rel=0.1)
    assert together.means.std() / apart.means.std() == pytest.approx(np.sqrt(2), rel=0.12)


def test_summaries_count_clusters_and_say_where_they_are_too_few() -> None:
    scores = np.where(codes(21) == 0, np.nan, drawn(4, 21))
    groups = Groups(("a",) * 50 + ("b",) * 55, (None,) * 105, clusters=codes(21))
    rows = summarise(table(scores), groups, 0).rows
    assert {(row["group"], row["n_clusters"]) for row in rows} == {("macro", 20), ("micro", 20), ("a", 9), ("b", 11)}
    silences = {row["group"]: says_nothing(row, Conditions("predicted", 2, {})) for row in rows}
    assert silences == {"macro": [], "micro": [], "a": ["few-clusters"], "b": ["few-clusters"]}
    total = next(row for row in rows if row["group"] == "macro")
    document: Any = {
        "protocol": {"measures": {"entropy": {}}},
        "models": [{"model_id": "m", "name": "run"}],
        "summaries": [total | {"n_clusters": 19, "says_nothing": ["few-clusters"]}],
    }
    (finding,) = findings_in(document)
    assert finding["code"] == "few-clusters"
    assert "too narrow" in finding["text"]
    assert finding["evidence"]["numbers"][0]["n_clusters"] == 19


def test_comparisons_resample_and_flip_clusters() -> None:
    """Against all sign patterns of ten people, counted one by one."""
    first, second = drawn(5, 10), drawn(5, 10) + np.repeat(np.random.default_rng(6).normal(0.02, 0.05, 10), IMAGES)
    groups = Groups((None,) * 50, (None,) * 50, clusters=codes(10))
    series = ScoreSeries.of([first[:, None], second[:, None]], (ENTROPY,), groups, 0)
    of_people = (second - first).reshape(10, IMAGES).sum(1)
    signs = np.array(list(product((1, -1), repeat=10)))
    share = float(np.mean(np.abs(signs @ of_people) >= abs(of_people.sum()) - 1e-9))
    ((p_value, method),) = sign_flip_rows(series, 999)
    assert method == "exact"
    assert p_value == pytest.approx(share)
    alone = ScoreSeries.of([first[:, None], second[:, None]], (ENTROPY,), Groups((None,) * 50, (None,) * 50), 0)
    widths = [_width(difference_rows(one)[0]) for one in (series, alone)]
    assert widths[0] > 1.7 * widths[1]
    spans = [_width(unpaired_rows(*_halves(one))[0]) for one in (series, alone)]
    assert spans[0] > 1.7 * spans[1]


def _width(row: Any) -> float:
    return float(row["ci95_high"] - row["ci95_low"])


def _halves(series: ScoreSeries) -> tuple[ScoreSeries, ScoreSeries]:
    """As an audit and its baseline."""
    first, second = (replace(series, scores=scores[None], seed=1) for scores in series.scores)
    return first, second


def test_findings_tell_of_images_that_a_model_was_trained_on() -> None:
    counted = {"audited": 12, "of_training_splits": 6, "like_training_images": 2}
    found: Any = {"training_images": counted}
    training, repeats = trained_on(found)
    assert (training["code"], repeats["code"]) == ("training-images", "test-repeats-training")
    assert "6 of the 12 samples" in training["text"]
    assert "2 of the 6 samples of other splits" in repeats["text"]
    clean: Any = {"audited": 6, "of_training_splits": 0, "like_training_images": 0}
    for nothing in ({"training_images": clean}, {}):
        assert not list(trained_on(cast("Any", nothing)))
