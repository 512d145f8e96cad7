"""The tables of a measure by label and source: of every series, and of the differences between them."""

from collections.abc import Iterator

from app.domain.measures import lower_is_better, spec_of, view_title
from app.domain.results.comparisons import DifferenceRow
from app.domain.results.radar import headline_views
from app.domain.results.summaries import Summary
from app.domain.vocabulary import GroupBy
from app.reports.headlines import better, clear_of_zero, group_differences, headline_differences
from app.reports.job import ReportJob
from app.reports.means import mean_of_defined
from app.reports.pairs import pair, pair_cells, pair_head, pair_words
from app.reports.series_part import Series
from app.reports.tables import MOST_OPEN_ROWS, Table
from app.reports.words import NO_NUMBER, Greyed, interval, number, score_title, signed

MOST_ROWS = 400
"""Of a table that nobody reads through: ten series are 45 pairs."""
_GROUPS = "95% intervals, not corrected for the number of groups; better where 0 lies outside."


def group_tables(job: ReportJob, measure: str) -> Iterator[Table]:
    """The paper's Table 1: totals, labels and sources, one table a view; in brackets the spread over runs.

    Of two compared series with the paired differences beside their numbers.
    """
    all_series = job.measured_of(measure)
    for view in headline_views(job.resolved).get(measure, ()):
        differences = _of_two(job, measure, view)
        rows = [
            (
                _group_name(*group),
                *(_cell(series, measure, view, group) for series in all_series),
                *(_beside(job, differences.get(group)) if differences else ()),
            )
            for group in [(GroupBy.TOTAL, "macro"), (GroupBy.TOTAL, "micro"), *job.groups()]
        ]
        better = "lower" if lower_is_better(measure, view) else "higher"
        caption = f"{score_title(measure, view)}, by label and source; {better} is better. {_legend(job, measure)}"
        head = ("group", *(series.name for series in all_series))
        if differences:
            head = (*head, "difference", "95% interval", "better")
            caption += (
                f" Difference: {pair(job, next(iter(differences.values())))}, over samples that both scored. {_GROUPS}"
            )
        yield Table(caption, head, tuple(rows), (len(head) - 1,) if differences else (), spanning=bool(differences))


def _of_two(job: ReportJob, measure: str, view: str) -> dict[tuple[str, str], DifferenceRow]:
    """The paired differences by group, where two series are compared, both of which are still there."""
    if len(job.all_series) != 2 or len(job.measured_of(measure)) != 2:
        return {}
    totals = [row for row in headline_differences(job) if (row["measure"], row["view"]) == (measure, view)]
    rows = [one for total in totals for one in (total, *group_differences(job, total))]
    return {(row["group_by"], row["group"]): row for row in rows if row["difference"] is not None}


def _beside(job: ReportJob, row: DifferenceRow | None) -> tuple[str, ...]:
    """What a group's numbers differ by, in what interval, and for whom that speaks."""
    if row is None:
        return (NO_NUMBER,) * 3
    return (
        Greyed.of(signed(row["difference"]), row["says_nothing"]),
        interval(row["ci95_low"], row["ci95_high"]),
        job.all_series[better(row)].name if clear_of_zero(row) and not row["says_nothing"] else NO_NUMBER,
    )


def kept_and_flipped(job: ReportJob, measure: str) -> Iterator[Table]:
    """Of models of one logit, whose maps of the two sides are complements: samples that keep their side, and others."""
    rows = [
        (series.name, view_title(view), *_kept_and_flipped(found))
        for series in job.measured_of(measure)
        for view in headline_views(job.resolved).get(measure, ())
        if (found := [row for row in series.summaries(measure, view, group="micro") if "n_flipped" in row])
    ]
    if rows:
        caption = f"{spec_of(measure).title}: samples whose prediction the view keeps, and those that it flips"
        yield Table(caption, ("model", "view", "kept", "mean", "flipped", "mean"), tuple(rows), words=(1,))


def _kept_and_flipped(rows: list[Summary]) -> tuple[str, ...]:
    """Counts over all runs, and the means over them."""
    flipped = sum(row.get("n_flipped", 0) for row in rows)
    kept = sum(row["n"] for row in rows) - flipped
    mean_kept, mean_flipped = (
        mean_of_defined(row.get("mean_kept") for row in rows),
        mean_of_defined(row.get("mean_flipped") for row in rows),
    )
    return str(kept), number(mean_kept), str(flipped), number(mean_flipped)


def _legend(job: ReportJob, measure: str) -> str:
    """A pairing is one number for all runs of a series."""
    several = not spec_of(measure).is_pairing and any(len(series.model_ids) > 1 for series in job.measured)
    return "Mean over runs, in brackets the lowest and the highest run." if several else "Mean and 95% interval."


def _group_name(group_by: str, group: str) -> str:
    totals = {"macro": "total, every source alike (macro)", "micro": "total, every sample alike (micro)"}
    return totals[group] if group_by == GroupBy.TOTAL else f"{group_by} {group}"


def _cell(series: Series, measure: str, view: str, group: tuple[str, str]) -> str:
    rows = series.summaries(measure, view, *group)
    means = [row["mean"] for row in rows if row["mean"] is not None]
    # A comparison's own total is over the samples that all runs scored; the card says so, and so must the row.
    total = series.total(measure, view).get("mean") if group == (GroupBy.TOTAL, "macro") else None
    if not means:
        return NO_NUMBER
    codes = series.says_nothing(measure, view, *group)
    if len(rows) == 1:
        return Greyed.of(f"{number(means[0])} ({interval(rows[0]['ci95_low'], rows[0]['ci95_high'])})", codes)
    mean = sum(means) / len(means) if total is None else total
    return Greyed.of(f"{number(mean)} ({number(min(means))} to {number(max(means))})", codes)


def difference_tables(job: ReportJob, measure: str) -> Iterator[Table]:
    """Paired differences by label and source, one table a headline view: what a total may hide.

    Of two series they stand beside the groups' numbers, as long as both audits are there.
    """
    totals = [row for row in headline_differences(job) if row["measure"] == measure]
    for view in headline_views(job.resolved).get(measure, ()):
        rows = [
            one
            for total in totals
            if total["view"] == view
            for one in (total, *group_differences(job, total))
            if one["difference"] is not None
        ]
        if rows and not _of_two(job, measure, view):
            yield _difference_table(job, rows)


def _difference_table(job: ReportJob, rows: list[DifferenceRow]) -> Table:
    measure, view = rows[0]["measure"], rows[0]["view"]
    better_is = "lower" if lower_is_better(measure, view) else "higher"
    of = pair(job, rows[0]) if len(job.all_series) == 2 else "second minus first"
    left_out = f" The first {MOST_ROWS} of {len(rows)} rows." if len(rows) > MOST_ROWS else ""
    caption = (
        f"Paired differences in {score_title(measure, view).lower()}, by label and source: {of}; {better_is} "
        f"is better. {_GROUPS}{left_out}"
    )
    head = ("group", *pair_head(job), "difference", "95% interval", "better")
    cells = tuple(_difference_cells(job, row) for row in rows[:MOST_ROWS])
    words = (*pair_words(job), len(head) - 1)
    return Table(caption, head, cells, words, collapsed=len(rows) > MOST_OPEN_ROWS)


def _difference_cells(job: ReportJob, row: DifferenceRow) -> tuple[str, ...]:
    return (
        _group_name(row["group_by"], row["group"]),
        *pair_cells(job, row),
        number(row["mean_first"]),
        number(row["mean_second"]),
        *_beside(job, row),
    )
