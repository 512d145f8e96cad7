"""Who does better in what, on differences that were written by hand, and where the total hides the opposite."""

from typing import Any

from app.reports.contrasts import contrasts
from app.reports.groups import difference_tables
from app.reports.job import ReportJob, Series
from app.reports.lead import lead
from tests.reports.full_reports import PROTOCOL
from tests.reports.small_reports import job

Json = dict[str, Any]
MINUS = "\N{MINUS SIGN}"


def row(difference: float, favours: int | None = None, group: str = "total/macro", **changes: Any) -> Json:
    """Of entropy's headline, b minus a, with an interval of 0.02 to either side."""
    group_by, _, name = group.partition("/")
    what = {"first": 0, "second": 1, "measure": "entropy", "view": "spatial", "group_by": group_by, "group": name}
    means = {"mean_first": 0.9, "mean_second": 0.9 + difference, "difference": difference, "n": 10}
    bounds = {"ci95_low": difference - 0.02, "ci95_high": difference + 0.02}
    return what | means | bounds | {"favours": favours} | changes


def compared(*rows: Json, totals: tuple[list[Json], list[Json]] = ([], [])) -> ReportJob:
    all_series = [
        Series(name=name, audit_id=name, model_ids=(name,), totals=own, radar={})
        for name, own in zip(("a", "b"), totals, strict=True)
    ]
    protocol = PROTOCOL.to_json()
    return job().model_copy(
        update={"all_series": all_series, "comparison": {"differences": list(rows)}, "protocol": protocol}
    )


def noise(difference: float, favours: int | None = None, **changes: Any) -> Json:
    return row(difference, favours, **({"measure": "noise_reaction", "view": "noise@0.05"} | changes))


def test_it_opens_with_the_measures_by_name() -> None:
    """Without counts; degradation is named whole where both its views are meant."""
    removed = [row(0.0, measure="degradation", view=view) for view in ("salience_removed", "non_salience_removed")]
    assert lead(compared(row(-0.1, 1), noise(-0.2, 0), *removed)) == [
        "For other images of this kind, a is clearly better in noise reaction, b is clearly better in entropy.",
        "No difference that is clear of chance: degradation.",
    ]
    assert lead(compared(removed[0])) == ["No difference that is clear of chance: degradation (salience removed)."]
    assert lead(job()) == []


def total(measure: str, view: str, mean: float, **changes: Any) -> Json:
    return {"measure": measure, "view": view, "mean": mean, "ci95_low": mean, "ci95_high": mean} | changes


def test_runs_that_overlap_are_said_to() -> None:
    """Of entropy they do not: 0.85 to 0.95 against 0.75 to 0.84."""
    own = [
        total("entropy", "spatial", 0.9, spread=0.05, min=0.85, max=0.95),
        total("noise_reaction", "noise@0.05", 0.5, spread=0.1, min=0.4, max=0.6),
    ]
    other = [
        total("entropy", "spatial", 0.8, spread=0.05, min=0.75, max=0.84),
        # A single model is its own range.
        total("noise_reaction", "noise@0.05", 0.42),
    ]
    made = compared(row(-0.1, 1), noise(-0.08, 1), totals=(own, other))
    assert lead(made) == [
        "For other images of this kind, b is clearly better in entropy and noise reaction (but the runs overlap)."
    ]
    assert [sentence.rpartition(")")[2] for sentence in contrasts(made)] == [
        ".",
        ", but the runs overlap: 0.400 to 0.600 and 0.420 to 0.420.",
    ]


def test_geometry_below_its_control_is_no_win() -> None:
    """Neither side stands above it; where one does, the win counts."""
    view = ("geometric_resilience", "all")
    geometric = row(0.1, 1, measure=view[0], view=view[1])
    made = compared(geometric, totals=([total(*view, 0.6)], [total(*view, 0.7)]))
    for control, told in (
        (0.75, "Geometric resilience does not count: neither side stands above its control."),
        (0.65, "For other images of this kind, b is clearly better in geometric resilience."),
    ):
        control_row = dict(zip(("measure", "view"), view, strict=True)) | {"group_by": "total", "group": "macro"}
        document = {"summaries": [control_row | {"model_id": None, "control_mean": control}], "models": [{}]}
        for series in made.all_series:
            series.attach(document)
        assert lead(made) == [told]
        assert ("is higher in" in next(contrasts(made))) == (control == 0.75)
        assert ("so it says little" in next(contrasts(made))) == (control == 0.75)


def test_a_difference_says_who_where_and_how_much() -> None:
    assert list(contrasts(compared(row(-0.1, 1)))) == [
        (
            "b does better in entropy (spatial): 0.800 against 0.900, lower is better "
            f"(difference {MINUS}0.100, 95% {MINUS}0.120 to {MINUS}0.080)."
        )
    ]


def test_a_total_that_turns_round_for_a_group() -> None:
    """Of c it does, and 0 lies within d's interval."""
    made = compared(row(-0.1, 1), row(0.1, group="label/c"), row(0.01, group="label/d"), row(-0.2, group="source/e"))
    sentence = "Entropy (spatial) turns round: b does better in total, but a for label c (+0.100, 95% 0.080 to 0.120)."
    assert list(contrasts(made))[1:] == [sentence]
    assert lead(made)[-1] == "Labels or sources contradict the total in entropy: see What stands out."


def test_a_total_that_hides_opposite_groups() -> None:
    opposite = compared(row(0.0), row(0.1, group="label/c"), row(-0.3, group="label/d"))
    assert list(contrasts(opposite))[1:] == [
        (
            f"Entropy (spatial) shows no clear difference in total, but b does better for label d ({MINUS}0.300, "
            f"95% {MINUS}0.320 to {MINUS}0.280), and a for label c (+0.100, 95% 0.080 to 0.120)."
        )
    ]
    same = compared(row(0.0), row(0.1, group="label/c"), row(0.3, group="label/d"))
    assert len(list(contrasts(same))) == len(lead(same)) == 1


def test_many_groups_are_counted() -> None:
    made = compared(row(-0.1, 1), *(row(0.1 + place / 100, group=f"source/{place}") for place in range(5)))
    assert "source 4 (" in list(contrasts(made))[1]
    assert list(contrasts(made))[1].endswith(") and 2 more.")


def test_differences_by_label_and_source_are_a_table() -> None:
    made = compared(row(-0.1, 1), row(0.1, group="label/c"), row(0.01, group="source/d"))
    (table,) = difference_tables(made, "entropy")
    assert table.caption.startswith(f"Paired differences in entropy, spatial, by label and source: b {MINUS} a; lower")
    cells = [(one[0], one[5], one[6], one[7]) for one in table.rows]
    assert cells == [
        ("total, every source alike (macro)", f"{MINUS}0.100", f"{MINUS}0.120 to {MINUS}0.080", "b"),
        ("label c", "+0.100", "0.080 to 0.120", "a"),
        ("source d", "+0.010", f"{MINUS}0.010 to 0.030", "\N{EN DASH}"),
    ]
