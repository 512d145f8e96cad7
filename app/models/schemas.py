"""A model as it is described, and as it is shown."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import Path
from pydantic import BaseModel, Field

from app.db.tables import ModelRow
from app.domain.models.fidelity import Fidelity
from app.domain.models.heads import DeclaredLayer, Head
from app.domain.models.outputs import Output
from app.domain.models.preprocessing import Preprocessing
from app.domain.vocabulary import CamMethod, ModelFormat, ResourceStatus
from app.http.links import link
from app.http.schemas import StoredProblem
from app.models.description import Described, described
from app.models.missing import missing_of
from app.models.probed import PROBED, CandidateLayer, Speed
from app.naming.schemas import VERSION
from app.uploads.sources import Fetched

ModelId = Annotated[UUID, Path(description="The `id` that `POST /v1/models` answered.")]


class FetchedSource(Fetched):
    """Where a model comes from, and what was found there."""

    file: str | None = Field(None, description="Of the version's files, the one with the weights.")


_AS_STORED = (
    "id",
    "name",
    "version",
    "about",
    "tags",
    "aliases",
    "class_names",
    "architecture_options",
    "weights_key",
    "ignore_tensors",
    "status",
    "content_digest",
    "content_size",
    "reference_digest",
    "created_at",
    "updated_at",
)


class Model(BaseModel):
    """A model and what the probe found; what is not known yet is null."""

    id: UUID
    name: str
    version: str | None = Field(description=VERSION)
    about: str | None = Field(description="What a change of its `description` said, in words.")
    tags: list[str]
    aliases: list[str]
    architecture: str | None = Field(
        description="Null of an ONNX graph, which is the network itself; and, as `format` and `preprocessing`, of an "
        "imported model while nobody has said it."
    )
    format: ModelFormat | None
    class_names: list[str] | None
    output: Output
    preprocessing: Preprocessing | None
    architecture_options: dict[str, Any]
    head: list[DeclaredLayer] | None = Field(description="Null: the architecture's own.")
    target_layer: str | None
    weights_key: str | None
    ignore_tensors: list[str]
    description: dict[str, Described] = Field(
        description="Every field that bears on what the model computes, with its value and who said it."
    )
    metadata: dict[str, Any]
    source: FetchedSource | None = Field(description="Null of a model that is uploaded.")
    missing: list[str] = Field(
        description="What `needs_description` waits for.", examples=[["preprocessing.mean", "preprocessing.std"]]
    )
    status: ResourceStatus
    problem: StoredProblem | None
    content_url: str
    content_digest: str | None
    content_size: int | None
    parameter_count: int | None
    classes: int | None
    map_height: int | None
    map_width: int | None
    candidate_layers: list[CandidateLayer] | None = Field(description="Null in lists.")
    in_place_operations: list[str] | None
    final_softmax: bool | None
    cam_methods: list[CamMethod] | None = Field(
        description="Those that can explain it at its target layer; null: not known, of models read by earlier "
        "versions."
    )
    speed: Speed | None
    reference_url: str = Field(description="Where predictions of the owner's own code go, to be compared.")
    reference_digest: str | None
    fidelity: Fidelity | None = Field(
        description="How those predictions agree; null where there are none, or a worker is still at them."
    )
    created_at: datetime
    updated_at: datetime

    @classmethod
    def listed(cls, row: ModelRow) -> Self:
        """Without what is long: of a thousand models nobody reads the layers."""
        return cls.of(row).model_copy(update={"candidate_layers": None})

    @classmethod
    def of(cls, row: ModelRow) -> Self:
        probe, fidelity = row.probe or {}, Fidelity.of(row.fidelity)
        return cls(
            **{name: getattr(row, name) for name in _AS_STORED},
            **{name: probe.get(name) for name in PROBED},
            architecture=row.architecture or None,
            format=ModelFormat(row.format) if row.format else None,
            output=Output.of(row.output),
            preprocessing=Preprocessing.of(row.preprocessing) if row.preprocessing else None,
            source=None if row.source is None else FetchedSource.model_validate(row.source),
            missing=missing_of(row) if row.status == ResourceStatus.NEEDS_DESCRIPTION else [],
            head=None if row.head is None else list(Head.model_validate(row.head).layers),
            target_layer=probe.get("target_layer", row.target_layer),
            description=described(row.description, fidelity),
            metadata=row.extra,
            problem=StoredProblem.of(row.problem),
            content_url=link(f"/v1/models/{row.id}/content"),
            reference_url=link(f"/v1/models/{row.id}/reference"),
            fidelity=fidelity,
        )
