"""COCO's own layout, as COCO, CVAT and Roboflow export it: taken where every image shows objects of one category; else
notes name the ``columns`` that take it, and those do.
"""

import json
import re
from typing import Any

import pytest

from app.domain.samples.table_columns import Columns
from tests.datasets.coco_files import CAT, DOG, coco
from tests.datasets.indexing import Indexed, index
from tests.datasets.packing import make_zip, picture
from worker.lifecycle.context import WorkerContext

Files = dict[str, bytes]
CVAT = "annotations/instances_default.json"


def pictures(*names: str) -> Files:
    return {name: picture(number * 9) for number, name in enumerate(names)}


def labels(indexed: Indexed) -> dict[str, tuple[str | None, str | None]]:
    """Split and label by name."""
    dataset, samples = indexed
    assert dataset.status == "ready", dataset.problem
    return {sample.name: (sample.split, sample.label) for sample in samples}


def offered(indexed: Indexed) -> list[dict[str, Any]]:
    """The ``columns`` of every note that names some."""
    found = (re.search(r"columns: (\{.*\})", note) for note in indexed[0].notes)
    return [json.loads(one[1]) for one in found if one is not None]


def test_of_cvat(context: WorkerContext) -> None:
    """A folder that holds everything, and names without it."""
    files = pictures("images/1.png", "images/2.png") | {CVAT: coco({"1.png": (CAT, CAT), "2.png": (DOG,)})}
    found = index(context, make_zip(files))
    assert labels(found) == {"images/1.png": (None, "cat"), "images/2.png": (None, "dog")}
    assert found[0].columns == {"file": CVAT, "path": "file_name", "label": "label", "groups": []}
    assert found[0].skipped == {}
    (assumed,) = (note for note in found[0].notes if "COCO" in note)
    assert CVAT in assumed
    assert "objects of one category" in assumed


def test_of_roboflow(context: WorkerContext) -> None:
    """A file in each split, whose images lie beside it under names that differ in their hash alone."""
    files = pictures("train/a_jpg.rf.1.jpg", "valid/a_jpg.rf.1.jpg") | {
        "train/_annotations.coco.json": coco({"a_jpg.rf.1.jpg": (CAT,)}),
        "valid/_annotations.coco.json": coco({"a_jpg.rf.1.jpg": (DOG,)}),
        "README.dataset.txt": b"exported",
    }
    found = labels(index(context, make_zip(files)))
    assert found == {"train/a_jpg.rf.1.jpg": ("train", "cat"), "valid/a_jpg.rf.1.jpg": ("valid", "dog")}


def test_of_coco(context: WorkerContext) -> None:
    """As cocodataset.org packs it: captions and key points say no labels."""
    files = pictures("train2017/000000000009.jpg", "val2017/000000000139.jpg") | {
        "annotations/instances_train2017.json": coco({"000000000009.jpg": (CAT,)}),
        "annotations/instances_val2017.json": coco({"000000000139.jpg": (DOG, DOG)}),
        "annotations/captions_val2017.json": b'{"images": [], "annotations": []}',
        "annotations/person_keypoints_val2017.json": coco({"000000000139.jpg": ()}),
    }
    found = labels(index(context, make_zip(files)))
    assert found == {"train2017/000000000009.jpg": ("train", "cat"), "val2017/000000000139.jpg": ("val", "dog")}


MANY = coco({"1.png": (CAT, DOG), "2.png": (DOG,), "3.png": ()})
LEFT = [None, "dog", None]


@pytest.mark.parametrize(
    ("files", "why", "taken"),
    [
        (pictures("1.png", "2.png", "3.png") | {CVAT: MANY}, "1 of 3 images show objects of several", LEFT),
        (pictures("1.png", "2.png") | {CVAT: coco({"1.png": (CAT,)})}, "1 images are not among theirs", ["cat"]),
        (
            pictures("1.png", "2.png") | {CVAT: coco({"1.png": (CAT,), "2.png": (DOG,), "3.png": (DOG,)})},
            "1 of their images are not there",
            ["cat", "dog", "dog"],
        ),
        (
            pictures("a/1.png", "b/2.png") | {CVAT: coco({"a/1.png": (CAT,), "b/2.png": (DOG,)})},
            "folders",
            ["cat", "dog"],
        ),
        (pictures("1.png") | {"labels.json": coco({"1.png": (DOG,)})}, "labels.json", ["dog"]),
    ],
    ids=["several-categories", "not-listed", "not-there", "folders", "another-name"],
)
def test_what_would_be_guessed_is_offered(context: WorkerContext, files: Files, why: str, taken: list[str]) -> None:
    """Nothing of it stays, and whoever registers it so gets the labels that there are."""
    found = index(context, make_zip(files))
    images = {name for name in files if not name.endswith(".json")}
    assert set(labels(found)) == images
    assert found[0].labels == (["a", "b"] if why == "folders" else [])
    assert any(why in note for note in found[0].notes)
    (columns,) = offered(found)
    again = index(context, make_zip(files), columns=Columns.model_validate(columns).model_dump(exclude_none=True))
    assert [label for _, label in labels(again).values()] == taken


def test_several_files_are_offered_each(context: WorkerContext) -> None:
    files = pictures("train/1.png", "test/2.png") | {
        f"{split}/_annotations.coco.json": coco({name: (CAT, DOG)})
        for split, name in (("train", "1.png"), ("test", "2.png"))
    }
    found = index(context, make_zip(files))
    assert [one["file"] for one in offered(found)] == ["test/_annotations.coco.json", "train/_annotations.coco.json"]
    assert any("unless a manifest.csv lists all" in note for note in found[0].notes)
