"""The tables of a report that belong to no figure: the five numbers, differences, groups, accuracy, provenance."""

from collections.abc import Iterator

from app.domain.radar import radar_columns
from app.domain.vocabulary import CLEAN, GroupBy, MeasureName, lower_is_better
from app.reports.findings import headline_differences
from app.reports.job import Json, ReportJob, Side, mean_of
from app.reports.tables import Table
from app.reports.words import DIRECTIONS, MINUS, NO_NUMBER, TITLES, interval, number, p_value, signed, view_title


def five_numbers(job: ReportJob) -> list[Json]:
    """One card a measure: its headline views, and each side's number with its interval and the spread of its runs."""
    return [
        {
            "measure": measure,
            "title": TITLES[measure],
            "direction": DIRECTIONS[measure],
            "numbers": [
                {"view": view_title(view), "sides": [_headline(side, measure, view) for side in job.sides_of(measure)]}
                for view in views
            ],
        }
        for measure, views in radar_columns(job.resolved).items()
    ]


def _headline(side: Side, measure: str, view: str) -> Json:
    row = side.total(measure, view)
    control = mean_of(side.summaries(measure, view), "control_mean")
    return {
        "side": side.name,
        "mean": number(row.get("mean")),
        "interval": interval(row.get("ci95_low"), row.get("ci95_high")),
        "spread": number(row.get("spread")) if row.get("spread") is not None else None,
        "control": None if control is None else number(control),
    }


def accuracy_table(job: ReportJob) -> Table | None:
    """Whether they are equally accurate, to begin with."""
    rows = [
        (_model_name(side, row), str(row["n"]), number(row["accuracy"]), number(row["auroc"]))
        for side in job.measured
        for row in side.performance(CLEAN)
    ]
    head = ("model", "n", "accuracy", "AUROC")
    return Table("Decisions on the clean images", head, tuple(rows)) if rows else None


def _model_name(side: Side, row: Json) -> str:
    return dict(zip(side.model_ids, side.model_names(), strict=False)).get(row["model_id"], side.name)


def difference_table(job: ReportJob) -> Table | None:
    """Second minus first, headline views, with the corrected p-values."""
    if job.comparison is None:
        return None
    rows = tuple(
        (
            f"{TITLES[row['measure']]}, {view_title(row['view'])}",
            f"{job.sides[row['second']].name} {MINUS} {job.sides[row['first']].name}",
            number(row["mean_first"]),
            number(row["mean_second"]),
            signed(row["difference"]),
            interval(row["ci95_low"], row["ci95_high"]),
            p_value(row["p_holm"]),
            NO_NUMBER if row["favours"] is None else job.sides[row["favours"]].name,
        )
        for row in headline_differences(job)
    )
    head = ("measure", "difference of", "first", "second", "difference", "95% interval", "p (Holm)", "better")
    statistics = job.comparison["statistics"]
    caption = (
        f"Paired differences: {statistics['difference']}. Interval: {statistics['interval']}. p: {statistics['test']}, "
        f"corrected by Holm over {statistics['family_size']} tests; better where p is under {statistics['alpha']}."
    )
    return Table(caption, head, rows)


def group_tables(job: ReportJob, measure: MeasureName) -> Iterator[Table]:
    """The paper's Table 1: totals, labels and sources, one table a view; in brackets the spread over runs."""
    sides = job.measured_of(measure)
    for view in radar_columns(job.resolved).get(measure, ()):
        rows = [
            (_group_name(group_by, group), *(_cell(side, measure, view, (group_by, group)) for side in sides))
            for group_by, group in [(GroupBy.TOTAL, "macro"), (GroupBy.TOTAL, "micro"), *job.groups()]
        ]
        better = "lower" if lower_is_better(measure, view) else "higher"
        caption = (
            f"{TITLES[measure]}, {view_title(view)}, by label and source; {better} is better. {_legend(job, measure)}"
        )
        yield Table(caption, ("group", *(side.name for side in sides)), tuple(rows))


def _legend(job: ReportJob, measure: str) -> str:
    """Stability is one number for all runs of a side."""
    several = measure != MeasureName.STABILITY and any(len(side.model_ids) > 1 for side in job.measured)
    return "Mean over runs, in brackets the lowest and the highest run." if several else "Mean and 95% interval."


def _group_name(group_by: str, group: str) -> str:
    totals = {"macro": "total, every source alike (macro)", "micro": "total, every sample alike (micro)"}
    return totals[group] if group_by == GroupBy.TOTAL else f"{group_by} {group}"


def _cell(side: Side, measure: str, view: str, group: tuple[str, str]) -> str:
    rows = side.summaries(measure, view, *group)
    means = [row["mean"] for row in rows if row["mean"] is not None]
    # A comparison's own total is over the samples that all runs scored; the card says so, and so must the row.
    total = side.total(measure, view).get("mean") if group == (GroupBy.TOTAL, "macro") else None
    if not means:
        return NO_NUMBER
    if len(rows) == 1:
        return f"{number(means[0])} ({interval(rows[0]['ci95_low'], rows[0]['ci95_high'])})"
    mean = sum(means) / len(means) if total is None else total
    return f"{number(mean)} ({number(min(means))} to {number(max(means))})"


def undefined_table(job: ReportJob) -> Table | None:
    """Scores that could not be made, and why."""
    rows = tuple(
        (
            row.model,
            f"{TITLES[row.measure]}, {view_title(row.view)}",
            row.reason,
            str(row.count),
            ", ".join(row.samples),
        )
        for row in job.undefined or ()
    )
    head = ("model", "score", "reason", "samples", "the first of them")
    return Table("Undefined scores, left out of every mean", head, rows) if rows else None


def provenance(job: ReportJob) -> Table:
    """What it takes to make the same numbers again."""
    rows = [
        (job.kind, job.identity),
        ("data set", f"{job.dataset}, {job.sample_count} samples"),
        ("data set digest", job.dataset_digest or NO_NUMBER),
        ("protocol digest", job.protocol_digest),
        ("finished", job.finished_at or NO_NUMBER),
    ]
    for side in job.measured:
        document = side.document or {}
        digests = {model["model_id"]: model for model in document["models"]}
        rows += [
            (f"model {digests[one]['name']}", f"{digests[one]['digest']} ({one})")
            for one in side.model_ids
            if one in digests
        ]
        rows += [(f"audit of {side.name}", document["audit_id"])] if job.kind == "comparison" else []
    software = (job.measured[0].document or {}).get("software") or {} if job.measured else {}
    rows += [(f"version of {name}", str(version)) for name, version in software.items()]
    return Table("Provenance", ("what", "which"), tuple(dict.fromkeys(rows)))
