"""Parquet tables with the images in them: as `datasets` writes them, as others do, and as nobody should."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from app.domain.vocabulary import ResourceStatus
from tests.datasets.image_tables import CLASSES, IMAGE, SHADES, SHARD, TABLES, hugging, images, written
from tests.datasets.indexing import index
from tests.datasets.packing import make_tar, make_zip, picture
from worker.lifecycle.context import WorkerContext

FILES = Path(__file__).parent / "files"


def rows_of(samples: Any) -> list[tuple[str, str | None, str | None]]:
    return [(sample.name, sample.label, sample.split) for sample in samples]


def test_a_shard_of_the_datasets_library(context: WorkerContext) -> None:
    """Written by its 5.2: ``Dataset.from_dict(...).cast_column("image", Image()).to_parquet(...)``."""
    dataset, samples = index(context, (FILES / "train-00000-of-00001.parquet").read_bytes())
    assert dataset.status == ResourceStatus.READY, dataset.problem
    assert dataset.labels == ["cat", "dog"]
    assert [sample.label for sample in samples] == ["cat", "dog", "cat"]
    assert (dataset.columns or {})["label"] == "label"
    assert [sample.groups for sample in samples] == [{"camera": name} for name in "ABA"]


def test_one_table_is_a_data_set(context: WorkerContext) -> None:
    dataset, samples = index(context, written(SHARD))
    assert dataset.status == ResourceStatus.READY, dataset.problem
    names = [f"table/{number:06}.png" for number in range(4)]
    assert rows_of(samples) == list(zip(names, ("cat", "dog", "dog", None), [None] * 4, strict=True))
    assert [sample.groups for sample in samples] == [{"age": "1.5"}, {}, {"age": "2"}, {"age": "3"}]
    assert any(
        "4 images in the column 'image'; the labels are its ClassLabel 'labels'" in note for note in dataset.notes
    )
    content = context.blobs.read_range(dataset.stored_digest or "", samples[0].offset, samples[0].size)
    assert content == picture(SHADES[0])


@pytest.mark.parametrize("pack", [make_tar, make_zip])
def test_a_folder_as_the_hub_has_it(context: WorkerContext, pack: Any) -> None:
    entries = {
        ".gitattributes": b"x",
        "README.md": b"# cards",
        "data/train-00000-of-00001.parquet": written(SHARD),
        "data/test-00000-of-00001.parquet": written(SHARD.slice(0, 2)),
    }
    dataset, samples = index(context, pack(entries))
    assert dataset.status == ResourceStatus.READY, dataset.problem
    assert (dataset.labels, dataset.splits) == (["cat", "dog"], ["test", "train"])
    assert len(samples) == 6
    assert dataset.skipped == {"hidden": 1, "not-an-image": 1}
    assert dataset.near_duplicates is not None


def test_columns_are_named_as_of_any_manifest(context: WorkerContext) -> None:
    """Two ClassLabels: which is the label has to be said. A column of lists says nothing."""
    table = hugging(
        {"img": images(*SHADES), "fine": [0, 1, 0, 1], "coarse": [1, 1, 0, 0], "boxes": [[1], [2], [], [3]]},
        img=IMAGE,
        fine=CLASSES,
        coarse={"names": ["x", "y"], "_type": "ClassLabel"},
    )
    dataset, _ = index(context, written(table))
    assert (dataset.labels, dataset.status) == ([], ResourceStatus.READY)
    assert any("'boxes'" in note for note in dataset.notes)
    dataset, samples = index(context, written(table), columns={"label": "coarse", "cluster": "fine"})
    assert [sample.label for sample in samples] == ["y", "y", "x", "x"]
    assert [sample.cluster for sample in samples] == ["cat", "dog", "cat", "dog"]


def test_tables_of_other_programs(context: WorkerContext) -> None:
    """Plain bytes, labels as a dictionary, as pandas and polars write them; an image that is none costs itself."""
    contents = [picture(shade, kind="JPEG") for shade in SHADES] + [b"", b"no image"]
    labels = pa.array(["cat", "dog"] * 3).dictionary_encode()
    dataset, samples = index(context, written(pa.table({"content": contents, "label": labels})))
    assert dataset.status == ResourceStatus.READY, dataset.problem
    assert [sample.name[-3:] for sample in samples[:4]] == ["jpg"] * 4
    problems = [sample.problem and sample.problem["code"] for sample in samples]
    assert problems == [None] * 4 + ["sample-corrupt", "sample-unsupported-type"]


def test_tables_beside_images_are_left_out(context: WorkerContext) -> None:
    entries = {"a/1.png": picture(10), "b/2.png": picture(90), "table.parquet": written(SHARD)}
    dataset, _ = index(context, make_zip(entries))
    assert (dataset.labels, dataset.skipped) == (["a", "b"], {"not-an-image": 1})


@pytest.mark.parametrize("name", [name for name, (_, code) in TABLES.items() if code != "ready"])
def test_what_is_refused(context: WorkerContext, name: str) -> None:
    make, code = TABLES[name]
    dataset, samples = index(context, make())
    assert dataset.status == ResourceStatus.REJECTED
    assert (dataset.problem or {})["code"] == code, dataset.problem
    assert not samples


def test_damaged_tables_never_end_the_worker(context: WorkerContext) -> None:
    """Tables with bytes changed at random: each is taken, or refused with a sentence."""
    good = written(SHARD, compression="snappy")
    generator = np.random.default_rng(7)
    for _ in range(6):
        data = bytearray(good)
        for place in generator.integers(4, len(good), 6):
            data[place] = generator.integers(256)
        dataset, _ = index(context, bytes(data))
        assert dataset.status in {ResourceStatus.READY, ResourceStatus.REJECTED}


def test_large_tables_are_read_in_place_or_refused(context: WorkerContext) -> None:
    """Beyond what an entry may have: stored it is read where it lies; compressed it would have to be inflated whole."""
    table = written(SHARD, compression="none")
    limited = replace(context, settings=context.settings.model_copy(update={"max_entry_bytes": len(table) - 1}))
    for content in (make_tar({"a.parquet": table}), make_zip({"a.parquet": table}, 0)):
        dataset, samples = index(limited, content)
        assert (dataset.status, len(samples)) == (ResourceStatus.READY, 4), dataset.problem
    dataset, _ = index(limited, make_zip({"a.parquet": table, "b.parquet": table}))
    assert (dataset.problem or {})["code"] == "archive-expansion-limit"
    assert "zip -0" in (dataset.problem or {})["detail"]
