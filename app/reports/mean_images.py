"""The mean image of what a model gives one class: what lies under its mean map, where the images are aligned."""

import io
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sqlalchemy import func, select

from app.audits.scores.predicted_labels import predicted_label
from app.db.tables import ModelRow, SampleRow, SampleScoresRow
from app.domain.models.input_spec import InputSpec
from app.domain.models.preprocessing import Preprocessing
from app.errors import Gone
from app.imaging.shrinking import PIXELS_HERE
from app.reports.gallery import GalleryMaker
from app.reports.pictures import MeanImage
from app.results.inputs import mapping_of

SIDE = 64
MOST_SERIES = 3
LOOKED_AT = 80
"""Samples, evenly over the audit's: a report is not to decode a data set."""
FEWEST = 12
"""Images of a class that a mean is made of."""

Grey = NDArray[np.float64]
Seen = dict[tuple[UUID, InputSpec], Grey | None]
"""Images that were read already, as models with that input see them."""


def mean_images(maker: GalleryMaker, model_ordinal: int, seen: Seen) -> list[MeanImage]:
    """For each class that the model gave to enough of the samples; ``seen`` is shared by the series of a report."""
    model = maker.models[model_ordinal].model
    mapping = mapping_of(maker.session, maker.audit, model)
    images: dict[str, list[Grey]] = {}
    for row, sample in _samples(maker, model_ordinal):
        predicted = predicted_label(row, model, 0, mapping)
        grey = None if predicted is None else _grey(maker, sample, model, seen)
        if predicted is not None and grey is not None:
            images.setdefault(predicted, []).append(grey)
    return [mean_image(name, np.stack(found)) for name, found in images.items() if len(found) >= FEWEST]


def _samples(maker: GalleryMaker, model_ordinal: int) -> list[tuple[SampleScoresRow, SampleRow]]:
    """Those that take a process to decode are passed over."""
    row, audit_id = SampleScoresRow, maker.audit.id
    last = maker.session.scalar(select(func.max(row.ordinal)).where(row.audit_id == audit_id)) or 0
    ordinals = sorted({round(place) for place in np.linspace(0, last, LOOKED_AT)})
    query = (
        select(row, SampleRow)
        .join(SampleRow, SampleRow.id == row.sample_id)
        .where(row.audit_id == audit_id, row.model_ordinal == model_ordinal, row.ordinal.in_(ordinals))
        .where(SampleRow.width * SampleRow.height <= PIXELS_HERE)
        .order_by(row.ordinal)
    )
    return [(scores, sample) for scores, sample in maker.session.execute(query)]


def _grey(maker: GalleryMaker, sample: SampleRow, model: ModelRow, seen: Seen) -> Grey | None:
    key = sample.id, Preprocessing.of(model.preprocessing).spec
    if key not in seen:
        try:
            pixels = maker.pixels(sample, model)
            seen[key] = np.asarray(Image.fromarray(pixels).convert("L").resize((SIDE, SIDE)), np.float64)
        except Gone:
            seen[key] = None
    return seen[key]


def mean_image(predicted: str, images: Grey) -> MeanImage:
    """Of images (N, S, S) in [0, 255]; ``contrast`` is the mean image's over the images' own, near 1 where all are
    alike and about 1 / sqrt(N) where nothing lies at one place."""
    mean = images.mean(axis=0)
    own = images.std(axis=(1, 2)).mean()
    file = io.BytesIO()
    Image.fromarray(mean.round().astype(np.uint8)).save(file, "PNG")
    return MeanImage(
        predicted=predicted,
        n=len(images),
        png=file.getvalue(),
        contrast=float(mean.std() / own) if own else 1.0,
    )
