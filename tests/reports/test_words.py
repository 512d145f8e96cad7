"""How a report writes numbers, and the names of things."""

from app.domain.vocabulary import UndefinedReason
from app.reports.job import Undefined
from app.reports.provenance import undefined_table
from app.reports.words import REASONS, counted, headline, number, signed
from tests.reports.small_reports import job


def test_no_number_is_a_negative_zero() -> None:
    assert (number(-0.0004), number(-0.004, 2), signed(-0.0004)) == ("0.000", "0.00", "+0.000")
    assert number(-0.0006) == "\N{MINUS SIGN}0.001"


def test_one_is_not_many() -> None:
    assert (counted(1, "sample"), counted(2, "sample"), counted(0, "sample")) == ("1 sample", "2 samples", "0 samples")


def test_headlines_are_words() -> None:
    assert headline("stability", "pairs") == "stability"
    assert headline("geometric_resilience", "all") == "geometric resilience (all transformations)"
    assert headline("entropy", "spatial") == "entropy (spatial)"


def test_every_reason_has_words_beside_its_code() -> None:
    assert set(REASONS) == set(UndefinedReason)
    one = Undefined(model="m", measure="entropy", view="spatial", reason="constant-map", count=1, samples=["s"])
    of_runs = one.model_copy(update={"measure": "stability", "view": "pairs", "reason": "constant-view-map"})
    table = undefined_table(job().model_copy(update={"undefined": [one, of_runs]}))
    assert table is not None
    assert table.rows[0][2] == (
        "the map of the clean image is the same everywhere, so it shows no salience (constant-map)"
    )
    assert table.rows[1][2].startswith("the map of one of the runs is the same everywhere")
