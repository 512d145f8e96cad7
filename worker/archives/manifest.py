"""Tables in an archive, as spreadsheets and programs write them: rows of text under the names of columns."""

import codecs
import csv
import json
import re
from collections.abc import Iterator
from io import BytesIO, TextIOWrapper
from typing import Any, NamedTuple, Self, TextIO

from app.errors import InputFailure
from worker.archives.cells import invalid
from worker.archives.name_encodings import WINDOWS_PAGES, detect_encoding

MAX_RECORD = 64 * 1024
"""Characters of a line or, in CSV, of the lines of a row: what JSON makes of more could take much memory."""
MAX_COLUMNS = 1000
_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_DELIMITERS = ",;\t|"
_WORDS = re.compile(rb"[^,;\t|\r\n\"/\\]{1,1000}")
_CHUNK = 64 * 1024
_CSV = (".csv", ".tsv", ".txt")


class Record(NamedTuple):
    """A row by its columns' names; ``line`` is where it ends in the table."""

    line: int
    fields: dict[str, Any]


def read_table(name: str, data: bytes, encoding: str | None = None) -> Iterator[Record]:
    """Records in the table's order, one at a time in memory. Raises InputFailure ``manifest-invalid``, with the line.

    CSV may have commas, semicolons, tabs or bars; it is UTF-8, UTF-16 with its mark, or else in ``encoding``. Bytes
    that are no text are found when they are reached. Blanks around names of columns and values are dropped.
    """
    is_csv = name.casefold().endswith(_CSV)
    written = next((encoding for mark, encoding in _MARKS.items() if data.startswith(mark)), "utf-8")
    if encoding is not None and written == "utf-8" and not _is_utf8(data):
        written = encoding
    text = TextIOWrapper(BytesIO(data), written, newline="" if is_csv else "\n")
    records = _Records(text)
    try:
        yield from _csv_rows(records) if is_csv else _json_rows(records)
    except UnicodeError as error:
        raise InputFailure("manifest-invalid", _no_text(name, data, encoding)) from error


def _is_utf8(data: bytes) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(data), _CHUNK):
            decoder.decode(data[start : start + _CHUNK])
        decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return True


def _no_text(name: str, data: bytes, encoding: str | None) -> str:
    """Which code page it seems to be is told and never assumed: two words of French may pass for Polish."""
    if encoding is not None:
        return f"The manifest {name[-200:]!a} is neither UTF-8 nor {encoding}: save it as UTF-8 (in Excel: CSV UTF-8)."
    way_out = "save it as UTF-8 (in Excel: CSV UTF-8), or register the data set with the name_encoding that it is in"
    words = [word[0] for word in _WORDS.finditer(data) if not word[0].isascii()]
    likely = detect_encoding(words, WINDOWS_PAGES)
    if likely == "utf-8":
        return f"The manifest {name[-200:]!a} is not UTF-8: {way_out}."
    example = words[0].decode(likely)[:100]
    return f"The manifest {name[-200:]!a} is not UTF-8: {way_out} ({likely} would make {example!r} of a value in it)."


class _Records:
    """Lines of a text. Those that are taken without ``begin`` between them are one record, which has its limit."""

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._taken = 0
        self.line = 0
        self._pushed: list[str] = []

    def begin(self) -> None:
        self._taken = 0

    def peek(self) -> str:
        """The next line, which comes again."""
        line = next(self, "")
        self._pushed = [line] if line else []
        return line

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        if self._pushed:
            return self._pushed.pop()
        line = self._text.readline(MAX_RECORD - self._taken + 1)
        if not line:
            raise StopIteration
        self.line += 1
        self._taken += len(line)
        if self._taken > MAX_RECORD:
            raise invalid(self.line, f"it has more than {MAX_RECORD} characters")
        return line


def _csv_rows(records: _Records) -> Iterator[Record]:
    columns: list[str] = []
    try:
        for row in csv.reader(records, strict=True, skipinitialspace=True, delimiter=_delimiter(records)):
            records.begin()
            if not columns:
                columns = _columns(row)
            elif any(value.strip() for value in row):
                yield Record(records.line, _fields(records.line, columns, row))
    except csv.Error as error:
        raise invalid(records.line, "it is not CSV") from error
    if not columns:
        raise invalid(1, "the header names no columns")


def _delimiter(records: _Records) -> str:
    """The one that the header has most of; Excel may say it in a line of its own before that."""
    first = records.peek()
    if first.casefold().startswith("sep=") and len(first.strip("\r\n")) == 5:
        next(records)
        records.begin()
        return first[4]
    return max(_DELIMITERS, key=first.count)


def _columns(row: list[str]) -> list[str]:
    columns = [name.strip().lstrip("\ufeff") for name in row]
    named = [name for name in columns if name]
    if len(set(named)) < len(named):
        raise invalid(1, "two columns have one name")
    if len(columns) > MAX_COLUMNS:
        raise invalid(1, f"it has more than {MAX_COLUMNS} columns")
    return columns


def _fields(line: int, columns: list[str], row: list[str]) -> dict[str, Any]:
    """Columns without a name, such as the index of pandas, say nothing; nor do values behind the last column that are
    empty, as spreadsheets write them."""
    if len(row) < len(columns) or any(value.strip() for value in row[len(columns) :]):
        raise invalid(line, "as many values as columns are needed")
    return {name: value for name, value in zip(columns, row, strict=False) if name}


def _json_rows(records: _Records) -> Iterator[Record]:
    for line in records:
        records.begin()
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise invalid(records.line, "it is not JSON") from error
        if not isinstance(row, dict):
            raise invalid(records.line, "it is not a JSON object")
        if len(row) > MAX_COLUMNS:
            raise invalid(records.line, f"it has more than {MAX_COLUMNS} fields")
        yield Record(records.line, row)
