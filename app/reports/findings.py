"""What stands out, in words made from the numbers: nothing is said that no number says."""

from collections.abc import Iterator

from app.domain.protocol import Protocol
from app.domain.radar import radar_columns
from app.domain.vocabulary import CLEAN, DEGRADATIONS, GroupBy, MeasureName, lower_is_better, noise_view
from app.reports.job import Json, ReportJob, Side, mean_of
from app.reports.words import TITLES, interval, listed, number, share, signed, view_title

EQUAL_ACCURACY = 0.02
"""Sides whose accuracies lie no further apart are called equally accurate."""


def lead(job: ReportJob) -> str:
    """The whole comparison in a sentence or two; of an audit there is nothing to choose between."""
    rows = [row for row in headline_differences(job) if row["difference"] is not None]
    if len(job.sides) != 2 or not rows:
        return ""
    wins = [sum(row["favours"] == place for row in rows) for place in range(2)]
    names = [side.name for side in job.sides]
    order = (0, 1) if wins[0] >= wins[1] else (1, 0)
    told = [f"{names[place]} is clearly better in {wins[place]}" for place in order if wins[place]]
    if not told:
        return f"In none of the {len(rows)} headline numbers is the difference clear of chance."
    unclear = len(rows) - sum(wins)
    rest = f"; in {unclear} the difference is not clear of chance" if unclear else ""
    return f"Of {len(rows)} headline numbers, {', '.join(told)}{rest}."


def findings(job: ReportJob) -> list[tuple[str, list[str]]]:
    """Sentences under headings: of all sides together, then of each."""
    together = [*_accuracy(job), *_differences(job)]
    of_sides = [(side.name, [_capital(one) for one in _of_side(side, job.resolved)]) for side in job.measured]
    if job.together is not None:
        of_sides.append((job.together.name, [_capital(one) for one in _stability(job.together)]))
    if len(job.sides) == 1:
        return [("", together + [sentence for _, sentences in of_sides for sentence in sentences])]
    return [found for found in (("", together), *of_sides) if found[1]]


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _accuracy(job: ReportJob) -> Iterator[str]:
    known = [(side.name, mean_of(side.performance(CLEAN), "accuracy")) for side in job.measured]
    accuracies = [value for _, value in known if value is not None]
    if len(accuracies) < len(known) or not known:
        return
    told = listed([f"{share(value)} ({name})" if len(known) > 1 else share(value) for name, value in known])
    if len(known) == 1:
        yield f"Clean accuracy is {told}."
    elif round(max(accuracies) - min(accuracies), 9) <= EQUAL_ACCURACY:
        yield f"Accuracy does not tell them apart: {told}."
    else:
        yield f"They are not equally accurate: {told}."


def _differences(job: ReportJob) -> Iterator[str]:
    """Headline rows of the first pairs, those that the test tells from chance first."""
    if job.comparison is None:
        return
    rows = [row for row in headline_differences(job) if row["difference"] is not None]
    clear = [row for row in rows if row["favours"] is not None]
    for row in clear if len(job.sides) == 2 else ():
        yield _difference(job, row)
    if len(job.sides) > 2:
        yield f"{len(clear)} of {len(rows)} headline differences are clear of chance; the table names them."
    unclear = [
        f"{TITLES[row['measure']].lower()} ({view_title(row['view'])})" for row in rows if row["favours"] is None
    ]
    if unclear and len(job.sides) == 2:
        yield f"No difference that is clear of chance: {listed(unclear)}."


def headline_differences(job: ReportJob) -> list[Json]:
    """Of every pair of sides, by the macro total of each headline view."""
    headlines = {(measure, view) for measure, views in radar_columns(job.resolved).items() for view in views}
    total = (GroupBy.TOTAL, "macro")
    rows: list[Json] = (job.comparison or {}).get("differences", [])
    return [
        row for row in rows if (row["group_by"], row["group"]) == total and (row["measure"], row["view"]) in headlines
    ]


def _difference(job: ReportJob, row: Json) -> str:
    better, other = (row["favours"], row["first"] + row["second"] - row["favours"])
    means = {row["first"]: row["mean_first"], row["second"]: row["mean_second"]}
    what = f"{TITLES[row['measure']].lower()} ({view_title(row['view'])})"
    direction = "lower" if lower_is_better(row["measure"], row["view"]) else "higher"
    bounds = interval(row["ci95_low"], row["ci95_high"])
    return (
        f"{job.sides[better].name} does better in {what}: {number(means[better])} against {number(means[other])}, "
        f"{direction} is better (difference {signed(row['difference'])}, 95% {bounds})."
    )


def _of_side(side: Side, protocol: Protocol) -> Iterator[str]:
    yield from _geometry(side, protocol)
    yield from _degradation(side)
    yield from _noise(side, protocol)
    yield from _groups(side, protocol)
    yield from _stability(side)
    yield from _undefined(side, protocol)


def _geometry(side: Side, protocol: Protocol) -> Iterator[str]:
    """Whether each group of transformations stands above its control, by more than its interval is wide."""
    settings = protocol.measures.geometric_resilience
    groups = [name for name in (settings.aggregates if settings else ()) if name != "all"]
    above: list[str] = []
    level: list[str] = []
    for group in groups:
        rows = side.summaries(MeasureName.GEOMETRIC_RESILIENCE, group)
        low, control = mean_of(rows, "ci95_low"), mean_of(rows, "control_mean")
        if low is None or control is None:
            continue
        told = f"{group} ({number(mean_of(rows, 'mean'), 2)}, control {number(control, 2)})"
        (above if low > control else level).append(told)
    if above:
        yield f"the maps follow the image under {listed(above)}."
    if level:
        yield f"under {listed(level)} the score does not stand above its control, so it says little."


def _degradation(side: Side) -> Iterator[str]:
    removed, kept = (mean_of(side.summaries(MeasureName.DEGRADATION, view), "mean") for view in DEGRADATIONS)
    if removed is None or kept is None:
        return
    shown = (number(removed, 2), number(kept, 2))
    moves = "as much as" if shown[0] == shown[1] else "more than" if removed < kept else "less than"
    yield (
        f"blurring what the map calls salient moves the map {moves} blurring all the rest "
        f"(SSIM {shown[0]} against {shown[1]})."
    )


def _noise(side: Side, protocol: Protocol) -> Iterator[str]:
    settings = protocol.measures.noise_reaction
    if settings is None:
        return
    view = noise_view(settings.amount)
    flips = mean_of(side.summaries(MeasureName.NOISE_REACTION, view, group="micro"), "flip_rate")
    if flips:
        yield f"{view_title(view)} changes the predicted class of {share(flips)} of the samples."


def _groups(side: Side, protocol: Protocol) -> Iterator[str]:
    """The label or source of each headline view whose interval lies wholly on the worse side of the total's."""
    for measure, views in radar_columns(protocol).items():
        for view in views:
            worst = _worst_group(side, measure, view)
            if worst is not None:
                total = mean_of(side.summaries(measure, view), "mean")
                name = f"{worst['group_by']} {worst['group']}"
                what = f"{TITLES[measure].lower()} ({view_title(view)})"
                yield f"{what} is worst for {name}: {number(worst['mean'])} against {number(total)} in total."


def _worst_group(side: Side, measure: str, view: str) -> Json | None:
    """Of a single model, whose groups have intervals."""
    total = side.summaries(measure, view)
    if len(total) != 1 or side.document is None or total[0]["ci95_low"] is None:
        return None
    sign = 1 if lower_is_better(measure, view) else -1
    bound, own = ("ci95_high", "ci95_low") if sign > 0 else ("ci95_low", "ci95_high")
    rows = [
        row
        for row in side.document["summaries"]
        if (row["measure"], row["view"], row["model_id"]) == (measure, view, total[0]["model_id"])
        and row["group_by"] != GroupBy.TOTAL
        and row[own] is not None
        and sign * (row[own] - total[0][bound]) > 0
    ]
    return max(rows, key=lambda row: sign * row["mean"], default=None)


def _stability(side: Side) -> Iterator[str]:
    report = (side.document or {}).get("stability")
    if report is None or len(side.model_ids) < 2:
        return
    total = side.total(MeasureName.STABILITY, "pairs")
    yield f"the {len(side.model_ids)} runs agree with SSIM {number(total.get('mean'), 2)}."
    apart = report["apart_model_id"]
    if apart is not None:
        place = report["model_ids"].index(apart)
        name = dict(zip(side.model_ids, side.model_names(), strict=False)).get(apart)
        to_others = number(report["mean_to_others"][place], 2)
        yield f"the run that stands apart most is {name} (SSIM {to_others} to the others)."


def _undefined(side: Side, protocol: Protocol) -> Iterator[str]:
    """By the worst headline view: how many samples had no salience at all."""
    counts = [
        (row["n_undefined"], row["n"], measure)
        for measure, views in radar_columns(protocol).items()
        for view in views
        for row in side.summaries(measure, view, group="micro")
    ]
    missing, defined, measure = max(counts, default=(0, 0, ""))
    if missing:
        yield f"{missing} of {missing + defined} samples have no {TITLES[measure].lower()}; see Undefined samples."
