"""JSON of COCO and of LabelMe: what was outlined in an image is its map."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, Field, PlainValidator, ValidationError

from app.domain.refusals.maps import ANNOTATION_INVALID, SIZE_UNKNOWN
from worker.map_files.found import Found, FoundMap, InVain, NoMap, Setting, Size, check_length
from worker.map_files.masks import Mask, fill_runs
from worker.map_files.outlines import Numbers, Points, fill_circle, fill_outline, fill_rectangle
from worker.map_files.packed_runs import unpacked

Point = tuple[float, float]
Pixels = Annotated[int, Field(ge=1, le=100_000)]

_SHAPES: dict[str, tuple[Callable[[Mask, Points], None], int | None]] = {
    "polygon": (fill_outline, None),
    "rectangle": (fill_rectangle, 2),
    "circle": (fill_circle, 2),
}
"""By LabelMe's word: how it is filled, and how many points it has."""


class CocoImage(BaseModel):
    id: int | str
    file_name: str = Field(max_length=1024)
    width: Pixels | None = None
    height: Pixels | None = None


class CocoRuns(BaseModel):
    size: tuple[Pixels, Pixels]
    counts: list[int] | str


def _outlines(told: object) -> list[Numbers]:
    """As arrays from the start: a number of a list takes four times as many bytes. Raises ValueError."""
    if not isinstance(told, list):
        raise ValueError("neither outlines nor runs")  # noqa: TRY004 - pydantic tells it as a problem of the file
    try:
        return [np.array(one, np.float64).reshape(len(one)) for one in told]
    except (TypeError, OverflowError) as error:
        raise ValueError("an outline is no list of numbers") from error


class CocoAnnotation(BaseModel):
    image_id: int | str
    segmentation: Annotated[list[Numbers], PlainValidator(_outlines)] | CocoRuns | None = None


class CocoFile(BaseModel):
    images: list[CocoImage]
    annotations: list[CocoAnnotation]


class LabelMeShape(BaseModel):
    shape_type: str = "polygon"
    points: list[Point]


class LabelMeFile(BaseModel):
    shapes: list[LabelMeShape]
    width: Pixels | None = Field(None, alias="imageWidth")
    height: Pixels | None = Field(None, alias="imageHeight")


def coco_maps(document: Any, setting: Setting, most_pixels: int) -> Iterator[Found]:
    """One an image that is listed: where it has no annotation, a map of nothing. Raises InputFailure."""
    file = _read(CocoFile, document)
    check_length(len(file.images))
    by_image: dict[int | str, list[CocoAnnotation]] = {}
    for annotation in file.annotations:
        by_image.setdefault(annotation.image_id, []).append(annotation)
    for image in file.images:
        own = (image.width, image.height) if image.width and image.height else None
        draw = partial(_draw_coco, by_image.get(image.id, []))
        yield _drawn(setting, image.file_name, own, most_pixels, draw)


def labelme_map(name: str, document: Any, setting: Setting, most_pixels: int) -> Iterator[Found]:
    """Of the image that the file is named after. Raises InputFailure."""
    file, image = _read(LabelMeFile, document), name[: -len(".json")]
    own = (file.width, file.height) if file.width and file.height else None
    yield _drawn(setting, image, own, most_pixels, partial(_draw_shapes, file.shapes))


def _read(kind: Any, document: Any) -> Any:
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise ANNOTATION_INVALID.failure(what=f"{where}: {first['msg']}") from error


def _drawn(setting: Setting, name: str, own: Size | None, most_pixels: int, draw: Callable[[Mask], None]) -> Found:
    """``own`` is the size that the file tells."""
    size = own or setting.size_of(name)
    if setting.is_in_vain(name, size):
        return InVain(name, size)
    if size is None:
        return NoMap(name, SIZE_UNKNOWN.code, SIZE_UNKNOWN.detail(name=repr(name)))
    if size[0] * size[1] > most_pixels:
        detail = ANNOTATION_INVALID.detail(what=f"{size[0]} x {size[1]} pixels; the limit is {most_pixels}")
        return NoMap(name, ANNOTATION_INVALID.code, detail)
    mask = Mask(size)
    try:
        draw(mask)
    except (ValueError, OverflowError) as error:
        return NoMap(name, ANNOTATION_INVALID.code, ANNOTATION_INVALID.detail(what=str(error)))
    return FoundMap(name, mask.drawn())


def _draw_coco(annotations: list[CocoAnnotation], mask: Mask) -> None:
    """Raises ValueError."""
    for one in annotations:
        if isinstance(one.segmentation, CocoRuns):
            runs = one.segmentation
            if runs.size != mask.shape:
                raise ValueError(f"runs of {runs.size} in an image of {mask.shape}")
            fill_runs(mask, unpacked(runs.counts) if isinstance(runs.counts, str) else runs.counts)
            continue
        for outline in one.segmentation or []:
            if len(outline) % 2:
                raise ValueError(f"an outline of {len(outline)} numbers, which are no points")
            fill_outline(mask, outline.reshape(-1, 2))


def _draw_shapes(shapes: list[LabelMeShape], mask: Mask) -> None:
    """Raises ValueError."""
    for shape in shapes:
        fill, points = _SHAPES.get(shape.shape_type, (None, None))
        if fill is None or points not in {None, len(shape.points)}:
            known = ", ".join(_SHAPES)
            raise ValueError(f"a {shape.shape_type[:40]} of {len(shape.points)} points; read are {known}")
        fill(mask, np.array(shape.points).reshape(-1, 2))
