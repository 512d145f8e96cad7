"""COCO's annotations as a table of images: one label each, where all of an image's objects are of one category."""

import json
from typing import Any, NamedTuple

from app.errors import InputFailure
from worker.archives.manifest import Record

MOST_BYTES = 32 * 1024**2
"""What JSON makes of more takes several hundred megabytes."""
Images = list[tuple[Any, set[str]]]
"""Files' names, and the categories of the objects in each."""


class CocoCounts(NamedTuple):
    """Of images; ``several`` show objects of several categories and ``empty`` of none: those have no label."""

    images: int
    several: int
    empty: int


def coco_records(data: bytes, notes: list[str]) -> list[Record]:
    """Raises InputFailure ``manifest-invalid``. ``line`` counts the images."""
    document = _document(data)
    if isinstance(document, list):
        return [Record(number, row) for number, row in enumerate(document, 1)]
    images = _images(document)
    if several := _counts(images).several:
        notes.append(f"{several} images show objects of several categories and have no label.")
    return [
        Record(number, {"file_name": name, "label": next(iter(shown)) if len(shown) == 1 else None})
        for number, (name, shown) in enumerate(images, 1)
    ]


def coco_counts(data: bytes) -> CocoCounts | None:
    """None of what is not COCO's."""
    try:
        document = _document(data)
        return None if isinstance(document, list) else _counts(_images(document))
    except InputFailure:
        return None


def _images(document: Any) -> Images:
    labels: dict[Any, set[str]] = {}
    try:
        categories = {one["id"]: str(one["name"]) for one in document["categories"]}
        for one in document["annotations"]:
            labels.setdefault(one["image_id"], set()).add(categories[one["category_id"]])
        return [(image["file_name"], labels.get(image["id"], set())) for image in document["images"]]
    except (KeyError, TypeError) as error:
        detail = "The manifest is JSON, but neither a list of objects nor COCO (images, annotations, categories)."
        raise InputFailure("manifest-invalid", detail) from error


def _counts(images: Images) -> CocoCounts:
    shown = [len(names) for _, names in images]
    return CocoCounts(len(shown), sum(count > 1 for count in shown), shown.count(0))


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
