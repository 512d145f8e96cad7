"""The ids in paths, with what Swagger UI says of them."""

from typing import Annotated
from uuid import UUID

from fastapi import Path

ModelId = Annotated[UUID, Path(description="The `id` that `POST /v1/models` answered.")]
DatasetId = Annotated[UUID, Path(description="The `id` that `POST /v1/datasets` answered.")]
RunGroupId = Annotated[UUID, Path(description="The `id` that `POST /v1/run-groups` answered.")]
GateId = Annotated[UUID, Path(description="The `id` that `POST /v1/gates` answered.")]
AuditId = Annotated[UUID, Path(description="The `id` that `POST /v1/audits` answered.")]
SampleId = Annotated[UUID, Path(description="A `sample_id` of `GET /v1/audits/{audit_id}/samples`.")]
ComparisonId = Annotated[UUID, Path(description="The `id` that `POST /v1/comparisons` answered.")]
