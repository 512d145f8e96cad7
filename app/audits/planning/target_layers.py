"""Where a protocol takes a model's salience, as the model's probe knows it."""

from dataclasses import dataclass
from typing import Any

from app.db.tables import ModelRow
from app.domain.maps.cam_methods import CAM_METHODS
from app.domain.models.input_size import size_of
from app.domain.protocol import Protocol
from app.domain.vocabulary import CamMethod


@dataclass(frozen=True)
class TargetLayer:
    """Channels of the feature map, and the size of the salience map made from it."""

    channels: int
    height: int
    width: int

    @property
    def cells(self) -> int:
        return self.height * self.width


def target_layer(model: ModelRow, protocol: Protocol) -> TargetLayer:
    """The layer that the protocol names, else the one that the probe resolved."""
    probe = model.probe or {}
    wanted = protocol.salience.target_layer or probe["target_layer"]
    named = (layer for layer in probe["candidate_layers"] if layer["name"] == wanted)
    layer = next(named, None) or _resolved(probe)
    height, width = layer["height"], layer["width"]
    if CAM_METHODS[protocol.salience.method].at_input_resolution:
        height, width = size_of(model.preprocessing["input_size"])
    return TargetLayer(layer["channels"], height, width)


def possible_methods(model: ModelRow, protocol: Protocol) -> tuple[CamMethod, ...]:
    """CAM methods that can explain the model where the protocol wants it; all, where its probe was made before such
    were told.
    """
    probe = model.probe or {}
    wanted = protocol.salience.target_layer
    if wanted is None or wanted == probe["target_layer"]:
        return tuple(map(CamMethod, probe.get("cam_methods") or CamMethod))
    refused = next((layer.get("not_possible") for layer in probe["candidate_layers"] if layer["name"] == wanted), None)
    return tuple(method for method in CamMethod if method not in (refused or ()))


def _resolved(probe: dict[str, Any]) -> dict[str, int]:
    """A tensor that no module put out. Probes made before channels were kept count one: only estimates use it."""
    channels = probe.get("map_channels", 1)
    return {"channels": channels, "height": probe["map_height"], "width": probe["map_width"]}
