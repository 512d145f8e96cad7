"""Files that name the images of their maps themselves: JSON of three kinds, and tables of fixations."""

import json
from collections.abc import Iterator
from typing import Any

from app.domain.refusals.maps import NO_MAP_FILE
from worker.map_files.annotations import coco_maps, labelme_map
from worker.map_files.endings import ending
from worker.map_files.fixations import of_document, of_table
from worker.map_files.found import Found, Setting


def maps_of_document(name: str, data: bytes, setting: Setting, most_pixels: int) -> Iterator[Found]:
    """Told apart by their keys. Raises InputFailure."""
    if ending(name) != "json":
        yield from of_table(data, setting)
        return
    document = _parsed(data)
    if isinstance(document, dict) and {"images", "annotations"} <= document.keys():
        yield from coco_maps(document, setting, most_pixels)
    elif isinstance(document, dict) and "shapes" in document:
        yield from labelme_map(name, document, setting, most_pixels)
    elif isinstance(document, dict | list):
        yield from of_document(document, setting)
    else:
        raise NO_MAP_FILE.failure(what="its JSON is neither an object nor a list")


def _parsed(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise NO_MAP_FILE.failure(what="its JSON cannot be read") from error
