"""What folders say: splits, labels and sources, and what is no label."""

import pytest

from worker.intake.layout import Layout

Found = tuple[str | None, str | None, str | None]
TRAIN_CAT, TRAIN_DOG = ("train", "cat", None), ("train", "dog", None)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["cat/1.png", "dog/s/2.png"], [(None, "cat", None), (None, "dog", "s")]),
        (["top/cat/1.png", "top/dog/2.png"], [(None, "cat", None), (None, "dog", None)]),
        (["a/b/cat/1.png", "a/b/dog/2.png"], [(None, "cat", None), (None, "dog", None)]),
        (
            ["Train/cat/1.png", "VAL/cat/2.png", "Train/dog/3.png"],
            [TRAIN_CAT, ("val", "cat", None), TRAIN_DOG],
        ),
        (["top/train/cat/s/1.png", "top/test/dog/2.png"], [("train", "cat", "s"), ("test", "dog", None)]),
        (["train/1.png", "car/1.png", "bus/1.png"], [(None, "train", None), (None, "car", None), (None, "bus", None)]),
        (["train/cat/1.png", "train/dog/2.png"], [("train", "cat", None), ("train", "dog", None)]),
        (["train/images/1.png", "valid/images/2.png"], [("train", None, None), ("valid", None, None)]),
        (
            ["train/cat/1.png", "train/dog/1.png", "test/2.png"],
            [TRAIN_CAT, TRAIN_DOG, ("test", None, None)],
        ),
        (
            ["training_set/training_set/cat/1.png", "test_set/test_set/dog/2.png"],
            [("training", "cat", None), ("test", "dog", None)],
        ),
        (["seg_train/cat/1.png", "seg_test/dog/2.png"], [TRAIN_CAT, ("test", "dog", None)]),
        (["Train Set/cat/1.png", "Validation Set/dog/2.png"], [TRAIN_CAT, ("validation", "dog", None)]),
        (["train2017/1.jpg", "val2017/2.jpg"], [("train", None, None), ("val", None, None)]),
        (["trainset/cat/1.png", "testset/dog/2.png"], [TRAIN_CAT, ("test", "dog", None)]),
        (["cat/train/1.png", "dog/test/2.png"], [TRAIN_CAT, ("test", "dog", None)]),
        (["blood test/1.png", "urine test/2.png"], [(None, "blood test", None), (None, "urine test", None)]),
        (["train_images/1.png", "train_images/2.png"], [(None, None, None)] * 2),
        (["steam train/1.png", "train/2.png"], [(None, "steam train", None), (None, "train", None)]),
        (["images/1.png", "images/2.png"], [(None, None, None)] * 2),
        (["repo/images/1.png"], [(None, None, None)]),
        (["1.png", "cat/2.png"], [(None, None, None), (None, "cat", None)]),
        (["1.png"], [(None, None, None)]),
        (
            ["fold1/cat/1.png", "fold1/dog/1.png", "Fold_2/cat/2.png"],
            [("fold1", "cat", None), ("fold1", "dog", None), ("fold_2", "cat", None)],
        ),
        (["part1/1.png", "part2/2.png"], [(None, "part1", None), (None, "part2", None)]),
        (["part1/bolt/1.png", "part2/nut/2.png"], [(None, "part1", "bolt"), (None, "part2", "nut")]),
        (["train/1.png", "2.png"], [(None, "train", None), (None, None, None)]),
    ],
)
def test_places(names: list[str], expected: list[Found]) -> None:
    layout = Layout.of(name.rpartition("/")[0] for name in names)
    assert [tuple(layout.place(name)) for name in names] == expected


def test_nothing_at_all() -> None:
    assert Layout.of([]).notes() == []
