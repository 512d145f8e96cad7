"""When a number says nothing: the rule, once, for whatever shows or judges numbers.

A number that says nothing is shown, greyed, with the reason; no headline, no light and no gate that asks for meaningful
numbers counts it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.domain.audits.subjects import leads
from app.domain.measures import spec_of
from app.domain.results.documents import ResultsDocument
from app.domain.results.performance import Performance
from app.domain.results.summaries import AcrossModels, Summary
from app.domain.vocabulary import GroupBy, SalienceTarget

FEWEST_SAMPLES = 20
"""That have a score; where samples are of clusters, of as many clusters."""
MOST_UNDEFINED = 0.1
"""Of the samples of a group."""
MOST_FLIPS = 1 / 3
"""Of the predictions; above, most maps explain another class than the clean image's."""
ABOVE_CHANCE = 0.05
"""That balanced accuracy has to be for a condition in which classes are still told apart."""
MOST_CLASSES = 100
"""Beyond them chance is so small that only flips tell."""


class Silence(StrEnum):
    """Why a number says nothing."""

    NOT_ABOVE_CONTROL = "not-above-control"
    AT_CHANCE = "at-chance"
    PREDICTIONS_FLIP = "predictions-flip"
    FEW_SAMPLES = "few-samples"
    FEW_CLUSTERS = "few-clusters"
    MANY_UNDEFINED = "many-undefined"
    RUNS_OVERLAP = "runs-overlap"


REASONS: dict[str, str] = {
    Silence.NOT_ABOVE_CONTROL: "it does not lie above its control",
    Silence.AT_CHANCE: "these images are classified no better than by chance",
    Silence.PREDICTIONS_FLIP: "more than a third of the predictions flip, so that maps of two classes are compared",
    Silence.FEW_SAMPLES: f"fewer than {FEWEST_SAMPLES} samples have a score",
    Silence.FEW_CLUSTERS: f"fewer than {FEWEST_SAMPLES} clusters have a score, so that its interval is too narrow",
    Silence.MANY_UNDEFINED: "over a tenth of the samples have no score",
    Silence.RUNS_OVERLAP: "the ranges of the two sides' runs overlap",
}


def reason(codes: Sequence[str]) -> str:
    """All of them as words: ``it does not lie above its control, and fewer than 20 samples have a score``."""
    words = [REASONS.get(code, code) for code in codes]
    return ", and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


@dataclass(frozen=True)
class Conditions:
    """What is known of an audit's images beside the scores.

    ``target`` is the protocol's salience target, ``classes`` how many the models tell apart, ``balanced`` the balanced
    accuracy by model and condition, where it is known.
    """

    target: object
    classes: int | None
    balanced: Mapping[tuple[str | None, str], float | None]

    @classmethod
    def of(cls, target: object, classes: int | None, performance: Iterable[Performance]) -> "Conditions":
        """From the rows of a results document's ``performance``."""
        found: dict[tuple[str | None, str], float | None] = {
            (row["model_id"], row["condition"]): row.get("balanced_accuracy") for row in performance
        }
        return cls(target, classes, found)

    def at_chance(self, model_id: str | None, view: str) -> bool:
        """Whether a model tells the classes of these images apart no better than by guessing."""
        accuracy = self.balanced.get((model_id, view))
        if accuracy is None or self.classes is None or self.classes > MOST_CLASSES:
            return False
        return accuracy <= 1 / self.classes + ABOVE_CHANCE


def says_nothing(row: Summary, conditions: Conditions) -> list[str]:
    """The reasons why a summary's number says nothing; none where it counts."""
    rule, view = spec_of(row["measure"]).says_nothing, row["view"]
    flips = row["flip_rate"]
    flipping = rule.counts_flips(view) and conditions.target == SalienceTarget.PREDICTED
    found = {
        Silence.NOT_ABOVE_CONTROL: rule.below_control and _below(row),
        Silence.AT_CHANCE: rule.at_chance and conditions.at_chance(row["model_id"], view),
        Silence.PREDICTIONS_FLIP: flipping and flips is not None and flips > MOST_FLIPS,
        Silence.FEW_CLUSTERS: row.get("n_clusters", row["n"]) < FEWEST_SAMPLES <= row["n"],
    }
    codes = {*(code for code, holds in found.items() if holds), *too_few(row["n"], row["n_undefined"])}
    return [str(code) for code in Silence if code in codes]


def too_few(n: int, n_undefined: int) -> list[str]:
    """What the numbers of samples with a score and without one say, whatever was measured."""
    found = {
        Silence.FEW_SAMPLES: n < FEWEST_SAMPLES,
        Silence.MANY_UNDEFINED: n_undefined > MOST_UNDEFINED * (n + n_undefined),
    }
    return [str(code) for code, holds in found.items() if holds]


def _below(row: Summary) -> bool:
    """By the interval of the paired difference; results from before it was kept know the score's own interval only.

    Where less is better the score has to lie below.
    """
    if spec_of(row["measure"]).has_lower_better(row["view"]):
        return row.get("above_control_high") is not None and (row["above_control_high"] or 0) >= 0
    if "above_control_low" in row:
        return row["above_control_low"] is not None and row["above_control_low"] <= 0
    low, control = row["ci95_low"], row["control_mean"]
    return low is not None and control is not None and low <= control


def judge_numbers(document: ResultsDocument, classes: int | None) -> None:
    """Write ``says_nothing`` into every summary of a results document, and into the means over its models."""
    conditions = Conditions.of(document["protocol"]["salience"]["target"], classes, document["performance"])
    of_models: dict[tuple[str, str, str], list[Summary]] = {}
    for row in document["summaries"]:
        row["says_nothing"] = says_nothing(row, conditions)
        if row["group_by"] == GroupBy.TOTAL and row["model_id"] is not None and leads(row["model_id"]):
            of_models.setdefault((row["measure"], row["view"], row["group"]), []).append(row)
    for mean in document["across_models"]:
        mean["says_nothing"] = of_several(of_models.get((mean["measure"], mean["view"], mean["group"]), []))


def of_several(rows: Sequence[Summary | AcrossModels]) -> list[str]:
    """Why the mean over several models says nothing: what holds for at least half of them."""
    silences = [row["says_nothing"] for row in rows]
    codes = dict.fromkeys(code for own in silences for code in own)
    return [code for code in codes if 2 * sum(code in own for own in silences) >= len(rows)]
