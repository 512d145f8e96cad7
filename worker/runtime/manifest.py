"""``manifest.csv`` or ``manifest.jsonl``: which files are samples, and their labels and sources."""

import csv
import json
from collections.abc import Iterator
from io import StringIO
from typing import NamedTuple

from app.errors import InputFailure

MANIFEST_NAMES = ("manifest.csv", "manifest.jsonl")
COLUMNS = frozenset({"path", "label", "source"})
MAX_CHARACTERS = 1024
"""Of a value: folders' names, which may say the same, are no longer."""


class ManifestRow(NamedTuple):
    """One sample; ``line`` is where it stands in the manifest."""

    line: int
    path: str
    label: str | None
    source: str | None


def read_manifest(name: str, data: bytes) -> Iterator[ManifestRow]:
    """Rows in the manifest's order. Raises InputFailure ``manifest-invalid`` naming the line."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputFailure("manifest-invalid", "The manifest is not UTF-8.") from error
    rows = _csv_rows(text) if name.endswith(".csv") else _json_rows(text)
    for line, fields in rows:
        unknown = [key for key in fields if key not in COLUMNS]
        if unknown:
            raise _invalid(line, f"unknown column {str(unknown[0])[:100]!r}; known are path, label, source")
        path, label, source = (_text(line, fields.get(column)) for column in ("path", "label", "source"))
        if path is None:
            raise _invalid(line, "path is missing")
        yield ManifestRow(line, path, label, source)


def _text(line: int, value: object) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str) or "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
        raise _invalid(line, "a value is not text that can be stored")
    if len(value) > MAX_CHARACTERS:
        raise _invalid(line, f"a value has more than {MAX_CHARACTERS} characters")
    return value


def _csv_rows(text: str) -> Iterator[tuple[int, dict[str, object]]]:
    reader = csv.DictReader(StringIO(text), strict=True)
    try:
        if "path" not in (reader.fieldnames or ()):
            raise _invalid(1, "the header names no column path")
        for row in reader:
            if None in row or None in row.values():
                raise _invalid(reader.line_num, "as many values as columns are needed")
            yield reader.line_num, dict(row)
    except csv.Error as error:
        raise _invalid(reader.line_num, "it is not CSV") from error


def _json_rows(text: str) -> Iterator[tuple[int, dict[str, object]]]:
    for number, line in enumerate(StringIO(text, newline="\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise _invalid(number, "it is not JSON") from error
        if not isinstance(row, dict):
            raise _invalid(number, "it is not a JSON object")
        yield number, row


def _invalid(line: int, what: str) -> InputFailure:
    return InputFailure("manifest-invalid", f"Line {line} of the manifest: {what}.")
