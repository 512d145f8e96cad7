"""What the stored maps of an audit tell once all of them are there: where they lie, and stability's control."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.tables import AuditRow, ModelRow, SampleRow, SampleScoresRow
from app.domain.cam_methods import CAM_METHODS
from app.domain.input_size import InputSize
from app.domain.measures import EQUIVARIANCE, spec_of
from app.domain.preprocessing import Preprocessing
from app.domain.protocol import Protocol
from app.domain.results.documents import ResultsDocument, WhereMapsLie
from app.domain.subjects import pairings_of, subjects_of
from app.domain.summaries import Groups
from app.domain.views import cells_step
from app.domain.vocabulary import CLEAN, Weights
from app.results.inputs import AuditInputs, class_count, label_mapping
from worker.functional.cell_shifts import CellShift
from worker.functional.derangement import derangement
from worker.results.equivariance_numbers import ShiftNumbers, add_shift_numbers
from worker.results.pair_controls import pair_controls
from worker.results.stored_maps import FloatMaps, MapOwner, among, drawn_ordinals, read_maps
from worker.results.where_maps_lie import PREDICTED, Partition, where_maps_lie

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

CLEAN_PLACE = 0
CHUNK_ROWS = 5_000


@dataclass(frozen=True)
class MapSections:
    """``where``: one `where_maps_lie` a subject; ``controls`` (N,) of each pairing that was asked for.

    ``shifts`` are by subject, where equivariance was asked for; they hold the samples of ``ordinals``.
    """

    where: list[WhereMapsLie]
    controls: dict[str, Floats]
    shifts: dict[str, ShiftNumbers]
    ordinals: Integers

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


def map_sections(session: Session, inputs: AuditInputs) -> MapSections:
    """From the clean maps of every subject, one after the other; of random twins nothing is asked."""
    protocol = Protocol.model_validate(inputs.audit.protocol)
    ordinals = drawn_ordinals(session, inputs.audit)
    where: list[WhereMapsLie] = []
    pairings = [
        one
        for one in pairings_of(protocol, subjects_of(protocol, len(inputs.models)))
        if spec_of(one.column.measure).says_nothing.below_control
    ]
    levels: dict[int, NDArray[np.uint8]] = {}
    shifts: dict[str, ShiftNumbers] = {}
    facts = _Facts((), (), (), (), np.empty(0, np.int64))
    for number, one in enumerate(inputs.subjects):
        if one.subject.weights is Weights.RANDOM:
            continue
        owner = MapOwner(inputs.audit.id, number, ordinals)
        facts = _facts(session, owner)
        maps = read_maps(session, owner, CLEAN_PLACE, 1)
        if maps is None:
            continue
        partitions = _partitions(inputs, one.model, facts)
        if (
            EQUIVARIANCE.settings_in(protocol.measures)
            and not CAM_METHODS[one.subject.salience.method].at_input_resolution
        ):
            shifts[one.key] = _shifts(session, owner, maps[:, 0], facts.predicted)
        lie = where_maps_lie(maps[:, 0], partitions, facts.ids, protocol.seed)
        where.append({"model_id": one.key, "subject": one.key, **lie})
        if any(number in group for pairing in pairings for group in pairing.groups):
            levels[number] = (maps[:, 0] * np.float32(255)).astype(np.uint8)
    controls: dict[str, Floats] = {}
    codes = Partition.of(facts.labels).codes
    for pairing in pairings:
        if all(place in levels for group in pairing.groups for place in group):
            found = [
                pair_controls([levels[place] for place in group], codes, _input_size(inputs, group[0]), protocol.seed)
                for group in pairing.groups
            ]
            controls[pairing.column.measure] = np.full(inputs.audit.sample_count, np.nan)
            # A sample counts where every group has a control for it, as the score does.
            controls[pairing.column.measure][ordinals] = np.mean(found, axis=0)
    return MapSections(where, controls, shifts, ordinals)


def _input_size(inputs: AuditInputs, subject: int) -> InputSize:
    return Preprocessing.of(inputs.subjects[subject].model.preprocessing).input_size


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
