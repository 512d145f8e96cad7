"""Files that torch wrote before version 1.6: five pickles in a row, then the bytes of the storages."""

from typing import BinaryIO

from app.domain.refusals.weights import DAMAGED
from worker.weights.lazy import Span
from worker.weights.pickle_reader import read_pickle
from worker.weights.rebuilding import STORAGES
from worker.weights.records import Global, Persistent, text_items

MAGIC = 0x1950A86A20F9469CFC6C
_VERSION = 1001
_MAX_SMALL_BYTES = 64 * 1024
MAX_PICKLE_BYTES = 64 * 1024**2
_COUNT_BYTES = 8


class LegacyStorages:
    """Where each storage's bytes lie."""

    def __init__(self, spans: dict[str, Span]) -> None:
        self._spans = spans

    def span(self, key: str) -> Span:
        return self._spans[key]


def read_legacy(file: BinaryIO) -> tuple[object, LegacyStorages]:
    """What was saved, of records, and its storages. Raises InputFailure ``model-invalid`` or ``model-unsafe``."""
    file.seek(0)
    magic = read_pickle(file, max_bytes=_MAX_SMALL_BYTES)
    version = read_pickle(file, max_bytes=_MAX_SMALL_BYTES)
    machine = read_pickle(file, max_bytes=_MAX_SMALL_BYTES)
    if magic != MAGIC or version != _VERSION or text_items(machine).get("little_endian") is not True:
        raise DAMAGED.failure(what="it begins like a file from before torch 1.6, and is none")
    outside: list[Persistent] = []
    content = read_pickle(file, max_bytes=MAX_PICKLE_BYTES, outside=outside)
    keys = read_pickle(file, max_bytes=MAX_PICKLE_BYTES)
    return content, LegacyStorages(_spans(file, keys, _widths(outside)))


def _widths(outside: list[Persistent]) -> dict[str, int]:
    """Bytes of an element, by the storage's key."""
    widths: dict[str, int] = {}
    for record in outside:
        if isinstance(record.id, tuple) and len(record.id) >= 5 and record.id[0] == "storage":
            kind, key = record.id[1:3]
            if isinstance(kind, Global) and kind.name in STORAGES:
                widths.setdefault(str(key), STORAGES[kind.name].itemsize)
    return widths


def _spans(file: BinaryIO, keys: object, widths: dict[str, int]) -> dict[str, Span]:
    spans: dict[str, Span] = {}
    size = _size_from_here(file)
    for key in keys if isinstance(keys, list) else [None]:
        if not isinstance(key, str) or key not in widths:
            raise DAMAGED.failure(what="its list of storages is none")
        count = int.from_bytes(file.read(_COUNT_BYTES), "little")
        begin, length = file.tell(), count * widths[key]
        if begin + length > size:
            raise DAMAGED.failure(what="it ends before its last storage")
        spans[key] = Span(file, begin, length)
        file.seek(length, 1)
    return spans


def _size_from_here(file: BinaryIO) -> int:
    here = file.tell()
    size = file.seek(0, 2)
    file.seek(here)
    return size
