"""Images in a Parquet table, as Hugging Face's `datasets` writes them: a row an image, with its label beside it."""

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from app.domain.samples.table_columns import ALIASES
from app.domain.stored_text import is_storable
from app.errors import InputFailure
from app.imaging.kinds import EXTENSIONS, kind_of, promised_kind

Value = str | int | float | bool | None

ROWS_AT_ONCE = 16
"""An image may have as many bytes as an entry of an archive."""
READ_BYTES = 1024**2
"""Of a column at once, whatever its chunk has."""
MOST_COLUMNS = 40
MOST_CHARACTERS = 1024
"""Of a value; longer texts are nothing to group by."""
_LIMITS = {"thrift_string_size_limit": 64 * 1024**2, "thrift_container_size_limit": 1_000_000, "schema_depth_limit": 16}
_EXTENSIONS = {kind: extension for extension, kind in reversed(EXTENSIONS.items())}


@dataclass(frozen=True)
class Row:
    """An image's bytes as they are, the extension of its name, and what the other columns say of it."""

    content: bytes
    extension: str
    fields: dict[str, Value]


class ImageTable:
    """Raises InputFailure ``archive-malformed`` for what is no Parquet, ``dataset-empty`` where no column has images.

    ``image`` is the column with the pictures, ``label`` the one column of `datasets`' type ClassLabel (None where there
    is none, or several), ``left_out`` are columns of lists, structs and bytes.
    """

    def __init__(self, file: Any) -> None:
        """``file`` is open for reading at any place."""
        with _broken_as_failure():
            # Threads would be kept by the process; extension types, and their code, are for those who know the writer.
            options = {"pre_buffer": False, "arrow_extensions_enabled": False, "buffer_size": READ_BYTES}
            self._file = pq.ParquetFile(file, **options, **_LIMITS)
            schema, metadata = self._file.schema_arrow, self._file.metadata
            self.rows = metadata.num_rows
            groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
            self.group_starts = [0, *accumulate(group.num_rows for group in groups)]
            """The first row of each, and how many there are."""
            self.group_bytes = max((group.total_byte_size for group in groups), default=0)
            """Of the largest."""
        self._features = _features(schema)
        self.image = _image_column(schema, self._features)
        plain = [field.name for field in schema if _is_plain(field.type)]
        kept = plain[:MOST_COLUMNS]
        self.left_out = tuple(name for name in schema.names if name not in {self.image, *kept})
        self._kept = kept
        self._names = {name: _class_names(self._features.get(name)) for name in kept}
        labels = [name for name in kept if self._names[name] is not None]
        self.label = labels[0] if len(labels) == 1 else None

    def read(self) -> Iterator[Row]:
        """Row by row. Raises InputFailure ``archive-malformed``."""
        columns = [self.image, *self._kept]
        with _broken_as_failure():
            for batch in self._file.iter_batches(ROWS_AT_ONCE, columns=columns, use_threads=False):
                yield from [self._row(batch, number) for number in range(batch.num_rows)]

    def images(self, group: int) -> Iterator[list[bytes]]:
        """Of one row group, some at once. Raises InputFailure ``archive-malformed``."""
        wanted = {"row_groups": [group], "columns": [self.image]}
        with _broken_as_failure():
            for batch in self._file.iter_batches(ROWS_AT_ONCE, use_threads=False, **wanted):
                yield [_inner(value.as_py()).get("bytes") or b"" for value in batch.column(self.image)]

    def _row(self, batch: Any, number: int) -> Row:
        inner = _inner(batch.column(self.image)[number].as_py())
        content = inner.get("bytes") or b""
        fields = {name: self._value(name, batch.column(name)[number].as_py()) for name in self._kept}
        return Row(content, _extension(content, inner.get("path")), fields)

    def _value(self, name: str, value: Any) -> Value:
        names = self._names[name]
        if names is not None and isinstance(value, int):
            return names[value] if 0 <= value < len(names) else None  # -1: `datasets` does not tell
        if isinstance(value, float) and not math.isfinite(value):
            return None
        return None if isinstance(value, str) and (len(value) > MOST_CHARACTERS or not is_storable(value)) else value


def _inner(value: Any) -> dict[str, Any]:
    """Of a struct of bytes and path, or of bytes alone."""
    return value if isinstance(value, dict) else {"bytes": value}


@contextmanager
def _broken_as_failure() -> Iterator[None]:
    try:
        yield
    except MemoryError:
        raise
    except (pa.ArrowException, OSError, ValueError, KeyError, IndexError, OverflowError) as error:
        what = str(error).partition("\n")[0][:200]
        raise InputFailure("archive-malformed", f"The Parquet table cannot be read: {what}") from error


def _features(schema: Any) -> dict[str, Any]:
    """What `datasets` says of its columns; nothing where another program wrote the table."""
    try:
        found = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))["info"]["features"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _image_column(schema: Any, features: dict[str, Any]) -> str:
    """Of type Image by `datasets`' own word, else a struct of bytes and path, else bytes; the likeliest name first."""
    holding: list[str] = [field.name for field in schema if _holds_bytes(field.type)]
    told = [name for name in holding if isinstance(features.get(name), dict) and features[name].get("_type") == "Image"]
    structs = [name for name in holding if pa.types.is_struct(schema.field(name).type)]
    found = told or structs or holding
    if not found:
        detail = "The Parquet table has no column of images (a struct of bytes and path, or bytes)."
        raise InputFailure("dataset-empty", f"{detail} It has: {', '.join(schema.names[:20])[:500]}.")
    return next((name for alias in ALIASES["path"] for name in found if name.casefold() == alias), found[0])


def _holds_bytes(kind: Any) -> bool:
    if pa.types.is_struct(kind):
        return any(field.name == "bytes" and _is_binary(field.type) for field in kind)
    return _is_binary(kind)


def _is_binary(kind: Any) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _is_plain(kind: Any) -> bool:
    if pa.types.is_dictionary(kind):
        return _is_plain(kind.value_type)
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    return bool(is_text or pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind))


def _class_names(feature: Any) -> list[str] | None:
    """Of a ClassLabel; None for other columns."""
    names = feature.get("names") if isinstance(feature, dict) and feature.get("_type") == "ClassLabel" else None
    return [str(name)[:MOST_CHARACTERS] for name in names] if isinstance(names, list) else None


def _extension(content: bytes, path: Any) -> str:
    """That of the path, where it is one of an image; else by what the bytes are; a row is meant to be an image."""
    if isinstance(path, str) and promised_kind(path) is not None:
        return path.rpartition(".")[2].lower()
    return _EXTENSIONS.get(kind_of(content) or "", "png")
