"""Where nothing can be resampled there is no interval, rather than one of width 0 that would pass for certainty."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from app.audits.publishing.model_card import model_card
from app.commands.tables import results_tables
from app.domain.comparisons.difference_rows import difference_rows
from app.domain.comparisons.totals import series_totals
from app.domain.gates.baselines import paired_rows, unpaired_rows
from app.domain.protocol import Protocol
from app.domain.summaries.groups import Groups
from app.domain.summaries.score_table import ScoreTable
from app.domain.summaries.several_models import across_models
from app.domain.summaries.summarising import Summarised, summarise
from salience_audit.frames import frame_of_rows
from tests.domain.small_series import ENTROPY, series_of
from tests.domain.test_verdicts import audit, row, verdict

Json = Any
"""Documents written by hand, with what a test is about and no more."""
Bounds = tuple[float | None, float | None]

NONE: Bounds = (None, None)


def summarised(scores: list[float], *sources: str) -> Summarised:
    values = np.array(scores)[:, None]
    blank = np.full_like(values, np.nan)
    return summarise(ScoreTable("m", (ENTROPY,), values, blank, blank), Groups((None,) * len(scores), sources), 0)


def bounds(rows: Sequence[Json]) -> dict[str, Bounds]:
    return {one["group"]: (one["ci95_low"], one["ci95_high"]) for one in rows if one["group_by"] != "label"}


def test_one_sample() -> None:
    [macro, *rest] = summarised([0.4], "x").rows
    assert (macro["n"], macro["mean"]) == (1, 0.4)
    assert set(bounds([macro, *rest]).values()) == {NONE}


def test_one_sample_of_every_source() -> None:
    """The macro total resamples each source on its own; the micro total resamples all four."""
    found = bounds(summarised([0.1, 0.2, 0.3, 0.4], *"abcd").rows)
    assert [group for group, one in found.items() if one != NONE] == ["micro"]


def test_one_defined_sample_of_every_source() -> None:
    """An undefined one beside it can be drawn in its place, which says nothing of other samples."""
    found = bounds(summarised([0.1, np.nan, 0.3, np.nan], "a", "a", "b", "b").rows)
    assert [group for group, one in found.items() if one != NONE] == ["micro"]


def test_one_source_of_several_samples_is_enough() -> None:
    """Their spread is known, if not that between the others' samples."""
    found = bounds(summarised([0.1, 0.3, 0.9], "a", "a", "b").rows)
    assert found["macro"] == pytest.approx(((0.1 + 0.9) / 2, (0.3 + 0.9) / 2))
    assert [group for group, one in found.items() if one == NONE] == ["b"]


def test_equal_samples_are_samples() -> None:
    """Two that agree leave an interval of width 0: it was resampled, and so it stays."""
    assert bounds(summarised([0.5, 0.5], "a", "a").rows)["macro"] == (0.5, 0.5)


def test_means_over_models() -> None:
    few, many = summarised([0.1, np.nan, np.nan], *"aaa"), summarised([0.1, 0.2, 0.3], *"aaa")
    assert set(bounds(across_models((ENTROPY,), [few, few])).values()) == {NONE}
    assert NONE not in bounds(across_models((ENTROPY,), [few, many])).values()


def test_differences() -> None:
    one, two = series_of([[0.1]], [[0.2]]), series_of([[0.1, 0.2]], [[0.2, np.nan]])
    for series in (one, two):
        rows = difference_rows(series)
        assert [found["difference"] for found in rows[:2]] == [pytest.approx(0.1)] * 2
        assert set(bounds(rows).values()) == {NONE}
    totals = [(total["ci95_low"], total["ci95_high"]) for [total] in series_totals(two)]
    assert totals == [(pytest.approx(0.1), pytest.approx(0.2)), NONE]


def test_differences_from_a_baseline() -> None:
    few, many = series_of([[0.1]]), series_of([[0.2, 0.3]])
    assert set(bounds(paired_rows(few, few)).values()) == set(bounds(unpaired_rows(few, few)).values()) == {NONE}
    assert NONE not in bounds(unpaired_rows(few, many)).values()


class TestGates:
    few = row(0.5, n=1, ci95_low=None, ci95_high=None)

    def judged(self, text: str) -> Json:
        compared = self.few | {"mean_first": 0.5, "mean_second": 0.5, "subject": "", "difference": 0.0}
        found: Json = verdict(audit(self.few), text, baseline=audit(self.few), compared=(compared,))
        return found

    @pytest.mark.parametrize(
        "text",
        [
            "entropy.mean <= 1 (ci)",
            "entropy.mean not worse than baseline by more than 1 (ci)",
            "entropy.ci95_high <= 1",
        ],
    )
    def test_a_bound_that_is_missing_fails(self, text: str) -> None:
        found = self.judged(text)
        [condition] = found["conditions"]
        assert (found["verdict"], condition["outcome"]) == ("failed", "failed")
        assert (condition["ci95_low"], condition["ci95_high"]) == NONE
        assert "too few samples for an interval" in condition["explanation"]
        assert condition["explanation"].endswith("; which fails the condition.")
        allowed = f"{text.removesuffix(')')}, missing ok)" if text.endswith(")") else f"{text} (missing ok)"
        assert self.judged(allowed)["verdict"] == "passed"

    def test_what_needs_no_interval_is_judged(self) -> None:
        assert self.judged("entropy.mean <= 1")["verdict"] == "passed"
        assert self.judged("entropy.mean not worse than baseline")["verdict"] == "passed"

    def test_its_number_is_shown(self) -> None:
        [condition] = self.judged("entropy.mean <= 1 (ci)")["conditions"]
        assert condition["value"] == 0.5
        assert condition["explanation"].startswith("the interval of entropy.mean is missing: too few samples")


class TestWhereItIsShown:
    @pytest.fixture
    def document(self) -> Json:
        head = {"models": [{"model_id": "m", "name": "run 1"}], "protocol": Protocol().to_json()}
        digests = {"dataset_digest": "sha256:1", "protocol_digest": "sha256:2", "sample_count": 1}
        rows = [row | {"says_nothing": []} for row in summarised([0.4], "x").rows]
        return head | digests | {"summaries": rows, "performance": []}

    def test_in_tables(self, document: Json) -> None:
        [measures, _] = results_tables(document)
        interval = next(column for column in measures.columns if column.header == "95% interval")
        assert [str(cell) for cell in interval.cells] == ["-"]

    def test_in_model_cards(self, document: Json) -> None:
        assert "| spatial | 0.400 | none | lower |" in model_card(document, "faces")

    def test_in_frames(self, document: Json) -> None:
        """Columns in which all numbers are missing are still columns of numbers."""
        rows, numbers = document["summaries"], ("ci95_low", "control_mean")
        in_pandas, in_polars = (frame_of_rows(rows, kind, numbers) for kind in ("pandas", "polars"))
        for name in numbers:
            assert in_pandas[name].isna().all()
            assert (str(in_pandas[name].dtype), str(in_polars[name].dtype)) == ("float64", "Float64")
            assert in_polars[name].is_null().all()
