"""A model as it is registered and changed."""

from typing import Any, ClassVar

from pydantic import Field, field_validator

from app.http.schemas import Metadata, Name
from app.models.missing import SAID
from app.models.request_fields import ModelDescription
from app.naming.schemas import Tags, VersionedChange, VersionName
from app.registries.uri_forms import HUB_DATASETS
from app.registries.uris import MOST_LETTERS
from app.uploads.sources import Source


class ModelSource(Source):
    """A version in a registry, in place of an upload."""

    uri: str = Field(
        max_length=MOST_LETTERS,
        description="`models:/NAME/VERSION` or `models:/NAME@ALIAS` of MLflow; `hf://OWNER/REPOSITORY@REVISION` of a "
        "Hub, where a branch or a tag is pinned to the commit that it is when it is fetched; "
        "`https://HOST/PATH#sha256=DIGEST` of a web server; `s3://BUCKET/FOLDER` or `s3://BUCKET/FOLDER/FILE`; "
        "`oci://HOST/REPOSITORY@sha256:DIGEST`; `file:///FOLDER` of the operator's, or `file:///FOLDER/FILE`.",
        examples=["models:/faces/3", "hf://timm/resnet18.a1_in1k@main"],
    )

    @field_validator("uri")
    @classmethod
    def that_has_models(cls, value: str) -> str:
        if value.startswith(HUB_DATASETS):
            raise ValueError("a data set of a Hub is no model")
        return value


class ModelRequest(ModelDescription):
    """What a registration says; the weights follow by ``PUT content_url``, or are fetched from ``source``."""

    name: Name
    version: VersionName | None = None
    source: ModelSource | None = Field(
        None, description="Where to fetch it; the description is then looked for there, and completed by `PATCH`."
    )
    metadata: Metadata = Field(default_factory=dict)
    tags: Tags = Field(default_factory=list)


class ModelChange(VersionedChange, ModelDescription):
    """Words at any time; while the model `needs_description` its fields, of `preprocessing` those that are missing."""

    _may_lack: ClassVar[bool] = True

    def _emptied(self) -> set[str]:
        """Half of a preprocessing is none yet."""
        return super()._emptied() | {"preprocessing"}

    def values(self) -> dict[str, Any]:
        return {column: value for column, value in super().values().items() if column not in SAID}
