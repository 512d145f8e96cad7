"""Rows as the service would have made them, not yet in a session: a test names what it is about, the rest is filled in.

session.add(dataset := dataset_row(status=ResourceStatus.READY))
session.flush()
session.add(audit := audit_row(dataset.id, sample_count=6))
session.flush()
session.add_all(shard_rows(audit.id, count=3, size=2))
"""

from typing import Any
from uuid import UUID

from app.db.identifiers import new_id
from app.db.tables import AuditRow, DatasetRow, ModelRow, SampleRow, ShardRow
from app.domain.vocabulary import DeviceClass, SampleStatus
from tests.waiting import RECIPE


def dataset_row(**values: Any) -> DatasetRow:
    filled = {"id": new_id(), "name": "d", "labels": [], "sources": [], "notes": [], "extra": {}}
    return DatasetRow(**filled | values)


def model_row(**values: Any) -> ModelRow:
    """Described as the example's networks are."""
    described = {name: RECIPE[name] for name in ("architecture", "class_names", "preprocessing")}
    filled = described | {"id": new_id(), "name": "m", "format": "safetensors", "extra": {}}
    return ModelRow(**filled | values)


def sample_row(dataset_id: UUID, **values: Any) -> SampleRow:
    """The one byte at the beginning of a tar."""
    place = {"position": 0, "offset": 0, "stored_size": 1, "size": 1, "compression": 0}
    filled: dict[str, Any] = place | {"id": new_id(), "name": "s", "status": SampleStatus.READY} | values
    return SampleRow(dataset_id=dataset_id, **{"name_key": filled["name"].encode()} | filled)


def audit_row(dataset_id: UUID, **values: Any) -> AuditRow:
    filled = {"id": new_id(), "protocol": {}, "protocol_digest": "sha256:0", "device_class": DeviceClass.CPU}
    return AuditRow(dataset_id=dataset_id, **filled | values)


def shard_rows(audit_id: UUID, *, count: int, size: int = 1) -> list[ShardRow]:
    """One after the other, ``size`` samples each."""
    return [
        ShardRow(id=new_id(), audit_id=audit_id, ordinal=place, start=place * size, stop=(place + 1) * size)
        for place in range(count)
    ]
