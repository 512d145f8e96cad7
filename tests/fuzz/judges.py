"""The judges of what is uploaded, as functions of bytes: each refuses with InputFailure, and in no other way."""

import gzip
import io
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from safetensors.torch import save

from app.domain.vocabulary import ModelFormat
from app.errors import InputFailure
from app.settings import Settings
from app.storage.blobs import BlobStore
from tests.datasets.hostile_archives import GOOD, make_tar, make_zip
from worker.archives.listing import archive_entries, seekable
from worker.archives.manifest import MANIFEST_NAMES, MAX_CHARACTERS, read_manifest
from worker.weights.checkpoints import MAX_EXPANSION, SLACK_BYTES, read_state_dict
from worker.weights.opcodes import judge_pickle


def _saved(weights: dict[str, torch.Tensor]) -> bytes:
    file = io.BytesIO()
    torch.save(weights, file)
    return file.getvalue()


WEIGHTS = {"a.weight": torch.ones(3, 2), "a.bias": torch.zeros(3)}
SEEDS = {
    "zip": make_zip(GOOD),
    "tar": make_tar(GOOD),
    "tar.gz": gzip.compress(make_tar(GOOD), mtime=0),
    "safetensors": save(WEIGHTS),
    "torch": _saved(WEIGHTS),
    "manifest.csv": b'path,label,source\na/1.png,a,\n"b,2.png",b,c\n',
    "manifest.jsonl": b'{"path": "a/1.png", "label": "a"}\n\n{"path": "b.png", "source": null}\n',
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


def judge_weights(data: bytes, kind: ModelFormat) -> None:
    """Unpickled as well, where the judge lets it pass."""
    for name, tensor in read_state_dict(io.BytesIO(data), kind).items():
        assert isinstance(name, str)
        assert tensor.numel() * tensor.element_size() <= MAX_EXPANSION * len(data) + SLACK_BYTES


def judge_manifest(data: bytes, name: str) -> None:
    for row in read_manifest(name, data):
        assert len(row.path) <= MAX_CHARACTERS


Judge = Callable[[bytes], None]
JUDGES: dict[str, Judge] = {
    **dict.fromkeys(("zip", "tar", "tar.gz"), judge_archive),
    "safetensors": partial(judge_weights, kind=ModelFormat.SAFETENSORS),
    "torch": partial(judge_weights, kind=ModelFormat.STATE_DICT),
    **{name: partial(judge_manifest, name=name) for name in MANIFEST_NAMES},
}
ENDLESS = {"tar", *MANIFEST_NAMES}
"""A tar's end is zeros that it may do without; lines are whole wherever they end."""


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
