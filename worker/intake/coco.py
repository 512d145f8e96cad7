"""COCO's annotations as a table of images: one label each, where all of an image's objects are of one category."""

import json
from dataclasses import dataclass
from typing import Any

from app.errors import InputFailure
from worker.archives.manifest import Record

MOST_BYTES = 32 * 1024**2
"""What JSON makes of more takes several hundred megabytes."""


@dataclass(frozen=True)
class CocoImages:
    """``several`` and ``empty`` count the images of several categories, and of none: those have no label."""

    records: list[Record]
    several: int
    empty: int


def coco_records(data: bytes, notes: list[str]) -> list[Record]:
    """Raises InputFailure ``manifest-invalid``. ``line`` counts the images."""
    document = _document(data)
    if isinstance(document, list):
        return [Record(number, row) for number, row in enumerate(document, 1)]
    found = _images(document)
    if found.several:
        notes.append(f"{found.several} images show objects of several categories and have no label.")
    return found.records


def coco_images(data: bytes) -> CocoImages | None:
    """None of what is not COCO's."""
    try:
        document = _document(data)
        return None if isinstance(document, list) else _images(document)
    except InputFailure:
        return None


def _images(document: Any) -> CocoImages:
    labels: dict[Any, set[str]] = {}
    try:
        categories = {one["id"]: str(one["name"]) for one in document["categories"]}
        for one in document["annotations"]:
            labels.setdefault(one["image_id"], set()).add(categories[one["category_id"]])
        named = [(image["file_name"], labels.get(image["id"], set())) for image in document["images"]]
    except (KeyError, TypeError) as error:
        detail = "The manifest is JSON, but neither a list of objects nor COCO (images, annotations, categories)."
        raise InputFailure("manifest-invalid", detail) from error
    records = [
        Record(number, {"file_name": name, "label": next(iter(shown)) if len(shown) == 1 else None})
        for number, (name, shown) in enumerate(named, 1)
    ]
    several = sum(len(shown) > 1 for _, shown in named)
    return CocoImages(records, several, sum(not shown for _, shown in named))


def _document(data: bytes) -> Any:
    if len(data) > MOST_BYTES:
        raise InputFailure(
            "manifest-invalid", f"The manifest has more than {MOST_BYTES} bytes: write it as JSON Lines."
        )
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InputFailure("manifest-invalid", "The manifest is not JSON.") from error
    if isinstance(document, list) and not all(isinstance(row, dict) for row in document):
        raise InputFailure("manifest-invalid", "The manifest is a list, but not of objects.")
    return document
