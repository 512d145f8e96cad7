"""The differences of a comparison's headline numbers, and what stands against reading too much into them."""

from app.domain.measures import lower_is_better, spec_of
from app.domain.radar import headline_views
from app.domain.vocabulary import GroupBy
from app.reports.job import Json, ReportJob, Series, mean_of

MACRO = (GroupBy.TOTAL, "macro")


def headline_differences(job: ReportJob) -> list[Json]:
    """Of every pair of series, by the macro total of each headline view."""
    headlines = {(measure, view) for measure, views in headline_views(job.resolved).items() for view in views}
    rows: list[Json] = (job.comparison or {}).get("differences", [])
    return [
        row for row in rows if (row["group_by"], row["group"]) == MACRO and (row["measure"], row["view"]) in headlines
    ]


def group_differences(job: ReportJob, total: Json) -> list[Json]:
    """The rows by label and source beside the total of a pair of series."""
    same = {name: total[name] for name in ("first", "second", "measure", "view")}
    rows: list[Json] = (job.comparison or {}).get("differences", [])
    return [row for row in rows if row["group_by"] != GroupBy.TOTAL and same.items() <= row.items()]


def better(row: Json) -> int:
    """The series that the difference favours, clear of chance or not."""
    second_is_lower = row["difference"] < 0
    return int(row["second" if second_is_lower == lower_is_better(row["measure"], row["view"]) else "first"])


def clear_of_zero(row: Json) -> bool:
    """Whether 0 lies outside the interval."""
    low, high = row["ci95_low"], row["ci95_high"]
    return low is not None and high is not None and (low > 0 or high < 0)


def contradictions(job: ReportJob, total: Json) -> list[Json]:
    """The groups that the total hides: those on the other side of 0, or, under a total that says nothing, on both."""
    clear = [row for row in group_differences(job, total) if clear_of_zero(row)]
    if total["favours"] is not None:
        return [row for row in clear if better(row) != total["favours"]]
    return clear if len({better(row) for row in clear}) > 1 else []


def above_control(series: Series, measure: str, view: str) -> bool | None:
    """Whether a score's interval lies above its control; None where one of the two is unknown."""
    low = series.total(measure, view).get("ci95_low")
    control = mean_of(series.summaries(measure, view), "control_mean")
    return None if low is None or control is None else low > control


def says_little(job: ReportJob, row: Json) -> bool:
    """Of what has a control: neither side stands above it, so that neither follows the image."""
    pair = (job.all_series[row["first"]], job.all_series[row["second"]])
    has_control = spec_of(row["measure"]).says_nothing.below_control
    return has_control and all(above_control(series, row["measure"], row["view"]) is False for series in pair)


def run_ranges(job: ReportJob, row: Json) -> list[tuple[float, float]]:
    """The lowest and the highest run of both sides where they overlap, else none; a single model is its own range."""
    totals = [job.all_series[row[place]].total(row["measure"], row["view"]) for place in ("first", "second")]
    known = [{"min": total["mean"], "max": total["mean"]} | total for total in totals if total.get("mean") is not None]
    ranges: list[tuple[float, float]] = [(total["min"], total["max"]) for total in known]
    if len(ranges) < 2 or not any("min" in total for total in totals):
        return []
    (low, high), (other_low, other_high) = ranges
    return ranges if low <= other_high and other_low <= high else []
