"""What a request says of what a model computes."""

from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    ModelWrapValidatorHandler,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from app.domain.models.heads import MAX_LAYERS, DeclaredLayer, Head, HeadLayer
from app.domain.models.outputs import CLASSES, Output
from app.domain.models.preprocessing import Preprocessing
from app.http.schemas import Name
from app.models.configs.reading import Told, completed
from app.models.missing import SAID

TensorPattern = Annotated[str, Field(min_length=1, max_length=512)]
OptionName = Annotated[str, Field(min_length=1, max_length=60)]
OptionNumber = Annotated[float, Field(allow_inf_nan=False)]
OptionWord = Annotated[str, Field(max_length=60)]
OptionItem = bool | int | OptionNumber | OptionWord
OptionValue = OptionItem | Annotated[list[OptionItem], Field(max_length=64)]
MAY_LACK = object()
"""As a validation's context: where files say less of the preprocessing than is needed, it is missing."""


def _without_parts(request: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Without a preprocessing that lacks fields, and those that it has: half of one is none."""
    if "preprocessing" not in request:
        return request, {}
    parts = {} if request["preprocessing"] is None else request["preprocessing"]
    try:
        Preprocessing.model_validate(parts)
    except ValidationError as error:
        if all(fault["type"] == "missing" for fault in error.errors()):
            return {**request, "preprocessing": None}, parts
    return request, {}


class ModelDescription(BaseModel):
    """What bears on what a model computes."""

    model_config = ConfigDict(extra="forbid")

    architecture: str | None = Field(
        None,
        max_length=200,
        description="A torchvision classification architecture, or timm/NAME; none for onnx.",
    )
    format: str | None = Field(
        None, max_length=50, description="safetensors, state_dict (a torch.save file), or onnx; needed for an upload."
    )
    output: Output = CLASSES
    class_names: list[Name] | None = Field(
        None, min_length=1, max_length=100_000, description="In the order of the outputs; `binary`: negative, positive."
    )
    preprocessing: Preprocessing | None = Field(
        None, description="Needed for an upload; what `config` and `preprocessor_config` say may be left out."
    )
    config: dict[str, JsonValue] | None = Field(
        None,
        max_length=500,
        description="A config.json as timm or transformers saved it: architecture and its options, class names, timm's "
        "preprocessing. Fields of the request go before it.",
        examples=[{"model_type": "vit", "architectures": ["ViTForImageClassification"], "image_size": 224}],
    )
    preprocessor_config: dict[str, JsonValue] | None = Field(
        None, max_length=500, description="A preprocessor_config.json as transformers saved it, for `preprocessing`."
    )
    architecture_options: dict[OptionName, OptionValue] = Field(
        default_factory=dict,
        max_length=100,
        description="Arguments of the architecture's builder that no tensor shows; the worker knows which there are.",
        examples=[{"transform_input": True}, {"global_pool": "max"}],
    )
    head: list[DeclaredLayer] | None = Field(
        None,
        min_length=1,
        max_length=MAX_LAYERS,
        description="The layers in place of the architecture's classifier, where the file does not say; the last "
        "linear one has the classes.",
        examples=[[{"linear": 512}, "relu", {"dropout": 0.5}, {"linear": 2}]],
    )
    target_layer: str | None = Field(None, max_length=512, description="Overrides the layer that tracing finds.")
    weights_key: str | None = Field(
        None,
        max_length=512,
        description="Which of several mappings of tensors in the file, by the path of its keys: `model_ema`.",
    )
    ignore_tensors: list[TensorPattern] = Field(
        default_factory=list,
        max_length=100,
        description="Names of tensors that the network does not need and that may be left over; `head.*` for many.",
    )

    _may_lack: ClassVar[bool] = False
    """Whether half of a preprocessing may be said: what a model had before is the other half."""
    _told: Told = PrivateAttr(default_factory=dict)
    _parts: dict[str, Any] = PrivateAttr(default_factory=dict)
    _given: dict[str, Any] = PrivateAttr(default_factory=dict)

    @property
    def given(self) -> dict[str, Any]:
        """What was said, before files completed it: to be said again beside what others say."""
        return self._given

    @property
    def told(self) -> Told:
        """Which fields are from a file."""
        return self._told

    @property
    def parts(self) -> dict[str, Any]:
        """Of a preprocessing that lacks fields, those that it has."""
        return self._parts

    @model_validator(mode="wrap")
    @classmethod
    def with_its_files(cls, value: Any, build: ModelWrapValidatorHandler[Self], info: ValidationInfo) -> Self:
        whole, told = completed(value)
        parts: dict[str, Any] = {}
        if (cls._may_lack or info.context is MAY_LACK) and isinstance(whole, dict):
            whole, parts = _without_parts(whole)
        request = build(whole)
        request._told, request._parts = told, parts  # noqa: SLF001 - its own
        if isinstance(value, dict):
            request._given = {field: value[field] for field in SAID if value.get(field) is not None}  # noqa: SLF001
        return request

    @field_validator("head")
    @classmethod
    def ends_with_classes(cls, value: list[HeadLayer] | None) -> list[HeadLayer] | None:
        if value is not None:
            Head(layers=tuple(value))
        return value

    @field_validator("class_names")
    @classmethod
    def distinct_and_as_many_as_the_output_has(cls, value: list[str] | None, info: ValidationInfo) -> list[str] | None:
        if value is not None and len(set(value)) != len(value):
            raise ValueError("class names must be distinct")
        if "output" in info.data:
            info.data["output"].check_names(value)
        return value
