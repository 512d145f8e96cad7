"""What a description of a model's input may say, what is kept of it, and what it is told where it cannot be right."""

from typing import Any

import pytest
from pydantic import ValidationError

from app.domain.models.input_spec import ShorterSideResizing
from app.domain.models.preprocessing import Preprocessing

BASE: dict[str, Any] = {"input_size": 224, "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
BYTES = {"mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375]}


def described(**fields: Any) -> Preprocessing:
    return Preprocessing.model_validate(BASE | fields)


def test_what_is_kept_is_what_it_was_before_there_was_a_choice() -> None:
    assert described().stored() == BASE | {"resize": "stretch"}
    asked = {"resize": {"shorter_side": 256}, "interpolation": "bicubic", "channels": "bgr"}
    assert described(**asked, alpha="black", antialias=True).stored() == BASE | asked
    assert Preprocessing.of(described(**asked).stored()) == described(**asked)
    assert described(**asked).resize == ShorterSideResizing(shorter_side=256)


def test_numbers_of_bytes_say_the_range_where_there_is_no_doubt() -> None:
    assert described(**BYTES).value_range == "byte"
    assert described(mean=[103.939, 116.779, 123.68], std=[1, 1, 1], channels="bgr").value_range == "byte"
    assert described(mean=[0, 0, 0], std=[255, 255, 255]).value_range == "byte"
    assert described(mean=[0, 0, 0], std=[1, 1, 1]).value_range == "unit"
    assert described(**BYTES).in_unit_range[0] == pytest.approx(tuple(BASE["mean"]), abs=1e-3)


def test_one_number_stands_for_all_but_of_grey() -> None:
    assert described(mean=0.5, std=[0.25]).stored()["std"] == [0.25] * 3
    assert described(mean=0.5, std=[0.25], channels="grey").mean == (0.5,)
    told = Preprocessing.model_validate({"input_size": 64, "value_range": "signed"})
    assert (told.mean, told.std) == ((0.0,) * 3, (1.0,) * 3)


def test_the_colour_that_becomes_nothing() -> None:
    assert described().mean_colour == (124, 116, 104)
    assert described(**BYTES).mean_colour == (124, 116, 104)
    turned = [numbers[::-1] for numbers in BYTES.values()]
    assert described(mean=turned[0], std=turned[1], channels="bgr").mean_colour == (124, 116, 104)
    assert described(value_range="signed", mean=0, std=1).mean_colour == (128, 128, 128)
    assert described(value_range="signed", mean=-0.5, std=1).mean_colour == (64, 64, 64)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"mean": BYTES["mean"]}, "divide these by 255"),
        ({"std": BYTES["std"]}, "divide these by 255"),
        ({"mean": BYTES["mean"], "value_range": "unit"}, "divide these by 255"),
        ({"mean": [0.5, 0.5]}, "one for each of three channels"),
        ({"mean": [0.5], "std": [0.2, 0.2, 0.2], "channels": "grey"}, "as many numbers in mean as in std"),
        ({"resize": {"shorter_side": 200}}, "224 x 224 pixels cannot be cut out of 200 x 200"),
        ({"resize": {"pad": "blue"}}, "'black', 'white' or 'mean'"),
        ({"interpolation": "lanczos", "antialias": False}, "no lanczos interpolation without antialias"),
        ({"std": [0.0, 1.0, 1.0]}, "greater than 0"),
        ({"mean": [0.485, 0.456, 406]}, "divide these by 255"),
        ({"mean": [300, 1, 1], "value_range": "byte"}, "levels go from 0 to 255"),
        ({"resize": 256}, '{"shorter_side": 256} says that the aspect is kept'),
        (
            {"input_size": [112, 224], "resize": {"shorter_side": 200}},
            "112 x 224 pixels cannot be cut",
        ),
        ({"input_size": [112, 224, 3]}, "at most 2 items"),
    ],
)
def test_what_cannot_be_right(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError) as caught:
        described(**fields)
    assert told in str(caught.value)


def test_an_input_that_is_not_square() -> None:
    tall = described(input_size=[96, 64])
    assert (tall.size, tall.stored()["input_size"]) == ((96, 64), [96, 64])
    assert Preprocessing.of(tall.stored()) == tall
    assert described(input_size=[96, 96]).stored()["input_size"] == 96
