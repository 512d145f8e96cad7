"""``GET /v1/protocols``: the presets and every option with its range and default."""

from typing import Any

from pydantic import BaseModel, Field

from app.domain.cam_methods import CAM_METHODS
from app.domain.measures import MEASURES, MeasureName
from app.domain.protocol import PRESETS, Protocol, ProtocolRequest
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


class Protocols(BaseModel):
    """What an audit can be asked for."""

    presets: dict[str, dict[str, Any]]
    options: list[ProtocolOption]
    measures: list[MeasureName]
    cam_methods: list[CamMethod]
    cam_method_notes: list[CamMethodInfo]
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
        views=[column.view for column in columns],
    )


def _note(method: CamMethod) -> CamMethodInfo:
    spec = CAM_METHODS[method]
    return CamMethodInfo(method=method, computed_by=spec.computed_by, note=spec.note)


def _options(schema: dict[str, Any], root: dict[str, Any], defaults: Any, path: str) -> list[ProtocolOption]:
    """Leaves of the schema, each with the value that the default preset gives it."""
    found: list[ProtocolOption] = []
    for name, field in schema.get("properties", {}).items():
        inner = _resolved(field, root)
        default = defaults.get(name) if isinstance(defaults, dict) else None
        if "properties" in inner:
            found += _options(inner, root, default, f"{path}{name}.")
        else:
            shown = {key: value for key, value in inner.items() if key not in {"default", "title"}}
            found.append(ProtocolOption(path=f"{path}{name}", default=default, schema=shown))
    return found


def _resolved(field: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    """Follows references; of an optional object, the object."""
    if "$ref" in field:
        return _resolved(root["$defs"][field["$ref"].rsplit("/", 1)[-1]], root)
    kinds = [_resolved(kind, root) for kind in field.get("anyOf", [])]
    objects = [kind for kind in kinds if "properties" in kind]
    if objects:
        return objects[0]
    return {**field, "anyOf": kinds} if kinds else field
