"""The samples that the report of an audit shows, and their maps over the image."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Integer, cast, func, select
from sqlalchemy.orm import Session

from app.audits.scores.maps import ImageReader, native_maps, overlaid, seen_in
from app.audits.scores.predicted_labels import predicted_label
from app.db.tables import AuditRow, ModelRow, SampleRow, SampleScoresRow
from app.domain.audits.subjects import pairings_of
from app.domain.measures import SANITY, lower_is_better, spec_of, view_title
from app.domain.measures.sanity import ENTROPY_RISE
from app.domain.protocol import Protocol
from app.domain.results.radar import headline_views
from app.domain.vocabulary import ACROSS_MODELS, CLEAN
from app.errors import Gone, TransientFailure
from app.reports.audit_facts import subjects_in, title_of
from app.reports.pictures import Gallery, GallerySample, Tile, TileRow
from app.reports.tiles import beside, jpeg_of
from app.reports.words import headline, number
from app.results.inputs import AuditedSubject, GivenSubject, mapping_of
from app.sources.reach import UNAVAILABLE

MOST_MODELS = 10
"""Runs of which a sample of stability shows the maps."""
MOST_PRINTED_RUNS = 5
BEST, WORST = "Best", "Worst"
RANKED = (
    "Of each measure the best, the median and the worst sample by the score of {model}, and one that the audit's seed "
    "draws. Every picture shows the map of "
    "an image over that image: geometric views as the model saw them, noisy and degraded ones over the clean image."
)


@dataclass(frozen=True)
class Shown:
    """A sample and what one subject made of it."""

    sample: SampleRow
    subject: AuditedSubject | GivenSubject
    row: SampleScoresRow

    @property
    def model(self) -> ModelRow | None:
        """None of a map set, which is of the whole image."""
        return self.subject.model


@dataclass(frozen=True)
class GalleryMaker:
    """Of one audit, whose scores and maps are still kept."""

    session: Session
    audit: AuditRow
    images: ImageReader

    @cached_property
    def protocol(self) -> Protocol:
        return Protocol.model_validate(self.audit.protocol)

    def views(self, measure: str) -> tuple[str, ...]:
        """Those that stand beside the clean map."""
        spec = spec_of(measure)
        return spec.gallery_views(spec.settings_in(self.protocol.measures))

    def ranked(self) -> Gallery:
        """Four samples a measure."""
        exhibits = [
            exhibit
            for measure, views in headline_views(self.protocol).items()
            for exhibit in self._ranked(measure, views[-1])
        ]
        return Gallery(exhibits=exhibits, note=RANKED.format(model=title_of(self.subjects[0], self.protocol)))

    @cached_property
    def subjects(self) -> tuple[AuditedSubject | GivenSubject, ...]:
        return subjects_in(self.session, self.audit)

    @cached_property
    def models(self) -> tuple[AuditedSubject, ...]:
        """None where the subjects are map sets."""
        return tuple(one for one in self.subjects if isinstance(one, AuditedSubject))

    def beside_twin(self, ordinal: int) -> Iterator[GallerySample]:
        """The best and the worst sample of a model beside its random twin, where it has one."""
        if SANITY.settings_in(self.protocol.measures) is not None:
            yield from (one for one in self._ranked(SANITY.name, ENTROPY_RISE, ordinal) if one.rank in {BEST, WORST})

    def _ranked(self, measure: str, view: str, member: int = 0) -> Iterable[GallerySample]:
        """Of a pairing beside each other what it compares that subject with, by default the first model."""
        protocol, subjects = self.protocol, [one.subject for one in self.subjects]
        pairings = [one for one in pairings_of(protocol, subjects) if one.column.measure == measure]
        groups = [group for one in pairings for group in one.groups if member in group]
        shown = groups[0][:MOST_MODELS] if groups else (member,)
        for rank, ordinal, score in self._places(measure, view):
            found = self._rows(ordinal, shown)
            facts = f"{_facts(found[0].sample)}{headline(measure, view)} {number(score)}{self._predicted(found[0])}"
            image, rows = self._rows_of_tiles(found, measure)
            yield GallerySample(
                measure=measure,
                rank=rank,
                title=f"{rank} {spec_of(measure).title.lower()}",
                sample=found[0].sample.name,
                facts=facts,
                image=image,
                rows=rows,
                printed=(MOST_PRINTED_RUNS if spec_of(measure).is_pairing else 2) if rank == WORST else 0,
            )

    def _places(self, measure: str, view: str) -> list[tuple[str, int, float]]:
        """Rank, ordinal and score of the best, the median, the worst and one defined score at random."""
        row, wanted = SampleScoresRow, (measure, view)
        pairings = [(column.measure, column.view) for column in self.protocol.pairing_columns()]
        across = wanted in pairings
        columns = pairings if across else [(column.measure, column.view) for column in self.protocol.columns()]
        score = row.scores[columns.index(wanted) + 1]
        order = score.asc() if lower_is_better(measure, view) else score.desc()
        place = func.row_number().over(order_by=(order, row.ordinal))
        model = ACROSS_MODELS if across else 0
        ranked = (
            select(row.ordinal, score.label("score"), place.label("place"), func.count().over().label("of"))
            .where(row.audit_id == self.audit.id, row.model_ordinal == model, score.is_not(None))
            .subquery()
        )
        drawn = Random(f"{self.protocol.seed} {measure}").random()  # noqa: S311 - no secret
        at_random = cast(func.floor(drawn * ranked.c.of), Integer) + 1
        places = ranked.c.place.in_((1, (ranked.c.of + 1) // 2, ranked.c.of, at_random))
        found = self.session.execute(select(ranked).where(places).order_by(ranked.c.place)).all()
        names = {(found[-1].of + 1) // 2: "Median", found[-1].of: WORST, 1: BEST} if found else {}
        return [(names.get(one.place, "Random"), one.ordinal, one.score) for one in found]

    def _rows(self, ordinal: int, model_ordinals: Sequence[int]) -> list[Shown]:
        row, subjects = SampleScoresRow, self.subjects
        query = (
            select(row, SampleRow)
            .join(SampleRow, SampleRow.id == row.sample_id)
            .where(row.audit_id == self.audit.id, row.ordinal == ordinal, row.model_ordinal.in_(model_ordinals))
            .order_by(row.model_ordinal)
        )
        return [Shown(sample, subjects[scores.model_ordinal], scores) for scores, sample in self.session.execute(query)]

    def of_sample(self, sample_id: UUID, model_ordinal: int) -> Shown | None:
        """What one model made of a sample; None where the audit has not got it."""
        row = SampleScoresRow
        query = select(row.ordinal).where(row.audit_id == self.audit.id, row.sample_id == sample_id).limit(1)
        ordinal = self.session.scalar(query)
        found = [] if ordinal is None else self._rows(ordinal, [model_ordinal])
        return found[0] if found else None

    def _rows_of_tiles(self, found: list[Shown], measure: str) -> tuple[Tile | None, list[TileRow]]:
        """Of one subject, or of several under their names."""
        protocol, views = self.protocol, self.views(measure)
        names = [title_of(one.subject, protocol) if len(found) > 1 else "" for one in found]
        return beside([(name, self.tiles(one, views)) for name, one in zip(names, found, strict=True)])

    def _predicted(self, shown: Shown) -> str:
        if shown.model is None:
            return ""
        mapping = mapping_of(self.session, self.audit, shown.model)
        return f", predicted {predicted_label(shown.row, shown.model, 0, mapping)}"

    def pixels(self, sample: SampleRow, model: ModelRow | None) -> NDArray[np.uint8]:
        """(S, S, 3) as the model sees it, all of it where there is none. Raises Gone where it is lost."""
        try:
            return self.images.read(sample, model)
        except TransientFailure as failure:
            if failure.code != UNAVAILABLE:
                raise
            raise Gone(failure.code, failure.detail) from failure

    def tiles(self, shown: Shown, views: Sequence[str]) -> list[Tile]:
        """The image, its clean map, and those of some views; of an image that is lost or out of reach, none."""
        try:
            pixels = self.pixels(shown.sample, shown.model)
        except Gone:
            return []
        conditions = shown.subject.conditions
        maps = native_maps(shown.row, len(conditions))
        tiles = [Tile(caption="image", jpeg=jpeg_of(pixels))]
        for view in (CLEAN, *(one for one in views if one in conditions)):
            values = maps[conditions.index(view)]
            caption = f"{view_title(view)}{'' if values.any() else ': no salience'}"
            seen = seen_in(pixels, view, self.protocol, shown.sample.name)
            tiles.append(Tile(caption=caption, jpeg=jpeg_of(overlaid(seen, values))))
        return tiles


def _facts(sample: SampleRow) -> str:
    known = [f"{name} {value}" for name, value in (("label", sample.label), ("source", sample.source)) if value]
    return "".join(f"{fact}, " for fact in known)
