"""A rescoring as it is asked for and shown."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field, field_validator

from app.db.tables import RescoreRow
from app.domain.maps.similarities import SIMILARITIES, Similarity
from app.domain.results.rescored import Rescored
from app.domain.vocabulary import OwedStatus
from app.http.schemas import StoredProblem

SimilarityPath = Annotated[Similarity, Path(description="By which it was asked for.")]


class RescoreRequest(BaseModel):
    """By which similarity."""

    model_config = ConfigDict(extra="forbid")

    similarity: Similarity

    @field_validator("similarity")
    @classmethod
    def of_two_maps(cls, value: Similarity) -> Similarity:
        if SIMILARITIES[value].of_fixations:
            raise ValueError("fixations are a map set's: ask for agreement with it in an audit")
        return value


class Rescore(BaseModel):
    """An audit's comparisons by another similarity; `results` null until it has `succeeded`."""

    audit_id: UUID
    similarity: Similarity
    status: OwedStatus
    problem: StoredProblem | None
    created_at: datetime
    finished_at: datetime | None
    results: Rescored | None = Field(
        description="Means with intervals by label and source: of every pairing, and of every view whose maps need no "
        "way back into the clean image's frame (`noise_reaction`, `degradation`)."
    )

    @classmethod
    def of(cls, row: RescoreRow) -> Self:
        return cls(
            audit_id=row.audit_id,
            similarity=row.similarity,
            status=row.status,
            problem=StoredProblem.of(row.problem),
            created_at=row.created_at,
            finished_at=row.finished_at,
            results=row.document,
        )
