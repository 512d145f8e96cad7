"""Labels that stand in no table: in a file beside each image, or in the images' own names."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import yaml
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.tables import SampleRow
from app.domain.samples.table_columns import ALIASES, Columns
from app.errors import InputFailure
from app.imaging.entries import entry_of
from app.imaging.kinds import EXTENSIONS
from worker.intake.samples import BATCH, in_batches, label_sample, save_findings, stream_samples

ReadEntry = Callable[[Any], bytes]
SIDECARS = {"webdataset": (".cls", ".json"), "yolo": (".txt",)}
"""The first of them that says a label of any image."""
MOST_BYTES = 64 * 1024
CLASS_NAMES = ("data.yaml", "data.yml", "dataset.yaml", "classes.txt", "obj.names")
"""Files of YOLO's that say what its classes are called."""
_FIELDS = {"{label}": "(?P<label>.+?)", "{source}": "(?P<source>.+?)", "{split}": "(?P<split>.+?)"}


def label_by_names(session: Session, dataset_id: UUID, pattern: str) -> int:
    """How many samples the pattern gave a label; the others have none. Raises InputFailure for a bad pattern."""
    expression, labelled = compiled(pattern), 0
    for batch in in_batches(stream_samples(session, dataset_id), BATCH):
        findings: list[dict[str, Any]] = []
        for sample in batch:
            match = expression.fullmatch(sample.name.rpartition("/")[2])
            if match is not None:
                findings.append({"id": sample.id, "groups": {}, **match.groupdict()})
        save_findings(session, findings)
        labelled += len(findings)
    return labelled


def compiled(pattern: str) -> re.Pattern[str]:
    """``{label}``, ``{source}``, ``{split}``; ``#`` stands for digits, ``*`` for anything."""
    parts = re.split(r"(\{label\}|\{source\}|\{split\}|#|\*)", pattern)
    try:
        return re.compile(
            "".join(_FIELDS.get(part) or {"#": r"\d+", "*": ".*"}.get(part) or re.escape(part) for part in parts)
        )
    except re.error as error:
        raise InputFailure("columns-invalid", "columns.names has a field twice.") from error


def label_beside(session: Session, dataset_id: UUID, columns: Columns, read: ReadEntry) -> int:
    """How many images have a file beside them that says their label."""
    layout = columns.beside or "webdataset"
    names = _class_names(session, dataset_id, read) if layout == "yolo" else {}
    readers: dict[str, Callable[[bytes], str | None]] = {
        ".cls": lambda data: _text(data) or None,
        ".json": label_in_json,
        ".txt": lambda data: _yolo_label(_text(data), names),
    }
    found = (_label_by(session, dataset_id, ending, read, readers[ending]) for ending in SIDECARS[layout])
    return next((labelled for labelled in found if labelled), 0)


def may_say_labels(name: str, size: int, asked: Columns | None) -> bool:
    """Whether a file within an archive is one of those that are read, as long as nobody names a table."""
    if size > MOST_BYTES or (asked is not None and asked.beside is None):
        return False
    layout = "webdataset" if asked is None else asked.beside or "webdataset"
    return name.endswith(SIDECARS[layout]) or name.rpartition("/")[2] in CLASS_NAMES


def says_label(name: str, content: bytes | None) -> bool:
    """Of a file of WebDataset's; ``content`` is None of one that nobody reads."""
    return name.endswith(".cls") or (name.endswith(".json") and content is not None and bool(label_in_json(content)))


def label_in_json(data: bytes) -> str | None:
    """Of an object that has one of the names that a column of labels may have."""
    try:
        told = json.loads(data)
    except (ValueError, RecursionError):
        return None
    named = told if isinstance(told, dict) else {}
    label = next((named[alias] for alias in ALIASES["label"] if alias in named), None)
    if isinstance(label, bool) or not isinstance(label, str | int):
        return None
    return str(label).strip() or None


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace").strip()


def _label_by(
    session: Session, dataset_id: UUID, ending: str, read: ReadEntry, label_of: Callable[[bytes], str | None]
) -> int:
    labelled = 0
    query = select(SampleRow).where(SampleRow.dataset_id == dataset_id, SampleRow.name.like(f"%{ending}"))
    for row in session.scalars(query.execution_options(yield_per=BATCH)):
        if row.size > MOST_BYTES:
            continue
        label = label_of(read(entry_of(row)))
        if label is None and ending == ".json":
            continue
        values: dict[str, Any] = {"label": label and label[:1024], "groups": {}}
        labelled += any(label_sample(session, dataset_id, name, values) for name in _images_of(row.name, ending))
    return labelled


def _images_of(name: str, ending: str) -> Iterator[str]:
    """The names that its image may have: beside it or, as YOLO has it, in ``images/`` where it is in ``labels/``."""
    stem = name.removesuffix(ending)
    before, labels, after = f"/{stem}".rpartition("/labels/")
    stems = [stem, f"{before}/images/{after}".removeprefix("/")] if labels else [stem]
    for one in stems:
        for extension in EXTENSIONS:
            yield f"{one}.{extension}"
            yield f"{one}.{extension.upper()}"


def _yolo_label(text: str, names: dict[str, str]) -> str | None:
    """The class of all boxes, where it is one: an image has one label."""
    classes = {line.split()[0] for line in text.splitlines() if line.strip()}
    if len(classes) != 1:
        return None
    only = classes.pop()
    return names.get(only, only)


def _class_names(session: Session, dataset_id: UUID, read: ReadEntry) -> dict[str, str]:
    """Of YOLO's ``data.yaml``, or of ``classes.txt`` line by line; empty where there is neither."""
    query = select(SampleRow).where(SampleRow.dataset_id == dataset_id, SampleRow.size <= MOST_BYTES)
    for ending in CLASS_NAMES:
        here = query.where(SampleRow.name.in_([ending]) | SampleRow.name.like(f"%/{ending}"))
        row = session.scalars(here.limit(1)).first()
        if row is not None:
            return _names_in(ending, read(entry_of(row)))
    return {}


def _names_in(name: str, data: bytes) -> dict[str, str]:
    text = data.decode("utf-8", "replace")
    if not name.endswith((".yaml", ".yml")):
        return {str(number): line.strip() for number, line in enumerate(text.splitlines()) if line.strip()}
    try:
        # Aliases let a few lines stand for gigabytes, and no list of classes needs one.
        document = {} if "*" in text else yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise InputFailure("manifest-invalid", f"The class names in {name} are not YAML.") from error
    found = document.get("names", {}) if isinstance(document, dict) else {}
    pairs = found.items() if isinstance(found, dict) else enumerate(found if isinstance(found, list) else ())
    return {str(number): str(label) for number, label in pairs}
