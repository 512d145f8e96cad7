"""A model that findings expose, and its samples: which of them show it, and how they look under a view."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from app.audits.scores.maps import native_maps, seen_in
from app.audits.scores.predicted_labels import predicted_label
from app.db.tables import SampleScoresRow
from app.domain.findings import Finding
from app.domain.measures import view_title
from app.domain.models.preprocessing import Preprocessing
from app.domain.results.documents import ResultsDocument
from app.domain.results.performance import Performance
from app.domain.views.families import CELLS, cells_step
from app.domain.vocabulary import CLEAN
from app.imaging.filling import FillSource, as_filled
from app.imaging.geometry import shifted
from app.reports.gallery import GalleryMaker, Shown
from app.reports.pictures import Tile
from app.reports.signs import is_about
from app.reports.tiles import jpeg_of
from app.reports.words import number
from app.results.inputs import AuditedSubject, mapping_of


@dataclass(frozen=True)
class Exposed:
    """The subject of an audit with that ordinal; ``document`` are the audit's results."""

    maker: GalleryMaker
    ordinal: int
    document: ResultsDocument

    @cached_property
    def subject(self) -> AuditedSubject:
        return self.maker.models[self.ordinal]

    @cached_property
    def conditions(self) -> tuple[str, ...]:
        return (CLEAN, *self.maker.protocol.conditions())

    def findings(self) -> list[Finding]:
        """Those that expose it."""
        return [row for row in self.document["findings"] if is_about(row, self.subject.key)]

    def performance(self, view: str) -> Performance | None:
        own = (row for row in self.document["performance"] if row["model_id"] == self.subject.key)
        return next((row for row in own if row["condition"] == view), None)

    def sample(self, kept: Sequence[str] = (), changed: Sequence[str] = ()) -> Shown | None:
        """The first whose prediction is the clean image's under some views and another under others."""
        row = SampleScoresRow
        clean = row.predicted[1]
        same = [self._predicted(view) == clean for view in kept]
        other = [self._predicted(view) != clean for view in changed]
        query = (
            select(row.sample_id)
            .where(row.audit_id == self.maker.audit.id, row.model_ordinal == self.ordinal, clean >= 0, *same, *other)
            .order_by(row.ordinal)
            .limit(1)
        )
        found = self.maker.session.scalar(query)
        return None if found is None else self.named(str(found))

    def named(self, sample_id: str) -> Shown | None:
        return self.maker.of_sample(UUID(sample_id), self.ordinal)

    def tile(self, shown: Shown, view: str, caption: str | None = None) -> Tile:
        """How a sample looks under a view, what is predicted of it, and how many predictions are right there."""
        pixels, place = self.maker.pixels(shown.sample, self.subject.model), self.conditions.index(view)
        predicted = predicted_label(
            shown.row, self.subject.model, place, mapping_of(self.maker.session, self.maker.audit, self.subject.model)
        )
        performance = self.performance(view)
        accuracy = f" (accuracy {number(performance['accuracy'], 2)})" if performance else ""
        title = caption or ("image" if view == CLEAN else view_title(view))
        return Tile(caption=f"{title}: {predicted}{accuracy}", jpeg=jpeg_of(self._seen(shown, pixels, view)))

    def is_drawn(self, view: str) -> bool:
        """Whether the report can show the image as the model saw it. How far a cell is is known only where cells fill
        the input without rest."""
        if view not in self.conditions:
            return False
        cells = self.document.get("where_maps_lie") or []
        own = next((row["cells"] for row in cells if row["model_id"] == self.subject.key), [1, 1])
        size = Preprocessing.of(self.subject.model.preprocessing).size
        return not CELLS.has(view) or all(side % count == 0 for side, count in zip(size, own, strict=True))

    def _predicted(self, view: str) -> object:
        return SampleScoresRow.predicted[self.conditions.index(view) + 1]

    def _seen(self, shown: Shown, pixels: NDArray[np.uint8], view: str) -> NDArray[np.uint8]:
        clean = native_maps(shown.row, len(self.conditions))[0]
        if CELLS.has(view):
            right, down = cells_step(view)
            height, width = (side // count for side, count in zip(pixels.shape, clean.shape, strict=False))
            return shifted(pixels, down * height, right * width)
        colour = Preprocessing.of(self.subject.model.preprocessing).mean_colour
        source = FillSource(shown.sample.name, self.maker.protocol.seed, clean, colour)
        return as_filled(seen_in(pixels, view, self.maker.protocol, source.sample), view, source)
