"""Numbers as data frames. pandas and polars are imported by who asks for them."""

import importlib
import io
from typing import Any, Literal

from app.client.errors import Json, MissingLibrary

FrameKind = Literal["pandas", "polars"]


def frame_of_rows(rows: list[Json], kind: FrameKind) -> Any:
    """A column for each key, null where undefined. Raises MissingLibrary."""
    library = _library(kind)
    return library.DataFrame(rows, **({"infer_schema_length": None} if kind == "polars" else {}))


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
