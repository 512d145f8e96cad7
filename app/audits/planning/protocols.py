"""``GET /v1/protocols``: the presets and every option with its range and default."""

from typing import Any

from pydantic import BaseModel, Field

from app.domain.maps.cam_methods import CAM_METHODS
from app.domain.measures import MEASURES, MeasureName
from app.domain.protocol import PRESETS, Protocol, ProtocolRequest
from app.domain.views.deformations import DEFORMATIONS, Kind
from app.domain.views.moves import MOVES, MoveKind
from app.domain.vocabulary import CamMethod


class ProtocolOption(BaseModel):
    """One option of a protocol."""

    path: str = Field(examples=["measures.noise_reaction.amount"])
    default: Any
    schema_: dict[str, Any] = Field(alias="schema", description="Its JSON schema: type, range, choices.")


class CamMethodInfo(BaseModel):
    """A CAM method and what it costs."""

    method: CamMethod
    computed_by: str = Field(examples=["salience-audit", "pytorch-grad-cam"])
    note: str


class DeformationInfo(BaseModel):
    """A deformation that `measures.noise_reaction.deformations` can name."""

    kind: Kind
    numbers: list[str] = Field(description="What its numbers are.", examples=[["sigma in pixels"]])
    by_severity: list[list[float]] = Field(description="Their values at severities 1 to 5.")
    made_by: str = Field(description="The library that computes it.", examples=["scikit-image"])
    is_random: bool = Field(description="Whether it is drawn, from a stream of its own for each sample.")
    reference: str


class MoveInfo(BaseModel):
    """A move that `measures.geometric_resilience.deformations` can name, by any number within its limits."""

    kind: MoveKind
    number: str = Field(description="What its number is.", examples=["degrees clockwise, about the middle"])
    smallest: float
    largest: float
    still: float = Field(description="The number that moves nothing, which is refused.")
    made_by: str = Field("scikit-image", description="The library that computes it.")
    is_random: bool = Field(description="Whether it is drawn, from a stream of its own for each sample.")
    reference: str | None


class Protocols(BaseModel):
    """What an audit can be asked for."""

    presets: dict[str, dict[str, Any]]
    options: list[ProtocolOption]
    measures: list[MeasureName]
    cam_methods: list[CamMethod]
    cam_method_notes: list[CamMethodInfo]
    deformations: list[DeformationInfo]
    geometric_deformations: list[MoveInfo]
    views: list[str]


def describe_protocols() -> Protocols:
    """From the very classes that validate a request."""
    presets: dict[str, Protocol] = {name: ProtocolRequest(preset=name).resolve() for name in PRESETS}
    schema = Protocol.model_json_schema()
    options = _options(schema, schema, presets["default"].to_json(), "")
    default = presets["default"]
    columns = (*default.columns(), *default.pairing_columns())
    return Protocols(
        presets={name: preset.to_json() for name, preset in presets.items()},
        options=options,
        measures=list(MEASURES),
        cam_methods=list(CamMethod),
        cam_method_notes=[_note(method) for method in CamMethod],
        deformations=[_deformation(kind) for kind in DEFORMATIONS],
        geometric_deformations=[_move(kind) for kind in MOVES],
        views=[column.view for column in columns],
    )


def _note(method: CamMethod) -> CamMethodInfo:
    spec = CAM_METHODS[method]
    return CamMethodInfo(method=method, computed_by=spec.computed_by, note=spec.note)


def _deformation(kind: Kind) -> DeformationInfo:
    spec = DEFORMATIONS[kind]
    return DeformationInfo(
        kind=kind,
        numbers=list(spec.numbers),
        by_severity=[list(numbers) for numbers in spec.by_severity],
        made_by=spec.made_by,
        is_random=spec.is_random,
        reference=spec.reference,
    )


def _move(kind: MoveKind) -> MoveInfo:
    spec = MOVES[kind]
    return MoveInfo(
        kind=kind,
        number=spec.number,
        smallest=spec.smallest,
        largest=spec.largest,
        still=spec.still,
        is_random=spec.is_random,
        reference=spec.reference,
    )


def _options(schema: dict[str, Any], root: dict[str, Any], defaults: Any, path: str) -> list[ProtocolOption]:
    """Leaves of the schema, each with the value that the default preset gives it."""
    found: list[ProtocolOption] = []
    for name, field in schema.get("properties", {}).items():
        inner = _resolved(field, root)
        default = defaults.get(name, field.get("default")) if isinstance(defaults, dict) else None
        if "properties" in inner:
            found += _options(inner, root, default, f"{path}{name}.")
        else:
            shown = {key: value for key, value in inner.items() if key not in {"default", "title"}}
            found.append(ProtocolOption(path=f"{path}{name}", default=default, schema=shown))
    return found


def _resolved(field: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    """Follows references; of an optional object, the object; and of an array its items."""
    if "$ref" in field:
        return _resolved(root["$defs"][field["$ref"].rsplit("/", 1)[-1]], root)
    kinds = [_resolved(kind, root) for kind in field.get("anyOf", [])]
    objects = [kind for kind in kinds if "properties" in kind]
    if objects:
        return objects[0]
    if "items" in field:
        return {**field, "items": _resolved(field["items"], root)}
    return {**field, "anyOf": kinds} if kinds else field
