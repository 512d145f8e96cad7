"""Parquet tables with the images in them: as `datasets` writes them, as others do, and as nobody should."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from app.domain.vocabulary import ResourceStatus
from tests.datasets.hostile_archives import make_tar, make_zip, picture
from tests.datasets.indexing import index
from worker.context import WorkerContext

FILES = Path(__file__).parent / "files"
SHADES = (10, 60, 110, 160)


def written(table: Any, **options: Any) -> bytes:
    file = io.BytesIO()
    pq.write_table(table, file, **options)
    return file.getvalue()


def images(*shades: int) -> Any:
    """A column as `datasets` has it."""
    return pa.array([{"bytes": picture(shade), "path": f"x{shade}.png"} for shade in shades])


def hugging(columns: dict[str, Any], **features: Any) -> Any:
    told = {"info": {"features": features}}
    return pa.table(columns).replace_schema_metadata({"huggingface": json.dumps(told)})


IMAGE = {"_type": "Image"}
CLASSES = {"names": ["cat", "dog"], "_type": "ClassLabel"}
SHARD = hugging(
    {"image": images(*SHADES), "labels": [0, 1, 1, -1], "age": [1.5, None, 2.0, 3.0]}, image=IMAGE, labels=CLASSES
)


def rows_of(samples: Any) -> list[tuple[str, str | None, str | None]]:
    return [(sample.name, sample.label, sample.split) for sample in samples]


def test_a_shard_of_the_datasets_library(context: WorkerContext) -> None:
    """Written by its 4.x: ``Dataset.from_dict(...).cast_column("image", Image()).to_parquet(...)``."""
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


def _spoilt() -> bytes:
    """The footer's length says more than there is."""
    data = bytearray(written(SHARD))
    data[-8:-4] = (2**31 - 1).to_bytes(4, "little")
    return bytes(data)


def _bomb() -> bytes:
    """Eight hundred mebibytes of zeros in a few kilobytes: one value that every row names."""
    column = pa.array([bytes(8 * 1024**2)] * 100, pa.binary())
    return written(pa.table({"image": column}), compression="zstd", use_dictionary=True)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (written(SHARD)[:-6], "archive-malformed"),
        (_spoilt(), "archive-malformed"),
        (b"PAR1" + bytes(600) + b"PAR1", "archive-malformed"),
        (written(pa.table({"a": [1, 2]})), "dataset-empty"),
        (written(pa.table({"image": pa.array([], pa.binary())})), "dataset-empty"),
        (_bomb(), "archive-expansion-limit"),
        (make_zip({"x/a.parquet": written(SHARD), "x/b.parquet": b"PAR1 no"}), "archive-malformed"),
    ],
)
def test_what_is_refused(context: WorkerContext, content: bytes, code: str) -> None:
    dataset, samples = index(context, content)
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
