"""COCO's annotations as a table of images: one label each, where all of an image's objects are of one category."""

import json
from typing import Any

from app.errors import InputFailure
from worker.archives.manifest import Record

_MOST_BYTES = 32 * 1024**2
"""What JSON makes of more takes several hundred megabytes."""


def coco_records(data: bytes, notes: list[str]) -> list[Record]:
    """Raises InputFailure ``manifest-invalid``. ``line`` counts the images."""
    document = _document(data)
    if isinstance(document, list):
        return [Record(number, row) for number, row in enumerate(document, 1)]
    try:
        categories = {one["id"]: str(one["name"]) for one in document["categories"]}
        labels: dict[Any, set[str]] = {}
        for one in document["annotations"]:
            labels.setdefault(one["image_id"], set()).add(categories[one["category_id"]])
        records = [
            Record(number, {"file_name": image["file_name"], "label": _only(labels.get(image["id"], set()))})
            for number, image in enumerate(document["images"], 1)
        ]
    except (KeyError, TypeError) as error:
        detail = "The manifest is JSON, but neither a list of objects nor COCO (images, annotations, categories)."
        raise InputFailure("manifest-invalid", detail) from error
    several = sum(len(names) > 1 for names in labels.values())
    if several:
        notes.append(f"{several} images show objects of several categories and have no label.")
    return records


def _document(data: bytes) -> Any:
    if len(data) > _MOST_BYTES:
        raise InputFailure(
            "manifest-invalid", f"The manifest has more than {_MOST_BYTES} bytes: write it as JSON Lines."
        )
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InputFailure("manifest-invalid", "The manifest is not JSON.") from error
    if isinstance(document, list) and not all(isinstance(row, dict) for row in document):
        raise InputFailure("manifest-invalid", "The manifest is a list, but not of objects.")
    return document


def _only(names: set[str]) -> str | None:
    return next(iter(names)) if len(names) == 1 else None
