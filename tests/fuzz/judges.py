"""The judges of what is uploaded, as functions of bytes: each refuses with InputFailure, and in no other way."""

import bz2
import gzip
import io
import json
import lzma
import tempfile
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
import zstandard
from safetensors.torch import save

from app.domain.models.input_size import size_of
from app.domain.vocabulary import ModelFormat
from app.errors import InputFailure
from app.imaging.decoding import decode
from app.imaging.entries import read_entry
from app.imaging.image_table import ImageTable
from app.settings import Settings
from app.storage.blobs import BlobStore
from tests.corpus import onnx_files
from tests.datasets.image_tables import SHARD, written
from tests.datasets.packing import GOOD, make_tar, make_zip, picture
from tests.stored import put
from worker.archives.cells import text_of
from worker.archives.listing import list_entries, seekable
from worker.archives.manifest import read_table
from worker.archives.name_encodings import PAGES, detect_encoding
from worker.intake.arrivals import Arrivals
from worker.intake.coco import coco_records
from worker.weights.contents import read_contents
from worker.weights.loading import MAX_EXPANSION, SLACK_BYTES, load
from worker.weights.onnx.canonical import canonical
from worker.weights.onnx.entrance import entrance_of
from worker.weights.onnx.reading import read_model
from worker.weights.onnx.tail import tail_of
from worker.weights.onnx.values import Values
from worker.weights.pickle_reader import read_pickle
from worker.weights.walking import find_tensors


def _saved(weights: dict[str, torch.Tensor], **options: bool) -> bytes:
    file = io.BytesIO()
    torch.save(weights, file, **options)
    return file.getvalue()


WEIGHTS = {"a.weight": torch.ones(3, 2), "a.bias": torch.zeros(3)}
COCO = {
    "images": [{"id": 1, "file_name": "a/1.png"}],
    "categories": [{"id": 7, "name": "cat"}],
    "annotations": [{"image_id": 1, "category_id": 7}],
}
FILES = Path(__file__).parents[1] / "datasets" / "files"
REAL_ZIPS = ("7z_Deflate64", "7z_BZip2", "7z_LZMA", "7z_XZ", "python_ZSTD")
IMAGE_KINDS = ("TIFF", "GIF", "PPM", "JPEG2000", "AVIF", "WEBP")
SEEDS = {
    "zip": make_zip(GOOD),
    "zip.bz2": make_zip(GOOD, zipfile.ZIP_BZIP2),
    "tar": make_tar(GOOD),
    "tar.gz": gzip.compress(make_tar(GOOD), mtime=0),
    "tar.bz2": bz2.compress(make_tar(GOOD)),
    "tar.xz": lzma.compress(make_tar(GOOD)),
    "tar.zst": zstandard.compress(make_tar(GOOD)),
    **{f"zip {name}": (FILES / f"{name}.zip").read_bytes() for name in REAL_ZIPS},
    "parquet": written(SHARD),
    "manifest.json": json.dumps(COCO).encode(),
    **{kind: picture(kind=kind) for kind in IMAGE_KINDS},
    "safetensors": save(WEIGHTS),
    "torch": _saved(WEIGHTS),
    "torch before 1.6": _saved(WEIGHTS, _use_new_zipfile_serialization=False),
    "onnx": onnx_files.serialised(onnx_files.network()),
    "onnx.zip": onnx_files.listed(),
    "manifest.csv": b'path,label,source\na/1.png,a,\n"b,2.png",b,c\n',
    "manifest.jsonl": b'{"path": "a/1.png", "label": "a"}\n\n{"path": "b.png", "source": null}\n',
}

# Deleted with the process.
_FOLDER = tempfile.TemporaryDirectory(prefix="salience-audit-judges-")
_SETTINGS = Settings(blob_store=_FOLDER.name, max_inflated_bytes=2**20)
_IMAGES = Settings(max_pixels=100_000)
_BLOBS = BlobStore.from_settings(_SETTINGS)


def judge_archive(data: bytes) -> None:
    """As the indexer does; blobs are deleted again."""
    digest = put(_BLOBS, data)
    made = digest
    try:
        made = seekable(_BLOBS, digest, _SETTINGS)
        for entry in Arrivals(_SETTINGS.max_entries).watch(list_entries(_BLOBS, made, _SETTINGS).entries):
            assert 0 <= entry.offset <= entry.offset + entry.stored_size <= _BLOBS.size(made)
            assert not Path(entry.name).is_absolute()
            assert ".." not in Path(entry.name).parts
            if entry.fault is None and not entry.is_folder:
                assert len(read_entry(_BLOBS, made, entry, _SETTINGS.max_inflated_bytes)) == entry.size
    finally:
        for blob in {digest, made}:
            _BLOBS.delete(blob)


def judge_table(data: bytes) -> None:
    """Every row; what asks for more memory than there is ends its child, which is a refusal."""
    try:
        for row in ImageTable(io.BytesIO(data)).read():
            assert row.extension.isalnum()
    except MemoryError as error:
        raise InputFailure("archive-malformed", "The process that read the table was lost.") from error


def judge_weights(data: bytes, kind: ModelFormat) -> None:
    """Every tensor is read."""
    contents = read_contents(io.BytesIO(data), kind)
    tensors = {".".join(path): source() for path, source in contents.tensors.items()}
    for name, tensor in load(tensors, len(data)).items():
        assert isinstance(name, str)
        assert tensor.numel() * tensor.element_size() <= MAX_EXPANSION * len(data) + SLACK_BYTES


def judge_graph(data: bytes) -> None:
    """As the child does before anything is run."""
    model = read_model(io.BytesIO(data))
    tail_of(model)
    canonical(model, entrance_of(model, size_of(onnx_files.SIZE)))
    assert Values(model).shapes is not None


def judge_pickle(data: bytes) -> None:
    find_tensors(read_pickle(io.BytesIO(data), max_bytes=len(data)))


def judge_manifest(data: bytes, name: str) -> None:
    for record in read_table(name, data):
        assert all(name == name.strip() for name in record.fields) or name.endswith("jsonl")
        for value in record.fields.values():
            text_of(record.line, value)


def judge_coco(data: bytes) -> None:
    """And the names of an archive, which are detected from bytes."""
    assert detect_encoding([data]) in PAGES
    for record in coco_records(data, []):
        assert record.line > 0


def judge_image(data: bytes) -> None:
    """Every kind that is read, with small limits."""
    assert decode(data, _IMAGES).image.mode == "RGB"


LINES = ("manifest.csv", "manifest.jsonl")
Judge = Callable[[bytes], None]
JUDGES: dict[str, Judge] = {
    "parquet": judge_table,
    **{f"zip {name}": judge_archive for name in REAL_ZIPS},
    **dict.fromkeys(("zip", "zip.bz2", "tar", "tar.gz", "tar.bz2", "tar.xz", "tar.zst"), judge_archive),
    **dict.fromkeys(IMAGE_KINDS, judge_image),
    "manifest.json": judge_coco,
    "safetensors": partial(judge_weights, kind=ModelFormat.SAFETENSORS),
    **dict.fromkeys(("torch", "torch before 1.6"), partial(judge_weights, kind=ModelFormat.STATE_DICT)),
    **dict.fromkeys(("onnx", "onnx.zip"), judge_graph),
    **{name: partial(judge_manifest, name=name) for name in LINES},
}
ENDLESS = {"tar", *LINES, *IMAGE_KINDS}
"""A tar's end is zeros that it may do without; lines are whole wherever they end, and some images without theirs."""


def run_all(data: bytes) -> None:
    """Every judge on the same bytes."""
    for judge in (judge_pickle, *JUDGES.values()):
        refused(judge, data)


def refused(judge: Judge, data: bytes) -> bool:
    try:
        judge(data)
    except InputFailure:
        return True
    return False
