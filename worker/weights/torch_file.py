"""Judges a ``torch.save`` file by its structure, before anything in it is unpickled."""

import io
import zipfile
from collections import Counter
from typing import BinaryIO

from torch._C import PyTorchFileReader

from app.errors import InputFailure
from worker.weights.kinds import foreign_kind, is_legacy_torch, is_like_safetensors, is_pickle
from worker.weights.opcodes import judge_pickle

ADVICE = "Upload the weights as safetensors, or as torch.save(model.state_dict(), path)."
MAX_PICKLE_BYTES = 64 * 1024**2
MAX_RECORDS = 200_000
_ZIP = b"PK\x03\x04"


def refuse_foreign_file(file: BinaryIO) -> None:
    """Raises InputFailure ``model-format-not-accepted`` for what can be neither safetensors nor from torch."""
    kind = foreign_kind(file)
    if kind is not None:
        raise _foreign(kind)


def judge_torch_file(file: BinaryIO) -> None:
    """Raises InputFailure unless the file is a ZIP of stored records with one harmless pickle.

    Codes: ``model-invalid`` (cut off or no torch file), ``model-format-not-accepted`` (TorchScript, exported
    programs, legacy and foreign files), ``model-unsafe``, ``archive-duplicate-entry``.
    """
    file.seek(0)
    if file.read(len(_ZIP)) != _ZIP:
        raise _other_kind(file)
    try:
        with zipfile.ZipFile(_BoundedReads(file)) as archive:
            pickled = _only_pickle(archive, file.seek(0, 2))
        file.seek(0)
        as_loaded = PyTorchFileReader(file).get_record("data.pkl")
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        raise InputFailure("model-invalid", "The file is cut off or not a valid torch.save file.") from error
    if pickled != as_loaded:
        raise InputFailure("model-unsafe", f"The file can be read in more than one way. {ADVICE}")
    judge_pickle(pickled)


class _BoundedReads(io.BufferedIOBase):
    """zipfile reads a directory whole, whatever length it claims: here it may not be longer than any real one."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self, size: int | None = -1) -> bytes:
        """Raises InputFailure ``model-unsafe`` for more than a directory or a pickle may have."""
        if size is not None and size > MAX_PICKLE_BYTES:
            raise InputFailure("model-unsafe", f"The directory of the file is too long. {ADVICE}")
        return self._file.read(-1 if size is None else size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()


def _only_pickle(archive: zipfile.ZipFile, size: int) -> bytes:
    entries = archive.infolist()
    names = [entry.filename for entry in entries]
    if len(set(names)) != len(names):
        name = next(name for name, count in Counter(names).items() if count > 1)
        raise InputFailure("archive-duplicate-entry", f"Two records of the file have the name {name[:200]!a}.")
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
        raise InputFailure("model-unsafe", f"A record is compressed, which torch.save never does. {ADVICE}")
    if len(entries) > MAX_RECORDS or sum(entry.file_size for entry in entries) > size:
        raise InputFailure("model-unsafe", f"The records of the file are too many, or overlap. {ADVICE}")
    inner = [name.split("/", 1)[-1] for name in names]
    if "constants.pkl" in inner or any(name.startswith("code/") for name in inner):
        raise InputFailure("model-format-not-accepted", f"TorchScript files contain code. {ADVICE}")
    pickles = [entry for entry in entries if entry.filename.endswith(".pkl")]
    if len(pickles) != 1 or pickles[0].filename.count("/") != 1 or not pickles[0].filename.endswith("/data.pkl"):
        raise InputFailure("model-format-not-accepted", f"The file is not a torch.save file of tensors. {ADVICE}")
    if pickles[0].file_size > MAX_PICKLE_BYTES:
        raise InputFailure("model-unsafe", f"The pickle is too long for a state_dict. {ADVICE}")
    return archive.read(pickles[0])


def _other_kind(file: BinaryIO) -> InputFailure:
    if is_like_safetensors(file):
        return InputFailure("model-invalid", 'This looks like a safetensors file: say so with format "safetensors".')
    kind = "a legacy torch file" if is_legacy_torch(file) else foreign_kind(file)
    if kind is not None:
        return _foreign(kind)
    if is_pickle(file):
        return InputFailure("model-unsafe", f"This is a raw pickle, which could run code. {ADVICE}")
    return InputFailure("model-invalid", f"This is no torch.save file. {ADVICE}")


def _foreign(kind: str) -> InputFailure:
    return InputFailure("model-format-not-accepted", f"This is {kind}. {ADVICE}")
