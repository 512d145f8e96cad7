"""``manifest.csv`` or ``manifest.jsonl``: which files are samples, and their labels and sources."""

import csv
import json
from collections.abc import Iterator
from io import BytesIO, TextIOWrapper
from typing import NamedTuple, Self, TextIO

from app.errors import InputFailure

MANIFEST_NAMES = ("manifest.csv", "manifest.jsonl")
COLUMNS = frozenset({"path", "label", "source"})
MAX_CHARACTERS = 1024
"""Of a value: folders' names, which may say the same, are no longer."""
MAX_RECORD = 64 * 1024
"""Characters of a line or, in CSV, of the lines of a row: what JSON makes of more could take much memory."""

_Fields = tuple[int, dict[str, object]]


class ManifestRow(NamedTuple):
    """One sample; ``line`` is where it stands in the manifest."""

    line: int
    path: str
    label: str | None
    source: str | None


def read_manifest(name: str, data: bytes) -> Iterator[ManifestRow]:
    """Rows in the manifest's order, one at a time in memory. Raises InputFailure ``manifest-invalid``, with the line.

    Bytes that are not UTF-8 are found when they are reached.
    """
    is_csv = name.endswith(".csv")
    text = TextIOWrapper(BytesIO(data), "utf-8-sig", newline="" if is_csv else "\n")
    records = _Records(text)
    try:
        for line, fields in _csv_rows(records) if is_csv else _json_rows(records):
            yield _row(line, fields)
    except UnicodeDecodeError as error:
        raise InputFailure("manifest-invalid", "The manifest is not UTF-8.") from error


def _row(line: int, fields: dict[str, object]) -> ManifestRow:
    unknown = [key for key in fields if key not in COLUMNS]
    if unknown:
        raise _invalid(line, f"unknown column {str(unknown[0])[:100]!r}; known are path, label, source")
    path, label, source = (_text(line, fields.get(column)) for column in ("path", "label", "source"))
    if path is None:
        raise _invalid(line, "path is missing")
    return ManifestRow(line, path, label, source)


def _text(line: int, value: object) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str) or "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
        raise _invalid(line, "a value is not text that can be stored")
    if len(value) > MAX_CHARACTERS:
        raise _invalid(line, f"a value has more than {MAX_CHARACTERS} characters")
    return value


class _Records:
    """Lines of a text. Those that are taken without ``begin`` between them are one record, which has its limit."""

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._taken = 0
        self.line = 0

    def begin(self) -> None:
        self._taken = 0

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        line = self._text.readline(MAX_RECORD - self._taken + 1)
        if not line:
            raise StopIteration
        self.line += 1
        self._taken += len(line)
        if self._taken > MAX_RECORD:
            raise _invalid(self.line, f"it has more than {MAX_RECORD} characters")
        return line


def _csv_rows(records: _Records) -> Iterator[_Fields]:
    columns: list[str] = []
    try:
        for row in csv.reader(records, strict=True):
            records.begin()
            if not columns:
                columns = row
                if "path" not in columns:
                    raise _invalid(1, "the header names no column path")
            elif row:
                if len(row) != len(columns):
                    raise _invalid(records.line, "as many values as columns are needed")
                yield records.line, dict(zip(columns, row, strict=True))
    except csv.Error as error:
        raise _invalid(records.line, "it is not CSV") from error
    if not columns:
        raise _invalid(1, "the header names no column path")


def _json_rows(records: _Records) -> Iterator[_Fields]:
    for line in records:
        records.begin()
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise _invalid(records.line, "it is not JSON") from error
        if not isinstance(row, dict):
            raise _invalid(records.line, "it is not a JSON object")
        yield records.line, row


def _invalid(line: int, what: str) -> InputFailure:
    return InputFailure("manifest-invalid", f"Line {line} of the manifest: {what}.")
