"""What an audit is about: its data set and its models."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from sqlalchemy.orm import Session

from app.db.tables import AuditRow, DatasetRow, MapSetRow, ModelRow
from app.domain.audits.subjects import Pairing, Subject, pairings_of, subjects_of
from app.domain.models.input_size import InputSize
from app.domain.models.levels import ValueRange
from app.domain.models.outputs import CLASSES, Output
from app.domain.models.preprocessing import Preprocessing
from app.domain.problems import planning
from app.domain.protocol import Protocol
from app.domain.samples.label_mapping import LabelMapping
from app.domain.samples.label_matching import map_labels, map_several_labels
from app.domain.vocabulary import CLEAN, OutputKind

NO_MODEL = LabelMapping(None, "The audit has no model, so that nothing is classified.")


@dataclass(frozen=True)
class AuditInputs:
    """An audit with its data set, its models and its map sets, in the order of their ordinals."""

    audit: AuditRow
    dataset: DatasetRow
    models: tuple[ModelRow, ...]
    map_sets: tuple[MapSetRow, ...] = ()

    @cached_property
    def protocol(self) -> Protocol:
        return Protocol.model_validate(self.audit.protocol)

    @cached_property
    def of_models(self) -> tuple["AuditedSubject", ...]:
        """The subjects that are models, in the order of their ordinals: they come first."""
        return audited_subjects(self.protocol, self.models)

    @cached_property
    def given(self) -> tuple["GivenSubject", ...]:
        """The map sets, in the order of their ordinals behind those of the models."""
        return given_subjects(self.protocol, self.models, self.map_sets)

    @property
    def subjects(self) -> tuple["AuditedSubject | GivenSubject", ...]:
        """All, in the order of their ordinals."""
        return (*self.of_models, *self.given)

    @cached_property
    def pairings(self) -> tuple[Pairing, ...]:
        """Those of its subjects that are compared, in the order in which their scores are stored."""
        return pairings_of(self.protocol, [one.subject for one in self.subjects])

    @cached_property
    def mapping(self) -> LabelMapping:
        """How labels meet the classes, which are the same of all models."""
        return label_mapping(self.dataset, self.models[0], self.audit.label_map) if self.models else NO_MODEL

    @property
    def classes(self) -> int | None:
        """How many the models tell apart."""
        return class_count(self.models[0]) if self.models else None


@dataclass(frozen=True)
class AuditedSubject:
    """A subject of an audit that is a model, its key within the audit, and the protocol with what is its own."""

    subject: Subject
    model: ModelRow
    key: str
    protocol: Protocol
    map_set: ClassVar[None] = None

    @property
    def conditions(self) -> tuple[str, ...]:
        """Those in which it was looked at, in stored order."""
        return (CLEAN, *self.protocol.conditions())

    @property
    def output(self) -> Output:
        return Output.of(self.model.output)


@dataclass(frozen=True)
class GivenSubject:
    """A subject of an audit that is a map set, and its key within the audit."""

    subject: Subject
    map_set: MapSetRow
    key: str
    protocol: Protocol
    """The audit's: columns that no map set has are empty in its rows."""
    model: ClassVar[None] = None
    output: ClassVar[Output] = CLASSES
    """It says of no class anything."""

    @property
    def conditions(self) -> tuple[str, ...]:
        """Those of which it has maps, in stored order."""
        return self.subject.conditions(self.protocol)


def changed_for(one: AuditedSubject | GivenSubject) -> tuple[str, ...]:
    """The views whose images its measures need, in the protocol's order."""
    if one.map_set is None:
        return one.protocol.conditions()
    needed = {view for column in one.subject.columns(one.protocol) for view in column.conditions}
    return tuple(view for view in one.protocol.conditions() if view in needed)


def audited_subjects(protocol: Protocol, models: Sequence[ModelRow]) -> tuple[AuditedSubject, ...]:
    """Those that are models, in the order of their ordinals."""
    return tuple(
        AuditedSubject(
            subject, models[subject.model], subject.key(protocol, models[subject.model].id), subject.protocol(protocol)
        )
        for subject in subjects_of(protocol, len(models))
        if subject.model is not None
    )


def given_subjects(
    protocol: Protocol, models: Sequence[ModelRow], map_sets: Sequence[MapSetRow]
) -> tuple[GivenSubject, ...]:
    """Those that are map sets."""
    return tuple(
        GivenSubject(subject, map_sets[subject.map_set], subject.key(protocol, map_sets[subject.map_set].id), protocol)
        for subject in subjects_of(protocol, len(models), [views_of(protocol, one) for one in map_sets])
        if subject.map_set is not None
    )


def views_of(protocol: Protocol, map_set: MapSetRow) -> tuple[str, ...]:
    """Of whose images an audit asks it for maps: of handed out images all that it changes, whether they are there yet
    or not."""
    return tuple(map_set.views) if map_set.input_size is None else (CLEAN, *protocol.conditions())


def seen_by(models: Sequence[ModelRow], map_sets: Sequence[MapSetRow]) -> Preprocessing | None:
    """How the images are made that the map sets of an audit are of: as its models see them, else of the size that the
    sets say; None where nobody says one."""
    if models:
        return Preprocessing.of(models[0].preprocessing)
    sizes = [size for one in map_sets if (size := input_size_of(one)) is not None]
    return Preprocessing.of({"input_size": sizes[0], "value_range": ValueRange.UNIT}) if sizes else None


def input_size_of(map_set: MapSetRow) -> InputSize | None:
    """Of the images that audits hand out and its maps are of; None of maps of the samples' own images."""
    if map_set.input_size is None:
        return None
    height, width = map_set.input_size
    return height if height == width else (height, width)


def class_count(model: ModelRow) -> int:
    """Classes that the probe found, or else those that have names: an upload whose numbers differ is rejected.

    Raises Conflict ``model-not-probed`` where neither is known.
    """
    found = (model.probe or {}).get("classes")
    if found is not None:
        return int(found)
    if model.class_names:
        return len(model.class_names)
    raise planning.MODEL_NOT_PROBED.error(name=model.name, id=model.id)


def label_mapping(dataset: DatasetRow, model: ModelRow, label_map: Any) -> LabelMapping:
    """How the data set's labels meet the model's classes under an audit's ``label_map``."""
    if Output.of(model.output).kind is OutputKind.MULTILABEL:
        return map_several_labels(dataset.labels, model.class_names, class_count(model), label_map)
    return map_labels(dataset.labels, model.class_names, class_count(model), label_map)


def mapping_of(session: Session, audit: AuditRow, model: ModelRow) -> LabelMapping:
    """Of one model of an audit."""
    return label_mapping(session.get_one(DatasetRow, audit.dataset_id), model, audit.label_map)
