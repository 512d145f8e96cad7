"""Parquet tables with images in them: as people have them, and as nobody should."""

import io
import json
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.datasets.packing import make_zip, picture

SHADES = (10, 60, 110, 160)
IMAGE = {"_type": "Image"}
CLASSES = {"names": ["cat", "dog"], "_type": "ClassLabel"}


def written(table: Any, **options: Any) -> bytes:
    file = io.BytesIO()
    pq.write_table(table, file, **options)
    return file.getvalue()


def images(*shades: int) -> Any:
    """A column as `datasets` has it."""
    return pa.array([{"bytes": picture(shade), "path": f"x{shade}.png"} for shade in shades])


def hugging(columns: dict[str, Any], **features: Any) -> Any:
    """With what `datasets` writes of its columns."""
    told = {"info": {"features": features}}
    return pa.table(columns).replace_schema_metadata({"huggingface": json.dumps(told)})


SHARD = hugging(
    {"image": images(*SHADES), "labels": [0, 1, 1, -1], "age": [1.5, None, 2.0, 3.0]}, image=IMAGE, labels=CLASSES
)


def _footer_too_long() -> bytes:
    """It says that it is longer than the file."""
    data = bytearray(written(SHARD))
    data[-8:-4] = (2**31 - 1).to_bytes(4, "little")
    return bytes(data)


def _bomb() -> bytes:
    """Eight hundred mebibytes of zeros in a few kilobytes: one value that every row names."""
    column = pa.array([bytes(8 * 1024**2)] * 100, pa.binary())
    return written(pa.table({"image": column}), compression="zstd", use_dictionary=True)


TABLES: dict[str, tuple[Callable[[], bytes], str]] = {
    "ok.parquet": (lambda: written(SHARD), "ready"),
    "ok_parquet_shards": (lambda: make_zip({"a.parquet": written(SHARD), "b.parquet": written(SHARD)}), "ready"),
    "parquet_truncated": (lambda: written(SHARD)[:-6], "archive-malformed"),
    "parquet_long_footer": (_footer_too_long, "archive-malformed"),
    "parquet_of_zeros": (lambda: b"PAR1" + bytes(600) + b"PAR1", "archive-malformed"),
    "parquet_without_images": (lambda: written(pa.table({"a": [1, 2]})), "dataset-empty"),
    "parquet_without_rows": (lambda: written(pa.table({"image": pa.array([], pa.binary())})), "dataset-empty"),
    "parquet_bomb": (_bomb, "archive-expansion-limit"),
    "parquet_shard_broken": (
        lambda: make_zip({"x/a.parquet": written(SHARD), "x/b.parquet": b"PAR1 no"}),
        "archive-malformed",
    ),
}
"""As the archives of `hostile_archives`."""
