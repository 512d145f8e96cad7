"""The judges of what is uploaded, as functions of bytes: each refuses with InputFailure, and in no other way."""

import gzip
import io
import tempfile
from pathlib import Path

import torch
from safetensors.torch import save

from app.errors import InputFailure
from app.settings import Settings
from app.storage.blobs import BlobStore
from tests.datasets.hostile_archives import GOOD, make_tar, make_zip
from worker.runtime.archives import archive_entries, seekable
from worker.runtime.opcodes import judge_pickle
from worker.runtime.safetensors_file import read_safetensors

WEIGHTS = {"a.weight": torch.ones(3, 2), "a.bias": torch.zeros(3)}
SEEDS = {
    "zip": make_zip(GOOD),
    "tar": make_tar(GOOD),
    "tar.gz": gzip.compress(make_tar(GOOD), mtime=0),
    "safetensors": save(WEIGHTS),
}

# Deleted with the process.
_FOLDER = tempfile.TemporaryDirectory(prefix="salience-audit-judges-")
_SETTINGS = Settings(blob_store=_FOLDER.name, max_inflated_bytes=2**20)
_BLOBS = BlobStore.from_settings(_SETTINGS)


def judge_archive(data: bytes) -> None:
    """As the indexer does; blobs are deleted again."""
    with _BLOBS.writer(len(data) + 1) as writer:
        writer.write(data)
        digest = writer.commit().digest
    made = digest
    try:
        made = seekable(_BLOBS, digest, _SETTINGS)
        for entry in archive_entries(_BLOBS, made, _SETTINGS):
            assert 0 <= entry.offset <= entry.offset + entry.stored_size <= _BLOBS.size(made)
            assert not Path(entry.name).is_absolute()
            assert ".." not in Path(entry.name).parts
    finally:
        for blob in {digest, made}:
            _BLOBS.delete(blob)


def judge_safetensors(data: bytes) -> None:
    for tensor in read_safetensors(io.BytesIO(data)).values():
        assert tensor.numel() * tensor.element_size() <= len(data)


JUDGES = {"zip": judge_archive, "tar": judge_archive, "tar.gz": judge_archive, "safetensors": judge_safetensors}


def run_all(data: bytes) -> None:
    """Every judge on the same bytes."""
    for judge in (judge_archive, judge_safetensors, judge_pickle):
        refused(judge, data)


def refused(judge: object, data: bytes) -> bool:
    try:
        judge(data)  # type: ignore[operator]
    except InputFailure:
        return True
    return False
