"""What each headline number says for or against its series: a word for the eye, and nothing where it says nothing."""

from collections.abc import Sequence
from typing import NamedTuple

from app.domain.gates.conditions import PLAIN_NAME
from app.domain.gates.stored import Outcome
from app.domain.measures import lower_is_better, spec_of
from app.domain.results.comparisons import DifferenceRow
from app.domain.results.meaning import Silence, reason
from app.reports.headlines import headline_differences
from app.reports.job import ReportJob
from app.reports.means import mean_of
from app.reports.series_part import Series
from app.reports.words import counted

BRIEF: dict[str, str] = {
    Silence.NOT_ABOVE_CONTROL: "not above control",
    Silence.AT_CHANCE: "at chance",
    Silence.PREDICTIONS_FLIP: "classes flip",
    Silence.FEW_SAMPLES: "few samples",
    Silence.FEW_CLUSTERS: "few clusters",
    Silence.MANY_UNDEFINED: "undefined",
    Silence.RUNS_OVERLAP: "runs overlap",
}
"""Why a number says nothing, for where there is little room."""


class Light(NamedTuple):
    """``state`` is good, bad, unclear or silent; ``words`` say the same, since colours alone say nothing to many.

    ``brief`` are fewer of them, for the first screen.
    """

    state: str
    words: str
    brief: str

    @classmethod
    def silent(cls, what: str, codes: Sequence[str]) -> "Light":
        brief = ", ".join(BRIEF.get(code, code) for code in codes[:1])
        return cls("silent", f"{what}: {reason(codes)}", f"says nothing: {brief}")

    @classmethod
    def of(cls, state: str, words: str) -> "Light":
        return cls(state, words, words)


def light(job: ReportJob, series: Series, measure: str, view: str) -> Light:
    """In a comparison against the other sides; in an audit against the gate, else against the number's control."""
    codes = series.says_nothing(measure, view)
    if codes:
        return Light.silent("says nothing here", codes)
    if job.comparison is not None:
        return _against_others(job, series, measure, view)
    return _against_gate(job, series, measure) or _against_control(series, measure, view)


def _against_others(job: ReportJob, series: Series, measure: str, view: str) -> Light:
    """By the differences that count and are clear of chance."""
    place = job.all_series.index(series) if series in job.all_series else None
    rows = [
        row
        for row in headline_differences(job)
        if (row["measure"], row["view"]) == (measure, view) and place in {row["first"], row["second"]}
    ]
    telling = [row for row in rows if not row["says_nothing"]]
    if rows and not telling:
        return Light.silent("the difference says nothing", rows[0]["says_nothing"])
    won = sum(row["favours"] == place for row in telling)
    lost = sum(row["favours"] not in {place, None} for row in telling)
    return _compared(won, lost, telling)


def _compared(won: int, lost: int, telling: list[DifferenceRow]) -> Light:
    if won and lost:
        return Light.of("unclear", f"better than {won}, worse than {lost} of the others")
    among = f" than {won or lost} of {counted(len(telling), 'other')}" if len(telling) > 1 else ""
    if won or lost:
        return Light.of("good" if won else "bad", f"clearly {'better' if won else 'worse'}{among}")
    return Light.of("unclear", "no clear difference" if telling else "compared with nothing")


def _against_gate(job: ReportJob, series: Series, measure: str) -> Light | None:
    """The worst outcome of the gates' conditions that name the measure, of this series or of all together."""
    names = {*series.model_names(), None}
    outcomes = [
        one["outcome"]
        for verdict in job.verdicts
        for one in verdict["conditions"]
        if measure in PLAIN_NAME.findall(one["condition"]) and (one["subject"] in names or len(job.all_series) == 1)
    ]
    if Outcome.FAILED in outcomes:
        return Light.of("bad", "fails the gate")
    if Outcome.INCONCLUSIVE in outcomes:
        return Light.of("unclear", "leaves the gate open")
    return Light.of("good", "passes the gate") if outcomes else None


def _against_control(series: Series, measure: str, view: str) -> Light:
    """On which side of it the number lies, beyond chance; of some to be above it is why they say anything at all."""
    rows = series.summaries(measure, view)
    if mean_of(rows, "control_mean") is None:
        return Light.of("unclear", "nothing to hold it against here")
    if spec_of(measure).says_nothing.below_control:
        return Light.of("good", "above its control")
    lows = [row.get("above_control_low") for row in rows]
    highs = [row.get("above_control_high") for row in rows]
    lower = lower_is_better(measure, view)
    if all(low is not None and low > 0 for low in lows):
        return Light.of("unclear" if lower else "good", "above its control")
    if all(high is not None and high < 0 for high in highs):
        return Light.of("good" if lower else "unclear", "below its control")
    return Light.of("unclear", "not clear of its control")
