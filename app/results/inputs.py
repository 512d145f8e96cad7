"""What an audit is about: its data set and its models."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.db.tables import AuditRow, DatasetRow, ModelRow
from app.domain.label_mapping import LabelMapping, map_labels


@dataclass(frozen=True)
class AuditInputs:
    """An audit with its data set and its models, in the order of their ordinals."""

    audit: AuditRow
    dataset: DatasetRow
    models: tuple[ModelRow, ...]


def class_count(model: ModelRow) -> int:
    """Classes that the probe found."""
    return int((model.probe or {})["classes"])


def label_mapping(dataset: DatasetRow, model: ModelRow, label_map: Any) -> LabelMapping:
    """How the data set's labels meet the model's classes under an audit's ``label_map``."""
    return map_labels(dataset.labels, model.class_names, class_count(model), label_map)


def mapping_of(session: Session, audit: AuditRow, model: ModelRow) -> LabelMapping:
    """Of one model of an audit."""
    return label_mapping(session.get_one(DatasetRow, audit.dataset_id), model, audit.label_map)
