"""What an audit is about: its data set and its models."""

from dataclasses import dataclass

from app.db.tables import AuditRow, DatasetRow, ModelRow


@dataclass(frozen=True)
class AuditInputs:
    """An audit with its data set and its models, in the order of their ordinals."""

    audit: AuditRow
    dataset: DatasetRow
    models: tuple[ModelRow, ...]


def class_count(model: ModelRow) -> int:
    """Classes that the probe found."""
    return int((model.probe or {})["classes"])
