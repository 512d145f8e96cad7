"""WebDataset's shards: tars of the library's own, packed as folders of a store become one archive, are one data set."""

from typing import Any

import pytest

from app.domain.vocabulary import ResourceStatus
from tests.datasets.indexing import index
from tests.datasets.packing import make_tar, make_zip, picture, shard
from worker.lifecycle.context import WorkerContext

pytestmark = pytest.mark.needs(module="webdataset", get="make install")


def sample(number: int, **beside: Any) -> dict[str, Any]:
    return {"__key__": f"{number:06}", "png": picture(10 * number + 10), **beside}


@pytest.mark.parametrize("pack", [make_tar, lambda entries: make_zip(entries, 0)])
def test_several_shards_are_one_data_set(pack: Any, context: WorkerContext) -> None:
    """Labels are in ``.cls``, splits in the shards' names."""
    shards = {
        "README.md": b"# Faces",
        "faces-train-000000.tar": shard(sample(0, cls=1), sample(1, cls=0)),
        "faces-train-000001.tar": shard(sample(2, cls=1)),
        "faces-test-000000.tar": shard(sample(3, cls=0)),
    }
    dataset, samples = index(context, pack(shards))
    assert dataset.status == ResourceStatus.READY, dataset.problem
    told = [(one.name, one.split, one.label) for one in samples]
    assert told == [
        ("test/000003.png", "test", "0"),
        ("train/000000.png", "train", "1"),
        ("train/000001.png", "train", "0"),
        ("train/000002.png", "train", "1"),
    ]
    assert (dataset.columns, dataset.skipped) == ({"beside": "webdataset"}, {"not-an-image": 5})
    assert any("3 tars within were read as one" in note for note in dataset.notes)
    content = context.blobs.read_range(dataset.stored_digest or "", samples[0].offset, samples[0].size)
    assert content == picture(40)


def test_labels_in_json(context: WorkerContext) -> None:
    """Of shards whose names say no split; one image has none."""
    shards = {
        "00000.tar": shard(sample(0, json={"label": "cat", "width": 8}), sample(1, json={"caption": "x"})),
        "00001.tar": shard(sample(2, json={"class": 3})),
    }
    dataset, samples = index(context, make_tar(shards))
    assert dataset.status == ResourceStatus.READY, dataset.problem
    assert [(one.name, one.split, one.label) for one in samples] == [
        ("000000.png", None, "cat"),
        ("000001.png", None, None),
        ("000002.png", None, "3"),
    ]


def test_what_the_owner_says_goes_before(context: WorkerContext) -> None:
    shards = {"0.tar": shard(sample(0, cls=1), sample(1, cls=0))}
    dataset, samples = index(context, make_tar(shards), columns={"names": "{label}.png"})
    assert [one.label for one in samples] == ["000000", "000001"]
    assert dataset.columns == {"names": "{label}.png"}


@pytest.mark.parametrize(
    ("shards", "code"),
    [
        ([make_tar({"a.png": picture(1)})[:700], make_tar({"b.png": picture(2)})], "archive-malformed"),
        ([b"no tar" * 200], "archive-malformed"),
        ([make_tar({"a.png": picture(1)}), make_tar({"a.png": picture(2)})], "archive-duplicate-entry"),
        ([make_tar({"../a.png": picture(1)})], "archive-unsafe-path"),
        ([make_tar({"1.tar": make_tar({"a.png": picture(1)})})], "dataset-empty"),
    ],
)
def test_shards_that_are_refused(shards: list[bytes], code: str, context: WorkerContext) -> None:
    """A tar within a tar within an archive is never opened; the names are checked as those of any archive."""
    dataset, samples = index(context, make_tar({f"{number}.tar": one for number, one in enumerate(shards)}))
    assert (dataset.status, (dataset.problem or {}).get("code")) == (ResourceStatus.REJECTED, code)
    assert not samples


def test_tars_beside_images_are_not_opened(context: WorkerContext) -> None:
    entries = {"a/1.png": picture(10), "b/2.png": picture(90), "shard.tar": make_tar({"c/3.png": picture(50)})}
    dataset, _ = index(context, make_tar(entries))
    assert (dataset.labels, dataset.skipped) == (["a", "b"], {"archive": 1})
