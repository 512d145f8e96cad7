"""Numbers as data frames. pandas and polars are imported by who asks for them."""

import importlib
import io
from collections.abc import Sequence
from typing import Any, Literal

from salience_audit.errors import Json, MissingLibrary

FrameKind = Literal["pandas", "polars"]


def frame_of_rows(rows: list[Json], kind: FrameKind, numbers: Sequence[str] = ()) -> Any:
    """A column for each key, null where undefined. Raises MissingLibrary.

    ``numbers`` are columns of floats even where every one is null, which has no type of its own.
    """
    made_by = library(kind)
    if kind == "polars":
        frame = made_by.DataFrame(rows, infer_schema_length=None)
        return frame.cast({name: made_by.Float64 for name in numbers if name in frame.columns})
    frame = made_by.DataFrame(rows)
    return frame.astype({name: "float64" for name in numbers if name in frame.columns})


def frame_of_parquet(content: bytes, kind: FrameKind) -> Any:
    """Raises MissingLibrary."""
    if kind == "pandas":
        library("pyarrow")  # which pandas reads Parquet with
    return library(kind).read_parquet(io.BytesIO(content))


def library(name: str) -> Any:
    """One of the extra ``frames``, imported when it is needed. Raises MissingLibrary."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise MissingLibrary(name) from error
