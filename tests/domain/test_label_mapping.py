"""How labels meet classes: every rule with what it takes, what it leaves in doubt, and what exports then show."""

import itertools
import random
from typing import Any

import pytest

from app.domain.samples.label_mapping import How
from app.domain.samples.label_matching import map_labels

DIGITS = [str(number) for number in range(10)]
DOZEN = [str(number) for number in range(12)]


@pytest.mark.parametrize(
    ("labels", "class_names", "count", "label_map", "how", "indices"),
    [
        (["cat", "dog"], ["dog", "cat"], 2, None, How.NAMES, [1, 0]),
        (["Golden Retriever", "pug"], ["pug", "golden_retriever"], 2, None, How.LOOSE, [1, 0]),
        (["non-face", "Face"], ["face", "non_face"], 2, None, How.LOOSE, [1, 0]),
        (["dog", "cat"], None, 2, None, How.SORTED, [1, 0]),
        (["Zebra", "ant"], None, 2, None, How.SORTED, [0, 1]),
        (DIGITS, None, 10, None, How.INDICES, list(range(10))),
        (["3", "7"], None, 10, None, How.INDICES, [3, 7]),
        ([f"{number:02d}" for number in range(12)], None, 12, None, How.INDICES, list(range(12))),
        (["0.0", "1.0"], None, 2, None, How.INDICES, [0, 1]),
        (["1", "2", "3"], None, 3, None, How.SORTED, [0, 1, 2]),
        (DOZEN, None, 12, "numeric", How.MAP, list(range(12))),
        (DOZEN, None, 12, "imagefolder", How.MAP, [0, 1, 4, 5, 6, 7, 8, 9, 10, 11, 2, 3]),
        ([str(number) for number in range(1, 13)], None, 12, "numeric", How.MAP, list(range(12))),
        (["a", "b"], ["x", "y"], 2, {"a": "y", "b": 0}, How.MAP, [1, 0]),
        (
            ["pug", "husky", "tabby"],
            ["cat", "dog"],
            2,
            {"pug": "dog", "husky": "Dog", "tabby": "cat"},
            How.MAP,
            [1, 1, 0],
        ),
        (["cat", "hound"], ["cat", "dog"], 2, {"hound": "dog"}, How.MAP, [0, 1]),
    ],
)
def test_meetings(
    labels: list[str], class_names: Any, count: int, label_map: Any, how: How, indices: list[int]
) -> None:
    for order in itertools.islice(itertools.permutations(range(len(labels))), 3):
        found = map_labels([labels[place] for place in order], class_names, count, label_map)
        assert (found.how, found.reason) == (how, None)
        assert found.indices == dict(zip(labels, indices, strict=True))


@pytest.mark.parametrize(
    ("labels", "class_names", "count", "label_map", "naming"),
    [
        ([], None, 2, None, "no labels"),
        (DOZEN, None, 12, None, "ImageFolder"),
        (["1", "10", "2"], None, 12, None, "3 labels, but the model has 12"),
        (["0", "1"], None, 12, None, "2 labels, but the model has 12"),
        ([str(number) for number in range(1, 13)], None, 12, None, "ImageFolder"),
        (["cat", "dog", "bird"], None, 2, None, "3 labels"),
        (["cat", "bird"], ["cat", "dog"], 2, None, "lack 1 of the 2 labels, 'bird' first"),
        (["Cat", "cat"], ["cat", "dog"], 2, None, "the same without case"),
        (["ncat", "bird"], ["n_cat", "n-cat"], 2, None, "the same without case"),
        (["a", "b"], None, 2, "numeric", "whole numbers"),
        (["0", "1"], None, 3, "imagefolder", "as many labels"),
        (["a", "b"], ["x", "y"], 2, {"a": "z"}, "leads 'a' to 'z'"),
        (["a", "b"], ["x", "y"], 2, {"a": "x"}, "lacks 'b'"),
        (["a"], None, 2, {"a": 2}, "leads 'a' to 2"),
    ],
)
def test_what_is_left_in_doubt(labels: list[str], class_names: Any, count: int, label_map: Any, naming: str) -> None:
    found = map_labels(labels, class_names, count, label_map)
    assert (found.indices, found.how, found.shown()) == (None, None, None)
    assert naming in (found.reason or "")


def test_exports_show_what_performance_counts() -> None:
    """A row whose label equals its predicted label is a hit, and no other."""
    for label_map in ("numeric", "imagefolder"):
        mapping = map_labels(DOZEN, None, 12, label_map)
        for label, index in (mapping.indices or {}).items():
            assert {other for other in range(12) if mapping.class_label(other, None) == label} == {index}
    doubtful = map_labels(DOZEN, None, 12)
    assert not {doubtful.class_label(index, None) for index in range(12)} & set(DOZEN)
    assert map_labels(["Face", "other"], ["face", "other"], 2).class_label(0, ["face", "other"]) == "Face"
    assert map_labels(["a"], ["x", "y"], 2).class_label(1, ["x", "y"]) == "y"
    assert map_labels([], None, 3).class_label(2, None) == "2"


def test_agrees_with_what_imagefolder_does() -> None:
    """Torchvision sorts the folders' names by code point and counts them."""
    generator = random.Random(1)
    for _ in range(20):
        labels = [f"{generator.choice('abcXYZ')}{number}" for number in range(14)]
        assert map_labels(labels, None, 14).indices == {name: place for place, name in enumerate(sorted(labels))}
