"""The little language of gates.

    condition = quantity limit [ "(" option { "," option } ")" ]
    quantity  = measure [ "." view ] [ "[" selector "]" ] "." statistic
    selector  = "macro" | "micro" | ( "label" | "source" ) "=" name | "worst" ( "label" | "source" | "model" )
    limit     = relation ( number | quantity ) | "not" "worse" "than" "baseline" [ "by" "more" "than" number ]
    relation  = "<=" | "<" | ">=" | ">" | "=="
    option    = "ci" | "warn" | "missing" "ok" | "meaningful"
    measure   = one of the measures, or "performance" (view: clean or a changed image's; statistic: accuracy, auroc), or
                "findings" (no view; statistic: exposes, says_nothing, note: how many there are)
    view      = as in the results: spatial, noise@0.05, shifts, salience_removed, pairs, ...; of agreement with map sets
                a similarity and which one: cc@1 the first, cc@rest the mean of all
    statistic = mean, ci95_low, ci95_high, std, p05 ... p95, control_mean, flip_rate, n, n_undefined
    name      = a word, or any text in double quotes; a backslash before a quote or a backslash

Blanks between words are free. Without a selector a quantity is the macro total, as in the paper's tables.
"""

from app.domain.gates.conditions import (
    FINDINGS,
    OF_CLASSES,
    PERFORMANCE,
    WORST,
    Against,
    Condition,
    Limit,
    NotWorse,
    Quantity,
    Relation,
    Scope,
    Selector,
    Threshold,
    shortest,
)
from app.domain.gates.cursor import Cursor
from app.domain.gates.names import PARAMETRISED, VIEWS, statistics_of
from app.domain.gates.tokens import ConditionError, Token, tokens_of
from app.domain.measures import MEASURES
from app.domain.views.families import ViewFamily, with_parameter

MAX_CHARACTERS = 500


def parse_condition(text: str, *, stored: bool = False) -> Condition:
    """Raises ConditionError.

    A gate that is ``stored`` may say what new ones may not: earlier versions took it, and what was promised to an
    audit is judged as it was.
    """
    if len(text) > MAX_CHARACTERS:
        raise ConditionError(f"a condition may have {MAX_CHARACTERS} characters", MAX_CHARACTERS)
    return _Parser(tokens_of(text), stored=stored).condition()


class _Parser:
    """Recursive descent; one method a rule."""

    def __init__(self, tokens: list[Token], *, stored: bool) -> None:
        self._at = Cursor(tokens)
        self._stored = stored

    def condition(self) -> Condition:
        quantity, start = self._quantity()
        limit = self._limit(quantity)
        options = self._options()
        self._at.expect_end()
        if "ci" in options and quantity.statistic != "mean":
            raise ConditionError("(ci) belongs to a mean: only means have an interval", start)
        if "ci" in options and isinstance(limit, Against):
            raise ConditionError("(ci) belongs to a limit that is a number, or to a baseline", start)
        if "ci" in options and quantity.measure == PERFORMANCE:
            raise ConditionError("(ci) belongs to a measure's mean", start)
        if "meaningful" in options and quantity.measure in {PERFORMANCE, FINDINGS}:
            raise ConditionError(f"(meaningful) belongs to a measure: {quantity.measure} always says something", start)
        named = {name.replace(" ", "_"): True for name in options & {"warn", "missing ok", "meaningful"}}
        return Condition(quantity, limit, interval="ci" in options, **named)

    def _quantity(self) -> tuple[Quantity, int]:
        measure = self._at.word("a measure", tuple(VIEWS)).text
        view = self._view(measure)
        selector = self._selector()
        self._at.sign(".")
        place = self._at.next
        statistic = self._at.word("a statistic", statistics_of(measure)).text
        if measure == FINDINGS and selector is not None:
            raise ConditionError("findings are counted over the whole audit", place.position)
        if measure == PERFORMANCE and selector is not None and selector.scope is not Scope.WORST_MODEL:
            raise ConditionError("performance is known of all samples only, or of [worst model]", place.position)
        return Quantity(measure, view, selector or Selector(), statistic), place.position

    def _view(self, measure: str) -> str | None:
        """None, and nothing taken, where the measure's headline view is meant."""
        optional = measure in {PERFORMANCE, FINDINGS} or not MEASURES[measure].gates.needs_view
        if optional and self._at.next.text == "[":
            return None
        self._at.sign(".")
        place = self._at.next
        if place.text in VIEWS[measure]:
            return self._at.take().text
        name, _, number = place.text.partition("@")
        if place.kind == "parametrised" and name in PARAMETRISED[measure] and not number.isalpha():
            return self._with_parameter(PARAMETRISED[measure][name])
        if optional and place.text in statistics_of(measure):
            self._at.step_back()
            return None
        named = [f"{family.name}@{family.parameter}" for family in PARAMETRISED[measure].values()]
        views = ", ".join([*VIEWS[measure], *named])
        statistics = f" or a statistic ({', '.join(statistics_of(measure))})" if optional else ""
        raise self._at.expected(f"a view ({views}){statistics}")

    def _with_parameter(self, family: ViewFamily) -> str:
        token = self._at.take()
        number = float(token.text.split("@")[1])
        if not 0 < number <= family.largest or (family.whole and not number.is_integer()):
            kind = "a whole number, over 0" if family.whole else "over 0"
            message = f"the {family.parameter} of {family.name} is {kind} and at most {shortest(family.largest)}"
            raise ConditionError(message, token.position)
        return with_parameter(family.name, number)

    def _selector(self) -> Selector | None:
        if self._at.next.text != "[":
            return None
        self._at.take()
        word = self._at.word("a selector", ("macro", "micro", "label", "source", "worst")).text
        if word == "worst":
            selector = Selector(Scope(f"worst {self._at.word('what', ('label', 'source', 'model')).text}"))
        elif word in {"label", "source"}:
            self._at.sign("=")
            selector = Selector(Scope(word), self._at.name())
        else:
            selector = Selector(Scope(word))
        self._at.sign("]")
        return selector

    def _limit(self, quantity: Quantity) -> Limit:
        place = self._at.next
        if place.text in set(Relation):
            relation = Relation(self._at.take().text)
            return (
                self._against(relation, quantity)
                if self._at.next.text in VIEWS
                else Threshold(relation, self._at.number())
            )
        if place.text != "not":
            raise self._at.expected("<=, <, >=, > or 'not worse than baseline'")
        for word in ("not", "worse", "than", "baseline"):
            self._at.word(f"'{word}'", (word,))
        if not (quantity.has_direction or self._stored):
            of = f" on {quantity.view} images" if quantity.statistic in OF_CLASSES else ""
            raise ConditionError(f"of {quantity.statistic}{of} neither more nor less is worse", place.position)
        return NotWorse(self._margin())

    def _against(self, relation: Relation, quantity: Quantity) -> Against:
        """Of several groups each is compared with its own, or with the one number of all."""
        other, start = self._quantity()
        if other.selector.scope in WORST and other.selector != quantity.selector:
            raise ConditionError(f"[{other.selector.scope}] stands on both sides, or on the first alone", start)
        return Against(relation, other)

    def _margin(self) -> float:
        if self._at.next.text != "by":
            return 0.0
        for word in ("by", "more", "than"):
            self._at.word(f"'{word}'", (word,))
        place = self._at.next
        margin = self._at.number()
        if margin < 0:
            raise ConditionError("the margin may not be negative", place.position)
        return margin

    def _options(self) -> set[str]:
        options: set[str] = set()
        while self._at.next.text == ("," if options else "("):
            self._at.take()
            option = self._at.word("an option", ("ci", "warn", "missing", "meaningful")).text
            if option == "missing":
                self._at.word("'ok'", ("ok",))
                option = "missing ok"
            options.add(option)
        if options:
            self._at.sign(")")
        return options
