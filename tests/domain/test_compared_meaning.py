"""When a difference says nothing: by either side's number, by its samples, and by runs that overlap."""

from typing import Any

import pytest

from app.domain.comparisons.difference_rows import UNTESTED
from app.domain.results.compared_meaning import judge_comparison
from app.results.reading import current_comparison, is_current

Json = Any
"""Documents written by hand, with what a test is about and no more."""

ENTROPY = {"measure": "entropy", "view": "spatial"}
MACRO = {"group_by": "total", "group": "macro"}


def results(*means: float, silent: tuple[str, ...] = (), group: Json = MACRO) -> Json:
    """Of one audit: a model for each mean, all of them with these reasons."""
    models = [{"model_id": f"m{place}", "name": "n", "digest": None} for place in range(len(means))]
    rows = [
        ENTROPY | group | {"model_id": model["model_id"], "mean": mean, "says_nothing": list(silent)}
        for model, mean in zip(models, means, strict=True)
    ]
    return {"models": models, "summaries": rows}


def side(audit_id: str, document: Json) -> Json:
    means = [row["mean"] for row in document["summaries"]]
    across = ENTROPY | MACRO | {"min": min(means), "max": max(means), "says_nothing": []}
    total = ENTROPY | {"mean": sum(means) / len(means), "n": 100, "n_undefined": 0, "says_nothing": []}
    several = [across] if len(means) > 1 else []
    return {"audit_id": audit_id, "models": document["models"], "across_models": several, "totals": [total]}


def judged(first: Json, second: Json, n: int = 100, group: Json = MACRO, *, deleted: bool = False) -> Json:
    difference = ENTROPY | group | {"first": 0, "second": 1, "n": n, "n_undefined": 0, "says_nothing": []}
    found: Json = {"sides": [side("a", first), side("b", second)], "differences": [difference]}
    judge_comparison(found, {} if deleted else {"a": first, "b": second})
    return found


def codes(*args: Json, **options: Json) -> list[str]:
    found: list[str] = judged(*args, **options)["differences"][0]["says_nothing"]
    return found


@pytest.mark.parametrize(
    ("first", "second", "overlap"),
    [
        ((0.8, 0.9), (0.7, 0.79), False),
        ((0.8, 0.9), (0.7, 0.8), True),
        ((0.8, 0.9), (0.85,), True),
        ((0.8, 0.9), (0.95,), False),
        ((0.8,), (0.8,), False),
    ],
)
@pytest.mark.parametrize("deleted", [False, True])
def test_runs_that_overlap(first: Json, second: Json, *, overlap: bool, deleted: bool) -> None:
    """A single model is its own range; of two single models none has runs. Deleted audits left their ranges behind."""
    assert codes(results(*first), results(*second), deleted=deleted) == (["runs-overlap"] if overlap else [])


def test_ranges_are_of_the_same_group() -> None:
    label = {"group_by": "label", "group": "x"}
    first, second = results(0.8, 0.9, group=label), results(0.85, 0.95, group=label)
    assert codes(first, second, group=label) == ["runs-overlap"]
    assert codes(first, second) == [], "of the total nothing is known here"


def test_what_silences_a_side_silences_the_difference() -> None:
    silent, telling = results(0.8, silent=("not-above-control",)), results(0.6)
    assert codes(silent, telling) == codes(telling, silent) == ["not-above-control"]
    assert codes(silent, results(0.6, silent=("at-chance",))) == ["not-above-control", "at-chance"]
    found = judged(silent, telling)
    assert [one["totals"][0]["says_nothing"] for one in found["sides"]] == [["not-above-control"], []]


def test_its_own_samples_count() -> None:
    assert codes(results(0.8), results(0.6), n=19) == ["few-samples"]


def test_comparisons_of_earlier_versions() -> None:
    """They kept what was tested with the tested rows only, and did not say what says nothing."""
    first, second = results(0.8, 0.9), results(0.85)
    old = judged(first, second)
    for row in [*old["differences"], *(total for one in old["sides"] for total in one["totals"])]:
        del row["says_nothing"]
    assert not is_current(old)
    [row] = current_comparison(old, {"a": first, "b": second})["differences"]
    assert row["says_nothing"] == ["runs-overlap"]
    assert UNTESTED.items() <= row.items()
    assert is_current(old)
