"""The evidence behind signs of a shortcut, as pictures: kinds of maps with samples of each, what of an image suffices,
and what becomes of a prediction under views that should not matter."""

import io
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from PIL import Image

from app.audits.scores.maps import native_maps, overlaid
from app.domain.measures import SUFFICIENCY, view_title
from app.domain.measures.sufficiency import KEPT, REMOVED
from app.domain.results.map_places import MapClusters
from app.domain.views.families import CELLS, FILL, WITHOUT, WITHOUT_DETAIL, filled_view
from app.domain.vocabulary import CLEAN
from app.errors import Gone
from app.reports.exposed import Exposed
from app.reports.gallery import Shown
from app.reports.pictures import EvidenceRow, MeanImage, Tile
from app.reports.tiles import TILE_SIDE, jpeg_of
from app.reports.words import share

MOST_CLASSES, MOST_KINDS = 2, 3
MIRRORED = "flip_horizontal"
_MIXED: Final = {
    "arrangement-does-not-matter": WITHOUT[0],
    "colour-decides": WITHOUT[1],
    "detail-decides": WITHOUT_DETAIL,
}
"""What a finding is about, as a view."""
_TITLES: Final = {WITHOUT[0]: "Cut up and mixed", WITHOUT[1]: "Without colours", WITHOUT_DETAIL: "Slightly blurred"}


def evidence(exposed: Exposed, images: Sequence[MeanImage]) -> list[EvidenceRow]:
    """Of one model; ``images`` are the mean images of its predicted classes. Nothing of images that the store lost."""
    try:
        return [*_kinds(exposed, images), *_enough(exposed), *_moved(exposed), *_rearranged(exposed)]
    except Gone:
        return []


def _kinds(exposed: Exposed, images: Sequence[MeanImage]) -> Iterator[EvidenceRow]:
    """Of the classes that the findings name, else of the largest: every kind of maps, or all maps of the class."""
    sections = exposed.document.get("where_maps_lie") or []
    section = next((one for one in sections if one["model_id"] == exposed.subject.key), None)
    if section is None:
        return
    named = {row["evidence"].get(name) for row in exposed.findings() for name in ("predicted", "focused")}
    classes = sorted(section["clusters"], key=lambda one: (one["predicted"] not in named, -one["n"]))
    means = {row["group"]: row.get("mean_map") for row in section["groups"] if row["group_by"] == "predicted"}
    under = {image.predicted: image for image in images}
    for one in classes[:MOST_CLASSES]:
        for title, mean_map, samples in _parts(one, means.get(one["predicted"])):
            over = _mean_tile(mean_map, under.get(one["predicted"]))
            shown = [found for name in samples if (found := exposed.named(name)) is not None]
            if shown:
                tiles = [over, *(_with_map(exposed, sample) for sample in shown)]
                yield EvidenceRow(title=f"Where salience lies: {one['predicted']}", note=title, tiles=tiles)


def _parts(one: MapClusters, mean_map: list[list[float]] | None) -> Iterator[tuple[str, list[list[float]], list[str]]]:
    """What is said of each kind, its mean map, and the samples that stand for it."""
    for number, kind in enumerate((one["clusters"] or [])[:MOST_KINDS]):
        told = f"Kind {number + 1} of {len(one['clusters'] or [])}, {share(kind['share'])} of {one['n']} maps"
        yield f"{told}: their mean, and six of them drawn by lot.", kind["mean_map"], kind.get("samples", [])
    if not one["clusters"] and mean_map:
        told = f"No clear kinds among {one['n']} maps: their mean, and six of them drawn by lot."
        yield told, mean_map, one.get("samples", [])


def _mean_tile(mean_map: list[list[float]], image: MeanImage | None) -> Tile:
    size = (TILE_SIDE, TILE_SIDE)
    under = Image.new("L", size, 127) if image is None else Image.open(io.BytesIO(image.png)).resize(size)
    what = "mean map" if image is None else "mean map over the mean image"
    values = np.array(mean_map, np.float32)
    return Tile(caption=what, jpeg=jpeg_of(overlaid(np.asarray(under.convert("RGB")), values)))


def _with_map(exposed: Exposed, shown: Shown) -> Tile:
    pixels = exposed.maker.pixels(shown.sample, exposed.subject.model)
    clean = native_maps(shown.row, len(exposed.conditions))[0]
    return Tile(caption=shown.sample.name, jpeg=jpeg_of(overlaid(pixels, clean)))


def _enough(exposed: Exposed) -> Iterator[EvidenceRow]:
    """An image filled down to its most salient part, and with that part removed."""
    settings = SUFFICIENCY.settings_in(exposed.maker.protocol.measures)
    reports = exposed.document.get("sufficiency") or []
    report = next((one for one in reports if one["model_id"] == exposed.subject.key), None)
    if settings is None or report is None or report["area_90"] not in report["shares"]:
        return
    kept, removed = (filled_view(order, report["area_90"]) for order in (KEPT, REMOVED))
    shown = exposed.sample(kept=[kept], changed=[FILL])
    if shown is None:
        return
    part = share(report["area_90"], 0)
    captions = {
        CLEAN: "whole image",
        kept: f"its most salient {part} alone",
        removed: "all but that",
        FILL: "nothing but the fill",
    }
    saw = "" if settings.fill == "mean" else f" What is gone is shown in one colour; the network saw {settings.fill}."
    yield EvidenceRow(
        title="What suffices",
        note=f"{part} of the image is enough for nine in ten predictions. The first sample of which it is.{saw}",
        tiles=[exposed.tile(shown, view, caption) for view, caption in captions.items()],
    )


def _moved(exposed: Exposed) -> Iterator[EvidenceRow]:
    """An image, its mirror image, and the view that costs most right predictions."""
    found = next((row["evidence"] for row in exposed.findings() if row["code"] == "view-breaks-accuracy"), None)
    broken = [str(view) for view in found["views"]] if found and isinstance(found["views"], list) else []
    # Whole shifts are drawn to the pixel; of cells the size is inferred.
    drawn = sorted((view for view in broken if exposed.is_drawn(view)), key=lambda view: _right(exposed, view))
    worst = min(drawn, key=CELLS.has, default=None)
    views = [view for view in dict.fromkeys((MIRRORED, worst)) if view in exposed.conditions]
    if not views:
        return
    changes = [worst] if worst else []
    shown = exposed.sample(changed=changes) or exposed.sample()
    if shown is None:
        return
    told = f"The first sample whose prediction changes under {view_title(worst)}." if worst else "The first sample."
    yield EvidenceRow(
        title="Mirrored and moved",
        note=f"Neither should change a label. {told}",
        tiles=[exposed.tile(shown, view) for view in (CLEAN, *views)],
    )


def _right(exposed: Exposed, view: str) -> float:
    row = exposed.performance(view)
    return 1.0 if row is None or row["accuracy"] is None else row["accuracy"]


def _rearranged(exposed: Exposed) -> Iterator[EvidenceRow]:
    """An image whose cells changed places, without colours or without detail, where that is a finding."""
    for code in dict.fromkeys(row["code"] for row in exposed.findings()):
        view = _MIXED.get(code)
        stays = code == "arrangement-does-not-matter"
        # Both views come with the fill, whose class is the one that nothing speaks for.
        shown = None if view is None else exposed.sample(*(([view], [FILL]) if stays else ([], [view])))
        if view is not None and shown is not None:
            yield EvidenceRow(
                title=_TITLES[view],
                note=f"The first sample whose prediction {'stays' if stays else 'changes'}.",
                tiles=[exposed.tile(shown, CLEAN), exposed.tile(shown, view)],
            )
