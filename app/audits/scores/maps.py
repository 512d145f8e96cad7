"""Stored salience maps: as numbers, and as a heat map over the image."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

import numpy as np
from fastapi import Query
from numpy.typing import NDArray
from PIL import Image
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audits.schemas import SalienceMap
from app.audits.scores.predicted_labels import predicted_label
from app.audits.scores.subjects import all_subjects_in
from app.db.tables import AuditRow, DatasetRow, ModelRow, SampleRow, SampleScoresRow
from app.domain.measures import GEOMETRIC_RESILIENCE, is_reading
from app.domain.models.preprocessing import Preprocessing
from app.domain.problems import audits
from app.domain.protocol import Protocol
from app.domain.vocabulary import CLEAN, UndefinedReason
from app.errors import Gone, InputFailure, NotFound, Unprocessable
from app.imaging.entries import Ranges, entry_of, read_entry
from app.imaging.geometry import as_seen
from app.imaging.pixel_order import order_generator
from app.imaging.shrinking import shrink
from app.results.inputs import AuditedSubject, GivenSubject, mapping_of
from app.settings import Settings
from app.sources.contents import lost_image

OPACITY = 0.5
# Anchors of the colour map "inferno" (Smith and van der Walt), evenly spaced.
_ANCHORS = np.array([(0, 0, 4), (87, 16, 110), (188, 55, 84), (249, 142, 9), (252, 255, 164)], np.float64)

UNSEEN = Preprocessing(input_size=224, mean=(0.0,), std=(1.0,))
"""For display where no model says how it sees images."""


@dataclass(frozen=True)
class StoredMap:
    """A map (h, w) float32 and what it belongs to.

    ``model`` frames the image: the subject's own; of a map set any of the audit's, None where that has none.
    """

    values: NDArray[np.float32]
    view: str
    row: SampleScoresRow
    sample: SampleRow
    owner: AuditedSubject | GivenSubject
    model: ModelRow | None
    predicted_label: str | None

    def to_schema(self) -> SalienceMap:
        defined = bool(self.values.any())
        return SalienceMap(
            sample=self.sample.name,
            sample_id=self.sample.id,
            model_id=None if self.owner.model is None else self.owner.model.id,
            subject=self.owner.key,
            view=self.view,
            height=self.values.shape[0],
            width=self.values.shape[1],
            values=self.values.astype(np.float64).tolist(),
            undefined_reason=None if defined else self._reason(),
            predicted_label=self.predicted_label,
        )

    def _reason(self) -> str:
        """A single cell stands for a map that a map set does not have."""
        has_map = self.owner.model is not None or self.values.size > 1
        return UndefinedReason.CONSTANT_MAP if has_map else UndefinedReason.NO_MAP


@dataclass(frozen=True)
class SubjectFilter:
    """Whose: a subject by its key, or a model under the leading method, or neither where there is but one model."""

    model_id: Annotated[UUID | None, Query(description="Needed where the audit has several models.")] = None
    subject: Annotated[
        str | None, Query(description="One of the results' subjects: a model under a method, or a map set.")
    ] = None

    def ordinal(self, subjects: Sequence[AuditedSubject | GivenSubject]) -> int:
        """Its ordinal. Raises NotFound, or Unprocessable ``model-id-required``."""
        models = {one.model.id for one in subjects if one.model is not None}
        if self.subject is None and self.model_id is None and len(models or subjects) > 1:
            raise audits.MODEL_ID_REQUIRED.error()
        for ordinal, one in enumerate(subjects):
            own = None if one.model is None else one.model.id
            if self.subject in {None, one.key} and self.model_id in {None, own}:
                return ordinal
        raise NotFound("model in this audit")


@dataclass(frozen=True)
class MapFilter(SubjectFilter):
    """Which map is asked for."""

    view: Annotated[str, Query(description="`clean`, or a changed image's: see `GET /v1/protocols`.")] = CLEAN


def find_map(session: Session, audit: AuditRow, sample_id: UUID, wanted: MapFilter) -> StoredMap:
    """Raises NotFound, or Unprocessable ``model-id-required`` and ``unknown-view``."""
    subjects = all_subjects_in(session, audit)
    ordinal = wanted.ordinal(subjects)
    owner = subjects[ordinal]
    own, conditions = owner.model, owner.conditions
    view = CLEAN if is_reading(wanted.view) else wanted.view
    if view not in conditions:
        raise Unprocessable("unknown-view", f"There are these views: {', '.join(conditions)}.")
    row, sample = _stored(session, audit, sample_id, ordinal)
    place = conditions.index(view)
    others = (one.model for one in subjects if one.model is not None)
    return StoredMap(
        native_maps(row, len(conditions))[place],
        view,
        row,
        sample,
        owner,
        own or next(others, None),
        None if own is None else predicted_label(row, own, place, mapping_of(session, audit, own)),
    )


def _stored(session: Session, audit: AuditRow, sample_id: UUID, ordinal: int) -> tuple[SampleScoresRow, SampleRow]:
    """Raises NotFound."""
    row = SampleScoresRow
    query = select(row, SampleRow).join(SampleRow, SampleRow.id == row.sample_id)
    of_subject = query.where(row.audit_id == audit.id, row.model_ordinal == ordinal, row.sample_id == sample_id)
    found = session.execute(of_subject).one_or_none()
    if found is None:
        raise NotFound("sample in this audit")
    return found[0], found[1]


def native_maps(row: SampleScoresRow, conditions: int) -> NDArray[np.float32]:
    """(C, h, w) in [0, 1], the clean map first."""
    return np.frombuffer(row.maps or b"", "<f4").reshape(conditions, row.map_height or 0, row.map_width or 0)


@dataclass(frozen=True)
class ImageReader:
    """Reads samples of one data set as the models of an audit see them."""

    dataset: DatasetRow
    contents: Ranges
    settings: Settings

    def read(self, sample: SampleRow, model: ModelRow | None) -> NDArray[np.uint8]:
        """(S, S, 3): the clean image at the model's input size; the whole at `UNSEEN` where there is none.

        Raises Gone ``artifact-corrupted`` where the store lost or changed what was once readable.
        """
        digest = self.dataset.stored_digest or ""
        preprocessing = UNSEEN if model is None else Preprocessing.of(model.preprocessing)
        try:
            data = read_entry(self.contents, digest, entry_of(sample), self.settings.max_entry_bytes)
            pixels = self.settings.max_pixels if sample.width is None else sample.width * (sample.height or 0)
            return shrink(data, pixels, preprocessing, self.settings)
        except (FileNotFoundError, InputFailure) as error:
            raise Gone("artifact-corrupted", lost_image(error)) from error


def draw_map(stored: StoredMap, images: ImageReader, protocol: Protocol) -> bytes:
    """A PNG of the model's input size: the map in colour over the image.

    Geometric views are shown over the image as the model saw it; noisy and degraded ones over the clean image.
    """
    pixels = seen_in(images.read(stored.sample, stored.model), stored.view, protocol, stored.sample.name)
    file = io.BytesIO()
    Image.fromarray(overlaid(pixels, stored.values)).save(file, "PNG")
    return file.getvalue()


def seen_in(pixels: NDArray[np.uint8], view: str, protocol: Protocol, sample: str) -> NDArray[np.uint8]:
    """A sample's image (S, S, 3) as a view of that protocol shows it: geometric ones move it, all others leave it."""
    geometric = GEOMETRIC_RESILIENCE.settings_in(protocol.measures)
    stream = order_generator(protocol.seed, sample, view)
    return as_seen(pixels, view, stream, geometric.shift_pixels if geometric else None)


def overlaid(pixels: NDArray[np.uint8], values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """An image (S, S, 3) under a native map (h, w), in colour."""
    size = (pixels.shape[1], pixels.shape[0])
    levels = Image.fromarray((values * 255).astype(np.uint8)).resize(size, Image.Resampling.BICUBIC)
    blended: NDArray[np.float64] = (1 - OPACITY) * pixels + OPACITY * _coloured(np.asarray(levels))
    return blended.round().astype(np.uint8)


def _coloured(levels: NDArray[np.uint8]) -> NDArray[np.float64]:
    places = np.linspace(0, 255, len(_ANCHORS))
    return np.stack([np.interp(levels, places, channel) for channel in _ANCHORS.T], axis=-1)
