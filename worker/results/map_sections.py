"""What the stored maps of an audit tell once all of them are there: where they lie, and stability's control."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.tables import AuditRow, ModelRow, SampleRow, SampleScoresRow
from app.domain.audits.subjects import Subject
from app.domain.maps.cam_methods import CAM_METHODS
from app.domain.measures import EQUIVARIANCE
from app.domain.protocol import Protocol
from app.domain.results.documents import ResultsDocument
from app.domain.results.map_places import WhereMapsLie
from app.domain.summaries.groups import Groups
from app.domain.views.families import cells_step
from app.domain.vocabulary import CLEAN
from app.imaging.entries import Ranges
from app.results.inputs import AuditInputs, class_count, label_mapping
from worker.functional.cell_shifts import CellShift
from worker.functional.derangement import derangement
from worker.results.agreement_chances import chances_of_agreement
from worker.results.equivariance_numbers import ShiftNumbers, add_shift_numbers
from worker.results.paired_levels import PairedLevels
from worker.results.stored_maps import CLEAN_PLACE, FloatMaps, MapOwner, among, drawn_ordinals, read_maps
from worker.results.where_maps_lie import PREDICTED, Partition, where_maps_lie

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

CHUNK_ROWS = 5_000


@dataclass(frozen=True)
class MapSections:
    """``where``: one `where_maps_lie` a subject; ``controls`` (N,) of each pairing that was asked for.

    ``shifts`` are by subject, where equivariance was asked for; they hold the samples of ``ordinals``. ``chances`` (N,)
    are by subject and view, where agreement with map sets was.
    """

    where: list[WhereMapsLie]
    controls: dict[str, Floats]
    shifts: dict[str, ShiftNumbers]
    ordinals: Integers
    chances: dict[int, dict[str, Floats]]

    def add_to(self, document: ResultsDocument, groups: Groups) -> None:
        """Where maps lie, and beside the skill of every subject's shifts what all samples' maps tell of them."""
        document["where_maps_lie"] = self.where
        summaries = document["summaries"]
        for model_id, numbers in self.shifts.items():
            rows = [row for row in summaries if row["model_id"] == model_id]
            add_shift_numbers(rows, numbers, groups, self.ordinals)


@dataclass(frozen=True)
class _Facts:
    """Of N samples in order: ids, labels, sources, splits, and the class that a model predicts, -1 where none."""

    ids: tuple[str, ...]
    labels: tuple[str | None, ...]
    sources: tuple[str | None, ...]
    splits: tuple[str | None, ...]
    predicted: Integers


def map_sections(session: Session, blobs: Ranges, inputs: AuditInputs) -> MapSections:
    """From the clean maps of every subject, one after the other; of what stands beside a model only for its control."""
    protocol = Protocol.model_validate(inputs.audit.protocol)
    ordinals = drawn_ordinals(session, inputs.audit, len(inputs.of_models))
    paired = PairedLevels.of(session, inputs)
    found = MapSections([], {}, {}, ordinals, chances_of_agreement(session, blobs, inputs))
    labels: Integers = np.empty(0, np.int64)
    for number, one in enumerate(inputs.of_models):
        if one.subject.beside is not None and number not in paired:
            continue
        owner = MapOwner(inputs.audit.id, number, ordinals)
        facts = _facts(session, owner)
        labels = Partition.of(facts.labels).codes
        maps = read_maps(session, owner, CLEAN_PLACE, 1)
        if maps is None:
            continue
        paired.take(number, maps[:, 0])
        if one.subject.beside is not None:
            continue
        if _tells_of_shifts(protocol, one.subject):
            found.shifts[one.key] = _shifts(session, owner, maps[:, 0], facts.predicted)
        lie = where_maps_lie(maps[:, 0], _partitions(inputs, one.model, facts), facts.ids, protocol.seed)
        found.where.append({"model_id": one.key, "subject": one.key, **lie})
    for measure, controls in paired.controls(labels):
        found.controls[measure] = np.full(inputs.audit.sample_count, np.nan)
        found.controls[measure][ordinals] = controls
    return found


def _tells_of_shifts(protocol: Protocol, subject: Subject) -> bool:
    native = not CAM_METHODS[subject.salience.method].at_input_resolution
    return native and EQUIVARIANCE.settings_in(protocol.measures) is not None


def _shifts(session: Session, owner: MapOwner, clean: FloatMaps, predicted: Integers) -> ShiftNumbers:
    """Shift by shift, since all of them together may not fit."""
    protocol = Protocol.model_validate(session.get_one(AuditRow, owner.audit_id).protocol)
    settings = EQUIVARIANCE.settings_in(protocol.measures)
    conditions = (CLEAN, *protocol.conditions())
    numbers = ShiftNumbers(clean, derangement(predicted, protocol.seed))
    for view in settings.shifts if settings else ():
        maps = read_maps(session, owner, conditions.index(view), 1)
        if maps is not None:
            numbers.take(CellShift(*cells_step(view)), maps[:, 0])
    return numbers


def _facts(session: Session, owner: MapOwner) -> _Facts:
    row = SampleScoresRow
    query = (
        select(row.sample_id, SampleRow.label, SampleRow.source, SampleRow.split, row.predicted[1])
        .join(SampleRow, SampleRow.id == row.sample_id)
        .where(row.audit_id == owner.audit_id, row.model_ordinal == owner.model_ordinal)
        .where(among(owner.ordinals))
        .order_by(row.ordinal)
    )
    rows = session.execute(query.execution_options(yield_per=CHUNK_ROWS)).all()
    ids, labels, sources, splits, predicted = zip(*rows, strict=True) if rows else ((),) * 5
    codes = np.array([-1 if one is None else one for one in predicted], dtype=np.int64)
    return _Facts(tuple(str(one) for one in ids), labels, sources, splits, codes)


def _partitions(inputs: AuditInputs, model: ModelRow, facts: _Facts) -> dict[str, Partition]:
    names = tuple(model.class_names or (str(index) for index in range(class_count(model))))
    partitions = {
        "label": Partition.of(facts.labels),
        PREDICTED: Partition(names, facts.predicted),
        "source": Partition.of(facts.sources),
        "split": Partition.of(facts.splits),
    }
    mapping = label_mapping(inputs.dataset, model, inputs.audit.label_map)
    if mapping.indices is None or mapping.several:
        return partitions
    truth = np.array([mapping.indices.get(label or "", -1) for label in facts.labels])
    right = np.where((truth < 0) | (facts.predicted < 0), -1, (truth != facts.predicted).astype(np.int64))
    return partitions | {"prediction": Partition(("right", "wrong"), right)}
