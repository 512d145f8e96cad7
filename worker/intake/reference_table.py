"""``outputs.jsonl``: which images of an archive the owner's code was given, and what it gave."""

import math
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

from app.db.tables import ModelRow
from app.domain.models.fidelity import ENTRY, MOST_IMAGES
from app.domain.models.outputs import Output
from app.domain.refusals.use import REFERENCE_LINE, REFERENCE_SIZE, REFERENCE_WITHOUT_TABLE
from app.domain.samples.labels_by_name import class_index
from app.domain.vocabulary import OutputKind
from app.errors import InputFailure
from app.imaging.entries import ArchiveEntry
from app.results.inputs import class_count
from worker.archives.entry_names import from_here
from worker.archives.manifest import Record, read_table
from worker.wire.job_parts import JobSample, ReferenceSample

_SHOWN = 100


def read_reference(
    entries: Sequence[ArchiveEntry], read: Callable[[ArchiveEntry], bytes], model: ModelRow
) -> tuple[ReferenceSample, ...]:
    """In the order of the lines. Raises InputFailure ``reference-invalid`` with the line."""
    files = [entry for entry in entries if not entry.is_folder and entry.skip is None and entry.same_as is None]
    tables = [entry for entry in files if entry.name.rpartition("/")[2].casefold() == ENTRY]
    if len(tables) != 1:
        raise REFERENCE_WITHOUT_TABLE.failure(count=len(tables))
    if tables[0].fault is not None:
        raise InputFailure(*tables[0].fault)
    records = _records(read(tables[0]))
    images = _images(files, tables[0].name.rpartition("/")[0])
    return tuple(_sample(record, images, model) for record in records)


def _records(data: bytes) -> list[Record]:
    found = []
    try:
        for record in read_table(ENTRY, data):
            found.append(record)
            if len(found) > MOST_IMAGES:
                raise REFERENCE_SIZE.failure(count=f"more than {MOST_IMAGES}")
    except InputFailure as failure:
        if failure.code != "manifest-invalid":
            raise
        raise InputFailure(REFERENCE_LINE.code, failure.detail.replace("the manifest", ENTRY)) from failure
    if not found:
        raise REFERENCE_SIZE.failure(count="no")
    return found


def _images(files: Sequence[ArchiveEntry], folder: str) -> dict[str, ArchiveEntry]:
    """By the path that a line writes: from the table's folder, or from the archive's top."""
    named = {entry.name: entry for entry in files}
    if len(named) < len(files):
        raise InputFailure("archive-duplicate-entry", "Two entries have one name: pack the folder anew.")
    if not folder:
        return named
    start = f"{folder}/"
    return named | {name.removeprefix(start): one for name, one in named.items() if name.startswith(start)}


def _sample(record: Record, images: dict[str, ArchiveEntry], model: ModelRow) -> ReferenceSample:
    line, fields = record
    path = fields.get("path")
    if not isinstance(path, str):
        raise _invalid(line, "it has no path")
    entry = images.get(unicodedata.normalize("NFC", from_here(path)))
    if entry is None:
        raise _invalid(line, f"the archive has no file {path[:_SHOWN]!a}")
    if entry.fault is not None:
        raise _invalid(line, f"{path[:_SHOWN]!a}: {entry.fault.detail.rstrip('.')}")
    outputs, predicted = _outputs(line, fields.get("outputs"), model), _class(line, fields.get("class"), model)
    if outputs is None and predicted is None:
        raise _invalid(line, "it has neither class nor outputs")
    return ReferenceSample(sample=JobSample.of_entry(entry), predicted=predicted, outputs=outputs)


def _class(line: int, value: Any, model: ModelRow) -> int | None:
    """A name that is loosely a class's, else an index; of numbers as text too."""
    if value is None:
        return None
    if Output.of(model.output).kind is OutputKind.MULTILABEL:
        raise _invalid(line, "a class says too little of independent labels: send outputs")
    count = class_count(model)
    named = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    index = class_index(named, model.class_names, count)
    if index is None and named.isdecimal():
        index = class_index(int(named[:9]), None, count)
    if index is None:
        raise _invalid(line, f"no class of the model is {str(value)[:_SHOWN]!a}")
    return index


def _outputs(line: int, value: Any, model: ModelRow) -> tuple[float, ...] | None:
    if value is None:
        return None
    numbers = value if isinstance(value, list) else [value]
    if not all(isinstance(one, int | float) and not isinstance(one, bool) and _is_finite(one) for one in numbers):
        raise _invalid(line, "outputs are not a list of finite numbers")
    wanted = 1 if Output.of(model.output).kind is OutputKind.BINARY else class_count(model)
    if len(numbers) != wanted:
        raise _invalid(line, f"it has {len(numbers)} outputs, and the model has {wanted}")
    return tuple(float(one) for one in numbers)


def _is_finite(value: float) -> bool:
    return abs(value) < 1e30 and math.isfinite(value)


def _invalid(line: int, what: str) -> InputFailure:
    return REFERENCE_LINE.failure(line=line, what=what)
