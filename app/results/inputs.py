"""What an audit is about: its data set and its models."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy.orm import Session

from app.db.tables import AuditRow, DatasetRow, ModelRow
from app.domain.label_mapping import LabelMapping, map_labels, map_several_labels
from app.domain.outputs import Output
from app.domain.protocol import Protocol
from app.domain.subjects import Subject, subjects_of
from app.domain.vocabulary import CLEAN, OutputKind
from app.errors import Conflict


@dataclass(frozen=True)
class AuditInputs:
    """An audit with its data set and its models, in the order of their ordinals."""

    audit: AuditRow
    dataset: DatasetRow
    models: tuple[ModelRow, ...]

    @cached_property
    def subjects(self) -> tuple["AuditedSubject", ...]:
        """In the order of their ordinals."""
        protocol = Protocol.model_validate(self.audit.protocol)
        return audited_subjects(protocol, self.models)


@dataclass(frozen=True)
class AuditedSubject:
    """A subject of an audit with its model, its key within the audit, and the protocol with what is its own."""

    subject: Subject
    model: ModelRow
    key: str
    protocol: Protocol

    @property
    def conditions(self) -> tuple[str, ...]:
        """Those in which it was looked at, in stored order."""
        return (CLEAN, *self.protocol.conditions())

    @property
    def output(self) -> Output:
        return Output.of(self.model.output)


def audited_subjects(protocol: Protocol, models: Sequence[ModelRow]) -> tuple[AuditedSubject, ...]:
    """In the order of their ordinals."""
    return tuple(
        AuditedSubject(
            subject, models[subject.model], subject.key(protocol, models[subject.model].id), subject.protocol(protocol)
        )
        for subject in subjects_of(protocol, len(models))
    )


def class_count(model: ModelRow) -> int:
    """Classes that the probe found, or else those that have names: an upload whose numbers differ is rejected.

    Raises Conflict ``model-not-probed`` where neither is known.
    """
    found = (model.probe or {}).get("classes")
    if found is not None:
        return int(found)
    if model.class_names:
        return len(model.class_names)
    detail = f"It is not known how many classes the model {model.name} has ({model.id}): upload its file again."
    raise Conflict("model-not-probed", detail)


def label_mapping(dataset: DatasetRow, model: ModelRow, label_map: Any) -> LabelMapping:
    """How the data set's labels meet the model's classes under an audit's ``label_map``."""
    if Output.of(model.output).kind is OutputKind.MULTILABEL:
        return map_several_labels(dataset.labels, model.class_names, class_count(model), label_map)
    return map_labels(dataset.labels, model.class_names, class_count(model), label_map)


def mapping_of(session: Session, audit: AuditRow, model: ModelRow) -> LabelMapping:
    """Of one model of an audit."""
    return label_mapping(session.get_one(DatasetRow, audit.dataset_id), model, audit.label_map)
