"""gzip for JSON and text, where the client takes it; pictures, archives and Parquet are compressed already."""

from typing import Any

from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES

COMPRESSED: dict[str, Any] = {
    "minimum_size": 1024,
    "compresslevel": 4,
    "exclude_content_types": (
        *(kind for kind in DEFAULT_EXCLUDED_CONTENT_TYPES if not kind.startswith("image/")),
        *(f"image/{kind}" for kind in ("png", "jpeg", "webp", "gif", "avif", "bmp", "tiff")),
        "application/vnd.apache.parquet",
        "application/zip",
        "application/octet-stream",
    ),
}
