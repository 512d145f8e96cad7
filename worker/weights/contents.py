"""What a file of weights holds, whatever wrote it: tensors by the path of their keys."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import BinaryIO

from app.domain.refusals.weights import FOREIGN, NOT_TORCH, RAW_PICKLE, SAFETENSORS_AS_TORCH, TORCH_AS_SAFETENSORS
from app.domain.vocabulary import ModelFormat
from app.errors import InputFailure
from worker.weights.bundles import Tensors, is_bundle, read_bundle
from worker.weights.exported_program import is_exported_program, read_exported_program
from worker.weights.kinds import foreign_kind, is_legacy_torch, is_like_safetensors, is_pickle
from worker.weights.lazy import LazyTensor
from worker.weights.rebuilding import Storages, rebuilt
from worker.weights.safetensors_file import read_safetensors
from worker.weights.stored_zip import StoredZip
from worker.weights.torch_legacy import read_legacy
from worker.weights.torch_zip import ZipStorages, read_torch_zip
from worker.weights.walking import Findings, ModuleRecord, Path, find_tensors

_ZIP = b"PK\x03\x04"


@dataclass(frozen=True)
class Contents:
    """``wrote``: what wrote the file, in words. A tensor is looked at when it is asked for."""

    wrote: str
    tensors: dict[Path, Callable[[], LazyTensor]]
    modules: dict[Path, ModuleRecord] = field(default_factory=dict)
    scripted: bool = False


def read_contents(file: BinaryIO, kind: ModelFormat) -> Contents:
    """Everything in the file that is a tensor; nothing of it is read yet, and nothing in it is ever called.

    Raises InputFailure: ``model-invalid``, ``model-unsafe``, ``model-format-not-accepted`` or
    ``archive-duplicate-entry``.
    """
    is_zip = _starts(file) == _ZIP
    if is_zip and is_bundle(file):
        return _plain("a ZIP of shards", read_bundle(file, _shard))
    if kind is not ModelFormat.SAFETENSORS:
        return _read_torch(file)
    if is_zip:
        raise TORCH_AS_SAFETENSORS.failure()
    _refuse_foreign(file)
    return _plain("safetensors", _safetensors(file))


def _read_torch(file: BinaryIO) -> Contents:
    if _starts(file) == _ZIP:
        return _read_zip(file)
    if is_legacy_torch(file):
        content, storages = read_legacy(file)
        return _pickled("torch.save, before torch 1.6", find_tensors(content), storages)
    raise _no_torch_file(file)


def _shard(file: BinaryIO) -> Tensors:
    """One of a bundle: a bundle within a bundle is none."""
    if is_like_safetensors(file):
        return _safetensors(file)
    return {path: source() for path, source in _read_torch(file).tensors.items()}


def _safetensors(file: BinaryIO) -> Tensors:
    return {(name,): tensor for name, tensor in read_safetensors(file).items()}


def _read_zip(file: BinaryIO) -> Contents:
    archive = StoredZip(file)
    if is_exported_program(archive):
        return _plain("torch.export.save", read_exported_program(archive))
    found = read_torch_zip(archive)
    wrote = "torch.jit.save (TorchScript)" if found.scripted else "torch.save"
    return _pickled(wrote, found, ZipStorages(archive))


def _plain(wrote: str, tensors: Tensors) -> Contents:
    return Contents(wrote, {path: partial(_as_it_is, tensor) for path, tensor in tensors.items()})


def _as_it_is(tensor: LazyTensor) -> LazyTensor:
    return tensor


def _pickled(wrote: str, found: Findings, storages: Storages) -> Contents:
    tensors = {path: partial(rebuilt, ".".join(path), record, storages) for path, record in found.tensors.items()}
    return Contents(wrote, dict(tensors), found.modules, found.scripted)


def _starts(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read(len(_ZIP))


def _refuse_foreign(file: BinaryIO) -> None:
    kind = foreign_kind(file)
    if kind is not None:
        raise FOREIGN.failure(kind=kind)


def _no_torch_file(file: BinaryIO) -> InputFailure:
    if is_like_safetensors(file):
        return SAFETENSORS_AS_TORCH.failure()
    kind = foreign_kind(file)
    if kind is not None:
        return FOREIGN.failure(kind=kind)
    return (RAW_PICKLE if is_pickle(file) else NOT_TORCH).failure()
