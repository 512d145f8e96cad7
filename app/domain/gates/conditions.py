"""What a gate's condition says. `app.domain.gates.parser` makes it from text; ``str()`` gives the text back."""

import re
from dataclasses import dataclass
from enum import StrEnum

from app.domain.measures import MEASURES, lower_is_better

PERFORMANCE = "performance"
FINDINGS = "findings"
SUMMARY_STATISTICS = (
    "mean",
    "ci95_low",
    "ci95_high",
    "std",
    "p05",
    "p25",
    "p50",
    "p75",
    "p95",
    "control_mean",
    "flip_rate",
    "n",
    "n_undefined",
)
PERFORMANCE_STATISTICS = ("accuracy", "auroc")
FINDINGS_STATISTICS = ("exposes", "says_nothing", "note")
"""How many findings of a level there are."""
LOWER_IS_BETTER = ("flip_rate", "n_undefined", *FINDINGS_STATISTICS)
NEITHER_IS_BETTER = ("std", "control_mean", "n")
OF_CLASSES = ("accuracy", "auroc", "flip_rate")
"""How well classes are told apart, or kept."""
EQUAL_WITHIN = 1e-9
"""Numbers so near to each other are equal: 0.96 - 0.98 is not quite -0.02 in binary, and no score is known better."""
PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Relation(StrEnum):
    """Of a quantity to its threshold."""

    AT_MOST = "<="
    BELOW = "<"
    AT_LEAST = ">="
    ABOVE = ">"
    EQUAL = "=="

    def holds(self, value: float, threshold: float) -> bool:
        """As the decimal numbers say it: see EQUAL_WITHIN."""
        match self:
            case Relation.AT_MOST:
                return value <= threshold + EQUAL_WITHIN
            case Relation.BELOW:
                return value < threshold - EQUAL_WITHIN
            case Relation.AT_LEAST:
                return value >= threshold - EQUAL_WITHIN
            case Relation.ABOVE:
                return value > threshold + EQUAL_WITHIN
            case Relation.EQUAL:
                return abs(value - threshold) <= EQUAL_WITHIN


class Scope(StrEnum):
    """Which samples a quantity is taken over, or of which models."""

    MACRO = "macro"
    MICRO = "micro"
    LABEL = "label"
    SOURCE = "source"
    WORST_LABEL = "worst label"
    WORST_SOURCE = "worst source"
    WORST_MODEL = "worst model"


WORST = frozenset({Scope.WORST_LABEL, Scope.WORST_SOURCE, Scope.WORST_MODEL})
"""Each of several is judged, and the worst speaks for all."""


@dataclass(frozen=True)
class Selector:
    """``name`` only for one label or source."""

    scope: Scope = Scope.MACRO
    name: str | None = None

    def __str__(self) -> str:
        if self.name is None:
            return "" if self.scope is Scope.MACRO else f"[{self.scope}]"
        return f"[{self.scope}={quoted(self.name)}]"


@dataclass(frozen=True)
class Quantity:
    """A number of an audit's results; ``view`` None is the measure's headline view under the audit's protocol."""

    measure: str
    view: str | None
    selector: Selector
    statistic: str

    def __str__(self) -> str:
        view = "" if self.view is None else f".{self.view}"
        return f"{self.measure}{view}{self.selector}.{self.statistic}"

    @property
    def has_direction(self) -> bool:
        """Whether more of it, or less, is worse.

        Where the salience is removed a model should look elsewhere; whether it should still see the same class, the
        paper does not say: fewer right answers prove the salience right, and fewer flips prove the model robust.
        """
        if self.statistic in OF_CLASSES and self.view == "salience_removed":
            return False
        return self.statistic not in NEITHER_IS_BETTER and _of_measure(self) != "neither"

    @property
    def lower_is_better(self) -> bool:
        own = _of_measure(self)
        if own is not None:
            return own == "lower"
        return self.statistic in LOWER_IS_BETTER or lower_is_better(self.measure, self.view or "")


def _of_measure(quantity: Quantity) -> str | None:
    """Which way is better of a statistic that one measure alone has; None of one that all have."""
    spec = MEASURES.get(quantity.measure)
    return None if spec is None else spec.gates.statistics.get(quantity.statistic)


@dataclass(frozen=True)
class Threshold:
    """A fixed limit."""

    relation: Relation
    value: float

    def __str__(self) -> str:
        return f"{self.relation} {shortest(self.value)}"


@dataclass(frozen=True)
class NotWorse:
    """Than the baseline audit's same quantity, by more than the margin (>= 0) in the measure's worse direction."""

    margin: float

    def __str__(self) -> str:
        return "not worse than baseline" + (f" by more than {shortest(self.margin)}" if self.margin else "")


@dataclass(frozen=True)
class Against:
    """Another number of the same audit."""

    relation: Relation
    quantity: Quantity

    def __str__(self) -> str:
        return f"{self.relation} {self.quantity}"


Limit = Threshold | NotWorse | Against


@dataclass(frozen=True)
class Condition:
    """``interval``: the whole 95% interval must hold it. ``warn``: it cannot fail the gate. ``missing_ok``: it passes
    where its number is missing, which otherwise fails it. ``meaningful``: a number that says nothing is missing."""

    quantity: Quantity
    limit: Limit
    interval: bool = False
    warn: bool = False
    missing_ok: bool = False
    meaningful: bool = False

    def __str__(self) -> str:
        named = {
            "ci": self.interval,
            "warn": self.warn,
            "missing ok": self.missing_ok,
            "meaningful": self.meaningful,
        }
        options = ", ".join(name for name, given in named.items() if given)
        return f"{self.quantity} {self.limit}" + (f" ({options})" if options else "")


def quoted(name: str) -> str:
    """Bare where it is a plain word, else in double quotes with backslash escapes."""
    if PLAIN_NAME.fullmatch(name):
        return name
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def shortest(value: float) -> str:
    """The shortest decimal that reads back as this number."""
    return repr(value).removesuffix(".0")
