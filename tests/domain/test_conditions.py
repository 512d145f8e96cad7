"""The language of gates: what it accepts, what it answers where it does not, and that it reads its own writing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.gates.conditions import (
    FINDINGS,
    FINDINGS_STATISTICS,
    PERFORMANCE,
    PERFORMANCE_STATISTICS,
    SUMMARY_STATISTICS,
    Condition,
    NotWorse,
    Quantity,
    Relation,
    Scope,
    Selector,
    Threshold,
)
from app.domain.gates.names import PARAMETRISED, VIEWS
from app.domain.gates.parser import parse_condition
from app.domain.gates.tokens import ConditionError
from app.domain.measures import MEASURES
from app.domain.views.families import with_parameter

numbers = st.floats(-1e9, 1e9, allow_nan=False).map(lambda value: value + 0.0)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@st.composite
def conditions(draw: st.DrawFn) -> Condition:
    """Every condition that can be said."""
    measure = draw(st.sampled_from(list(VIEWS)))
    performance, findings = measure == PERFORMANCE, measure == FINDINGS
    views: list[st.SearchStrategy[str | None]] = [st.sampled_from(VIEWS[measure])] if VIEWS[measure] else []
    views += [
        st.builds(
            with_parameter,
            st.just(family.name),
            st.integers(1, int(family.largest))
            if family.whole
            else st.floats(0.001, min(1, family.largest)).map(lambda amount: round(amount, 3)),
        )
        for family in PARAMETRISED[measure].values()
    ]
    views += [] if measure in MEASURES and MEASURES[measure].gates.needs_view else [st.none()]
    scopes = [Scope.MACRO] if findings else [Scope.MACRO, Scope.WORST_MODEL] if performance else list(Scope)
    scope = draw(st.sampled_from(scopes))
    selector = Selector(scope, draw(texts) if scope in {Scope.LABEL, Scope.SOURCE} else None)
    statistic = draw(
        st.sampled_from(
            PERFORMANCE_STATISTICS if performance else FINDINGS_STATISTICS if findings else SUMMARY_STATISTICS
        )
    )
    threshold = st.builds(Threshold, st.sampled_from(Relation), numbers)
    not_worse = st.builds(NotWorse, st.floats(0, 1e9))
    quantity = Quantity(measure, draw(st.one_of(views)), selector, statistic)
    limit = draw(threshold | not_worse if quantity.has_direction else threshold)
    interval = statistic == "mean" and draw(st.booleans())
    meaningful = not performance and not findings and draw(st.booleans())
    return Condition(quantity, limit, interval, draw(st.booleans()), draw(st.booleans()), meaningful)


def error_of(text: str) -> ConditionError | None:
    """Nothing else may be raised."""
    try:
        parse_condition(text)
    except ConditionError as error:
        return error
    return None


@given(conditions())
def test_what_is_written_is_read_back(condition: Condition) -> None:
    if len(str(condition)) <= 500:
        assert parse_condition(str(condition)) == condition
        assert str(parse_condition(str(condition))) == str(condition)


@given(conditions().map(str), st.integers(0, 200), st.sampled_from(' .[](),=<>x1"\\@é\n'))
def test_a_slip_is_named_or_harmless(text: str, place: int, slip: str) -> None:
    spoilt = text[:place] + slip + text[place + 1 :]
    error = error_of(spoilt)
    assert error is None or 0 <= error.position <= len(spoilt)


@given(st.text(max_size=600))
def test_any_text_is_a_condition_or_a_condition_error(text: str) -> None:
    error = error_of(text)
    assert error is None or str(error).startswith(f"at character {error.position + 1}: ")


def test_the_examples_of_the_issue() -> None:
    assert parse_condition("entropy.spatial.mean <= 0.85") == Condition(
        Quantity("entropy", "spatial", Selector(), "mean"), Threshold(Relation.AT_MOST, 0.85)
    )
    assert parse_condition("stability.mean >= 0.8") == Condition(
        Quantity("stability", None, Selector(), "mean"), Threshold(Relation.AT_LEAST, 0.8)
    )
    text = "noise_reaction.mean not worse than baseline by more than 0.02 (ci)"
    assert parse_condition(text) == Condition(
        Quantity("noise_reaction", None, Selector(), "mean"), NotWorse(0.02), interval=True
    )


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("entropy.mean<=.85", "entropy.mean <= 0.85"),
        ("  stability . mean\n>= 8e-1 ( warn,ci ) ", "stability.mean >= 0.8 (ci, warn)"),
        ("noise_reaction.noise@0.050.mean > 0", "noise_reaction.noise@0.05.mean > 0"),
        ('entropy[source="style gan"].n >= 10', 'entropy[source="style gan"].n >= 10'),
        ('entropy[label="fake"].mean < 1', "entropy[label=fake].mean < 1"),
        ("entropy[macro].mean < 1", "entropy.mean < 1"),
        ("stability.mean not worse than baseline by more than 0", "stability.mean not worse than baseline"),
        ("performance.noise@0.5[worst model].auroc > -0.0", "performance.noise@0.5[worst model].auroc > 0"),
        ("agreement.cc@1.mean>=.2", "agreement.cc@1.mean >= 0.2"),
        (
            "agreement.kl@rest[worst label].p95 < agreement.kl@20.mean",
            "agreement.kl@rest[worst label].p95 < agreement.kl@20.mean",
        ),
    ],
)
def test_canonical_form(text: str, canonical: str) -> None:
    assert str(parse_condition(text)) == canonical


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("", 1, "expected a measure"),
        ("entropie.mean < 1", 1, "expected a measure (entropy,"),
        ("entropy.spatial.men <= 1", 17, "expected a statistic (mean,"),
        ("entropy.spacial.mean <= 1", 9, "expected a view (spatial, histogram) or a statistic"),
        ("degradation.mean < 1", 13, "expected a view (salience_removed, non_salience_removed)"),
        ("entropy.mean = 1", 14, "expected <=, <, >=, > or 'not worse than baseline'"),
        ("agreement.dice@1.mean > 0", 11, "expected a view (methods, ssim@rest, cc@rest,"),
        ("agreement.cc@0.5.mean > 0", 11, "the MAP_SET of cc is a whole number, over 0 and at most 20"),
        ("agreement.cc@21.mean > 0", 11, "over 0 and at most 20"),
        ("agreement.cc@all.mean > 0", 11, "expected a view"),
        ("entropy.mean <= high", 17, "expected a number"),
        ("entropy.mean <= 1e300", 17, "the number is too large"),
        ("entropy.mean <= 1 1", 19, "expected the end or options"),
        ("entropy.mean <= 1 (never)", 20, "expected an option (ci, warn, missing, meaningful)"),
        ("entropy.mean <= 1 (missing)", 27, "expected 'ok'"),
        ("entropy.mean <= 1 (ci", 22, "expected ')'"),
        ("entropy.p50 <= 1 (ci)", 9, "only means have an interval"),
        ("entropy[best label].mean < 1", 9, "expected a selector"),
        ("entropy[worst sample].mean < 1", 15, "expected what (label, source, model)"),
        ("entropy[source=].mean < 1", 16, "expected a name"),
        ('entropy[source="a].mean < 1', 16, "no part of a condition begins like this"),
        ("entropy.std not worse than baseline", 13, "of std neither more nor less is worse"),
        ("performance.salience_removed.accuracy not worse than baseline", 39, "of accuracy on salience_removed images"),
        ("performance.salience_removed.auroc not worse than baseline", 36, "neither more nor less is worse"),
        ("degradation.salience_removed.flip_rate not worse than baseline", 40, "of flip_rate on salience_removed"),
        ("entropy.mean not worse than before", 29, "expected 'baseline'"),
        ("entropy.mean not worse than baseline by more than -1", 51, "may not be negative"),
        ("performance[micro].auroc > 1", 20, "performance is known of all samples only"),
        ("entropy.mean <= 1 # why", 19, "no part of a condition begins like this"),
        ("x" * 501, 501, "500 characters"),
    ],
)
def test_mistakes_are_named_with_their_place(text: str, position: int, message: str) -> None:
    with pytest.raises(ConditionError) as raised:
        parse_condition(text)
    assert str(raised.value).startswith(f"at character {position}: ")
    assert message in str(raised.value)


@pytest.mark.parametrize(
    "text",
    [
        "degradation.salience_removed.mean not worse than baseline",
        "degradation.salience_removed.n_undefined not worse than baseline",
        "degradation.non_salience_removed.flip_rate not worse than baseline",
        "performance.non_salience_removed.accuracy not worse than baseline",
        "performance.salience_removed.accuracy >= 0.5",
    ],
)
def test_what_has_a_direction_may_be_compared(text: str) -> None:
    assert str(parse_condition(text)) == text


def test_a_gate_of_an_earlier_version_is_still_read() -> None:
    """Or the audit that names it could never end."""
    text = "performance.salience_removed.accuracy not worse than baseline"
    assert str(parse_condition(text, stored=True)) == text
