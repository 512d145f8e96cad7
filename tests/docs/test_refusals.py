"""The documentation's tables of refusals are the code's."""

import pytest

from app.domain.refusals import architectures, graphs, maps, networks, use, weights
from app.domain.refusals.refusal import Refusal
from tests.docs.refusal_tables import refusals_of, rows_of, rows_shown

OF_MODELS = refusals_of(weights, networks, architectures, graphs, use)
OF_MAPS = refusals_of(maps)


@pytest.mark.parametrize(
    ("refusals", "page", "heading"),
    [
        (OF_MODELS, "models.md", "## Why a model is refused"),
        (OF_MAPS, "map-sets.md", "## Why a map is not taken"),
    ],
    ids=["models", "maps"],
)
def test_every_refusal_has_its_row(refusals: list[Refusal], page: str, heading: str) -> None:
    assert rows_shown(page, heading) == rows_of(refusals)


@pytest.mark.parametrize("refusal", [*OF_MODELS, *OF_MAPS], ids=lambda refusal: refusal.sentence[:40])
def test_a_refusal_says_the_way_out(refusal: Refusal) -> None:
    assert refusal.sentence.endswith((".", "}"))
    assert refusal.way_out
