"""Files that torch has written since version 1.6: a ZIP with a pickle, and a record for each storage."""

import io

from app.domain.refusals.weights import NOT_TORCH_ZIP, SCRIPT_WITHOUT_WEIGHTS, UNSAFE
from worker.weights.lazy import Span
from worker.weights.pickle_reader import read_pickle
from worker.weights.stored_zip import StoredZip
from worker.weights.walking import Findings, find_tensors

MAX_PICKLE_BYTES = 64 * 1024**2
_PICKLE = "data.pkl"
_MAX_ORDER_BYTES = 16


class ZipStorages:
    """Where each storage's bytes lie."""

    def __init__(self, archive: StoredZip) -> None:
        self._archive = archive
        order = archive.read("byteorder", max_bytes=_MAX_ORDER_BYTES) if "byteorder" in archive else b"little"
        self._swapped = order.strip() == b"big"

    def span(self, key: str) -> Span:
        return self._archive.span(f"data/{key}", swapped=self._swapped)


def read_torch_zip(archive: StoredZip) -> Findings:
    """The tensors and modules of its one pickle, as records.

    Raises InputFailure ``model-format-not-accepted`` for another ZIP, and for TorchScript without its tensors.
    """
    if _PICKLE not in archive:
        raise NOT_TORCH_ZIP.failure()
    if any(name.endswith(f"/{_PICKLE}") for name in archive.names()):
        raise UNSAFE.failure(what="it holds a second pickle")
    pickled = archive.read(_PICKLE, max_bytes=MAX_PICKLE_BYTES)
    stream = io.BytesIO(pickled)
    found = find_tensors(read_pickle(stream, max_bytes=len(pickled)))
    if stream.read(1):
        raise UNSAFE.failure(what="bytes follow the end of its pickle")
    if "constants.pkl" in archive:
        found.scripted = True
        if not found.tensors:
            raise SCRIPT_WITHOUT_WEIGHTS.failure()
    return found
