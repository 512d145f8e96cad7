"""Numbers as data frames. pandas and polars are imported by who asks for them."""

import importlib
import io
from collections.abc import Sequence
from typing import Any, Literal

from app.client.errors import Json, MissingLibrary

FrameKind = Literal["pandas", "polars"]


def frame_of_rows(rows: list[Json], kind: FrameKind, numbers: Sequence[str] = ()) -> Any:
    """A column for each key, null where undefined. Raises MissingLibrary.

    ``numbers`` are columns of floats even where every one is null, which has no type of its own.
    """
    library = _library(kind)
    if kind == "polars":
        frame = library.DataFrame(rows, infer_schema_length=None)
        return frame.cast({name: library.Float64 for name in numbers if name in frame.columns})
    frame = library.DataFrame(rows)
    return frame.astype({name: "float64" for name in numbers if name in frame.columns})


def frame_of_parquet(content: bytes, kind: FrameKind) -> Any:
    """Raises MissingLibrary."""
    if kind == "pandas":
        _library("pyarrow")  # which pandas reads Parquet with
    return _library(kind).read_parquet(io.BytesIO(content))


def _library(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise MissingLibrary(name) from error
