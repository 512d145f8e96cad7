"""Which of a version's files have the weights: names alone decide, nothing is run."""

import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from app.domain.vocabulary import ModelFormat, Origin
from app.errors import InputFailure
from app.imports.storing import Storing, checked_pieces
from app.models.imported import Found
from app.registries.base import Files
from app.registries.named_files import WEIGHTS, is_hidden
from app.storage.writing import StoredBlob

KNOWN = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
    "data/model.safetensors",
    "data/model.pth",
    "data/model.pt2",
    "model/model.safetensors",
    "model/model.safetensors.index.json",
    "model/pytorch_model.bin",
    "state_dict.pth",
    "model.pth",
    "model.pt",
    "model.pt2",
    "model.onnx",
    "onnx/model.onnx",
)
"""The first that is there."""
FOLDERS = frozenset({"", "data", "extra_files", "model"})
"""That are looked into for a file of another name."""
_INDEX = ".index.json"
_SHARD = re.compile(r"-\d{5}-of-\d{5}")
_EXTERNAL = re.compile(r"[._]data(_\d+)?")
"""How the files of an ONNX graph's numbers end: of torch, optimum, and MLflow."""


@dataclass(frozen=True)
class WeightFiles:
    """``name`` says which kind it is. Several ``parts`` become one ZIP, as people upload them."""

    name: str
    parts: tuple[str, ...]

    @classmethod
    def among(cls, names: Iterable[str]) -> "WeightFiles":
        """Raises InputFailure where there are none, or several that could be them."""
        found = sorted(name for name in names if not is_hidden(name))
        known = next((name for name in KNOWN if name in found), None)
        others = [name for name in found if name.endswith(WEIGHTS) and name.rpartition("/")[0] in FOLDERS]
        if known is not None:
            return cls(known, _parts(known, found))
        if len(others) == 1:
            return cls(others[0], _parts(others[0], found))
        raise InputFailure("model-format-not-accepted", _which(others, found))

    def described(self) -> Found:
        """What the kind of the file says."""
        kinds = {".safetensors": ModelFormat.SAFETENSORS, ".onnx": ModelFormat.ONNX}
        plain = self.name.removesuffix(_INDEX)
        kind = next((kind for suffix, kind in kinds.items() if plain.endswith(suffix)), ModelFormat.STATE_DICT)
        return Origin.ARTIFACT, {"format": kind.value}

    def stored(self, files: Files, storing: Storing) -> StoredBlob:
        """The file, or the ZIP. Raises EgressFailure."""
        if len(self.parts) > 1:
            return storing.pieces(_zipped(files, self.parts, storing.max_bytes))
        return storing.file(files, self.name)


def _parts(name: str, names: Iterable[str]) -> tuple[str, ...]:
    """An index with its shards, a graph with its numbers; else the file alone."""
    folder, _, last = name.rpartition("/")
    beside = [one for one in names if one.rpartition("/")[0] == folder and one != name]
    if last.endswith(_INDEX):
        stem, _, suffix = last.removesuffix(_INDEX).rpartition(".")
        is_part = re.compile(rf"{re.escape(stem)}{_SHARD.pattern}\.{re.escape(suffix)}").fullmatch
    elif last.endswith(".onnx"):
        is_part = re.compile(rf".*{_EXTERNAL.pattern}").fullmatch
    else:
        return (name,)
    return name, *(one for one in beside if is_part(one.rpartition("/")[2]))


def _which(others: list[str], names: list[str]) -> str:
    if others:
        listed = ", ".join(others[:5])
        return (
            f"Several files of the version could be its weights: {listed}. Register it with one of them; of a bucket "
            "or a folder an address may end with the file that is meant."
        )
    listed = ", ".join(name[-100:] for name in names[:5]) + (" and more" if len(names) > 5 else "")
    return (
        f"No file of the version has weights that are read; it has {listed or 'none'}. Name one model.safetensors, or "
        f"with one of {', '.join(WEIGHTS)}; MLflow writes such by mlflow.pytorch, mlflow.onnx and mlflow.transformers."
    )


def _zipped(files: Files, names: Iterable[str], max_bytes: int) -> Iterator[bytes]:
    """A ZIP of them without their folders, nothing compressed: the same bytes whenever theirs are the same."""
    written = _Written()
    with zipfile.ZipFile(written, "w") as archive:
        for name in names:
            entry = zipfile.ZipInfo(name.rpartition("/")[2])
            with files.fetch(name, max_bytes) as download, archive.open(entry, "w", force_zip64=True) as file:
                for piece in checked_pieces(files, name, download):
                    file.write(piece)
                    yield from written.taken()
    yield from written.taken()


class _Written:
    """Where an archive is written that nobody goes back in."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, piece: bytes) -> int:
        self._pieces.append(bytes(piece))
        return len(piece)

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """What was written stays."""

    def taken(self) -> list[bytes]:
        """What was written since."""
        pieces, self._pieces = self._pieces, []
        return pieces
