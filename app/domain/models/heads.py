"""The layers that an owner put in place of a network's classifier, as a model's declaration names them."""

from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, model_serializer, model_validator

MAX_LAYERS = 32
MAX_WIDTH = 100_000


class LayerKind(StrEnum):
    """Layers that a head is made of."""

    LINEAR = "linear"
    BATCHNORM = "batchnorm"
    LAYERNORM = "layernorm"
    PRELU = "prelu"
    DROPOUT = "dropout"
    FLATTEN = "flatten"
    IDENTITY = "identity"
    RELU = "relu"
    RELU6 = "relu6"
    LEAKY_RELU = "leaky_relu"
    ELU = "elu"
    SELU = "selu"
    GELU = "gelu"
    SILU = "silu"
    MISH = "mish"
    HARDSWISH = "hardswish"
    TANH = "tanh"
    SIGMOID = "sigmoid"
    SOFTPLUS = "softplus"
    AVGPOOL = "avgpool"
    MAXPOOL = "maxpool"
    CONCATPOOL = "concatpool"
    SOFTMAX = "softmax"
    LOG_SOFTMAX = "log_softmax"


WITH_WEIGHTS = frozenset({LayerKind.LINEAR, LayerKind.BATCHNORM, LayerKind.LAYERNORM, LayerKind.PRELU})
PASSING = frozenset({LayerKind.DROPOUT, LayerKind.FLATTEN, LayerKind.IDENTITY})
"""What changes no number once a model is trained."""
FINAL = frozenset({LayerKind.SOFTMAX, LayerKind.LOG_SOFTMAX, LayerKind.SIGMOID})
"""What may follow the logits; salience is taken before it."""
_RANGES: dict[LayerKind, tuple[float, float]] = {
    LayerKind.LINEAR: (1, MAX_WIDTH),
    LayerKind.DROPOUT: (0, 1),
    LayerKind.BATCHNORM: (0, 1),
    LayerKind.LAYERNORM: (0, 1),
    LayerKind.LEAKY_RELU: (0, 1),
    LayerKind.ELU: (0, 100),
}


_DEFAULTS = {
    LayerKind.BATCHNORM: 1e-5,
    LayerKind.LAYERNORM: 1e-5,
    LayerKind.LEAKY_RELU: 0.01,
    LayerKind.ELU: 1.0,
}
"""Torch's own."""


class HeadLayer(BaseModel):
    """``"relu"``, or with its number ``{"linear": 512}``: a linear layer's outputs, a norm's eps, a dropout's share."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: LayerKind
    number: float | None = Field(None, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def of_json(cls, value: Any) -> Any:
        """A name, or an object of one name."""
        if isinstance(value, str):
            return {"kind": value.lower()}
        if isinstance(value, dict) and len(value) == 1 and "kind" not in value:
            name, number = next(iter(value.items()))
            return {"kind": str(name).lower(), "number": number}
        return value

    @model_validator(mode="after")
    def number_belongs_to_kind(self) -> Self:
        if self.kind is LayerKind.LINEAR and (self.number is None or self.number != int(self.number)):
            raise ValueError('a linear layer has the number of its outputs: {"linear": 512}')
        if self.number is not None:
            if self.kind not in _RANGES:
                raise ValueError(f"{self.kind.value} takes no number")
            least, most = _RANGES[self.kind]
            if not least <= self.number <= most:
                raise ValueError(f"the number of {self.kind.value} is between {least:g} and {most:g}")
        return self

    @model_serializer
    def to_json(self) -> str | dict[str, float | int]:
        if self.number is None:
            return self.kind.value
        return {self.kind.value: int(self.number) if self.kind is LayerKind.LINEAR else self.number}


_SCHEMA = {
    "anyOf": [
        {"type": "string", "enum": [kind.value for kind in LayerKind if kind is not LayerKind.LINEAR]},
        {
            "type": "object",
            "properties": {kind.value: {"type": "number"} for kind in _RANGES},
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": False,
        },
    ]
}
DeclaredLayer = Annotated[HeadLayer, WithJsonSchema(_SCHEMA)]


class Head(BaseModel):
    """``layers`` stand in the network's place ``module``, which is not known before the file is read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    layers: tuple[HeadLayer, ...] = Field(min_length=1, max_length=MAX_LAYERS)
    module: str | None = None

    @model_validator(mode="after")
    def ends_with_classes(self) -> Self:
        kinds = [layer.kind for layer in self.layers]
        if LayerKind.LINEAR not in kinds:
            raise ValueError('a head has a linear layer, the last one of which has the classes: {"linear": 2}')
        last = len(kinds) - 1 - kinds[::-1].index(LayerKind.LINEAR)
        if not set(kinds[last + 1 :]) <= FINAL | PASSING:
            raise ValueError("nothing but softmax, log_softmax or sigmoid follows the linear layer of the classes")
        if {LayerKind.SOFTMAX, LayerKind.LOG_SOFTMAX} & set(kinds[:last]):
            raise ValueError("a softmax stands at the end of a head")
        return self

    @property
    def essence(self) -> list[tuple[LayerKind, float | None]]:
        """The layers that change anything, with their numbers."""
        changing = [layer for layer in self.layers if layer.kind not in PASSING]
        return [(one.kind, _DEFAULTS.get(one.kind) if one.number is None else one.number) for one in changing]

    def to_json(self) -> list[object]:
        """As the declaration has it."""
        return [layer.to_json() for layer in self.layers]
