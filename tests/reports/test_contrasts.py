"""Who does better in what, on differences that were written by hand, and where the total hides the opposite."""

from typing import Any

import pytest

from app.reports.conclusion import conclusion
from app.reports.contrasts import contrasts
from app.reports.groups import difference_tables, kept_and_flipped
from app.reports.job import ReportJob
from app.reports.lights import light
from app.reports.series_part import Series
from tests.reports.full_reports import PROTOCOL
from tests.reports.small_reports import job, summary

Json = Any
"""Documents written by hand, with what a test is about and no more."""
MINUS = "\N{MINUS SIGN}"


def row(difference: float, favours: int | None = None, group: str = "total/macro", **changes: Any) -> Json:
    """Of entropy's headline, b minus a, with an interval of 0.02 to either side."""
    group_by, _, name = group.partition("/")
    what = {"first": 0, "second": 1, "measure": "entropy", "view": "spatial", "group_by": group_by, "group": name}
    means = {"mean_first": 0.9, "mean_second": 0.9 + difference, "difference": difference, "n": 10}
    bounds = {"ci95_low": difference - 0.02, "ci95_high": difference + 0.02}
    return what | means | bounds | {"favours": favours, "says_nothing": []} | changes


def compared(*rows: Json) -> ReportJob:
    all_series = [Series(name=name, audit_id=name, model_ids=(name,), totals=[], radar={}) for name in ("a", "b")]
    protocol = PROTOCOL.to_json()
    return job().model_copy(
        update={"all_series": all_series, "comparison": {"differences": list(rows)}, "protocol": protocol}
    )


def noise(difference: float, favours: int | None = None, **changes: Any) -> Json:
    return row(difference, favours, **({"measure": "noise_reaction", "view": "noise@0.05"} | changes))


def test_one_sentence_says_what_to_choose() -> None:
    """Or that there is nothing to choose by: what says nothing, and what is not clear of chance, wins nothing."""
    nothing = "No winner: do not choose by these numbers."
    assert conclusion(compared(row(-0.1, 1), noise(0.2))) == (
        "Choose b by these numbers: nothing that counts speaks for a."
    )
    assert conclusion(compared(row(-0.1, 1), noise(-0.2, 0))) == (
        "No winner: each is clearly better in something. Which matters, these numbers do not say."
    )
    assert conclusion(compared(row(-0.1), noise(-0.2))) == nothing
    assert conclusion(compared(row(-0.1, 1, says_nothing=["runs-overlap"]))) == nothing
    assert conclusion(job()) == "10 images are too few to conclude anything."
    older = job().model_copy(update={"sample_count": 20})
    assert conclusion(older).startswith("One audit ranks nothing")


def test_lights_of_two_sides() -> None:
    made = compared(
        row(-0.1, 1), noise(-0.2), row(0.3, 0, measure="stability", view="pairs", says_nothing=["at-chance"])
    )
    first, second = made.all_series
    assert [light(made, one, "entropy", "spatial")[:2] for one in (first, second)] == [
        ("bad", "clearly worse"),
        ("good", "clearly better"),
    ]
    assert light(made, first, "noise_reaction", "noise@0.05")[:2] == ("unclear", "no clear difference")
    told = "the difference says nothing: these images are classified no better than by chance"
    assert light(made, first, "stability", "pairs") == ("silent", told, "says nothing: at chance")


def test_lights_of_an_audit() -> None:
    """By the gate, else by the control; of a number that says nothing neither."""
    geometry = ("geometric_resilience", "flips", 0.8)
    made = job(
        summary("entropy", "spatial", 0.5),
        summary(*geometry, control_mean=0.3),
        summary("noise_reaction", "noise@0.05", 0.5, says_nothing=["few-samples"]),
    )
    (series,) = made.all_series
    assert light(made, series, "entropy", "spatial")[:2] == ("unclear", "nothing to hold it against here")
    assert light(made, series, "geometric_resilience", "flips")[:2] == ("good", "above its control")
    assert light(made, series, "noise_reaction", "noise@0.05").state == "silent"
    condition: Json = {"condition": "geometric_resilience.flips >= 0.9", "outcome": "failed", "subject": "net"}
    judged = made.model_copy(update={"verdicts": [{"conditions": [condition]}]})
    assert light(judged, series, "geometric_resilience", "flips")[:2] == ("bad", "fails the gate")


@pytest.mark.parametrize(
    ("measure", "view", "low", "high", "told"),
    [
        ("class_separation", "other_class", 0.1, 0.3, ("unclear", "above its control")),
        ("class_separation", "other_class", -0.3, -0.1, ("good", "below its control")),
        ("sufficiency", "kept", 0.1, 0.3, ("good", "above its control")),
        ("sufficiency", "kept", -0.3, -0.1, ("unclear", "below its control")),
        ("sufficiency", "removed", -0.3, -0.1, ("good", "below its control")),
        ("sufficiency", "removed", -0.1, 0.1, ("unclear", "not clear of its control")),
    ],
)
def test_lights_on_either_side_of_a_control(measure: str, view: str, low: float, high: float, told: Any) -> None:
    """Of numbers that need not lie above theirs to say something."""
    bounds: Json = {"above_control_low": low, "above_control_high": high}
    made = job(summary(measure, view, 0.5, control_mean=0.4, **bounds))
    (series,) = made.all_series
    assert light(made, series, measure, view)[:2] == told


def test_a_difference_that_says_nothing_is_no_sentence() -> None:
    overlap: dict[str, Any] = {"says_nothing": ["runs-overlap"]}
    made = compared(row(-0.1, 1, **overlap), row(0.1, group="label/c"))
    assert list(contrasts(made)) == []


def test_differences_that_say_nothing_are_greyed() -> None:
    made = compared(row(-0.1, 1, says_nothing=["at-chance"]), row(0.1, group="label/c"))
    (table,) = difference_tables(made, "entropy")
    assert [getattr(cells[3], "reason", None) for cells in table.rows] == [
        "these images are classified no better than by chance",
        None,
    ]
    assert [cells[5] for cells in table.rows] == ["\N{EN DASH}", "a"]


def test_a_total_that_turns_round_for_a_group() -> None:
    """Of c it does, and 0 lies within d's interval."""
    made = compared(row(-0.1, 1), row(0.1, group="label/c"), row(0.01, group="label/d"), row(-0.2, group="source/e"))
    sentence = "Entropy (spatial) turns round: b does better in total, but a for label c (+0.100, 95% 0.080 to 0.120)."
    assert list(contrasts(made)) == [sentence]


def test_a_total_that_hides_opposite_groups() -> None:
    opposite = compared(row(0.0), row(0.1, group="label/c"), row(-0.3, group="label/d"))
    assert list(contrasts(opposite)) == [
        (
            f"Entropy (spatial) shows no clear difference in total, but b does better for label d ({MINUS}0.300, "
            f"95% {MINUS}0.320 to {MINUS}0.280), and a for label c (+0.100, 95% 0.080 to 0.120)."
        )
    ]
    same = compared(row(0.0), row(0.1, group="label/c"), row(0.3, group="label/d"))
    assert list(contrasts(same)) == []


def test_many_groups_are_counted() -> None:
    made = compared(row(-0.1, 1), *(row(0.1 + place / 100, group=f"source/{place}") for place in range(5)))
    (sentence,) = contrasts(made)
    assert "source 4 (" in sentence
    assert sentence.endswith(") and 2 more.")


def test_differences_by_label_and_source_are_a_table() -> None:
    made = compared(row(-0.1, 1), row(0.1, group="label/c"), row(0.01, group="source/d"))
    (table,) = difference_tables(made, "entropy")
    assert table.caption.startswith(f"Paired differences in entropy, spatial, by label and source: b {MINUS} a; lower")
    cells = [(one[0], one[3], one[4], one[5]) for one in table.rows]
    assert cells == [
        ("total, every source alike (macro)", f"{MINUS}0.100", f"{MINUS}0.120 to {MINUS}0.080", "b"),
        ("label c", "+0.100", "0.080 to 0.120", "a"),
        ("source d", "+0.010", f"{MINUS}0.010 to 0.030", "\N{EN DASH}"),
    ]


def test_what_keeps_its_side_stands_apart_from_what_flips() -> None:
    """Of models of one logit; others have no such table."""
    noise = ("noise_reaction", "noise@0.05", 0.62)
    told: Json = {"n_flipped": 3, "mean_kept": 0.8, "mean_flipped": 0.2}
    (table,) = kept_and_flipped(job(summary(*noise, group="total/micro", **told)), "noise_reaction")
    assert table.rows == (("net", "noise 5%", "7", "0.800", "3", "0.200"),)
    assert list(kept_and_flipped(job(summary(*noise, group="total/micro")), "noise_reaction")) == []
