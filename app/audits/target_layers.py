"""Where a protocol takes a model's salience, as the model's probe knows it."""

from dataclasses import dataclass

from app.db.tables import ModelRow
from app.domain.protocol import Protocol


@dataclass(frozen=True)
class TargetLayer:
    """Channels of the feature map, and the size of the salience map made from it."""

    channels: int
    height: int
    width: int


def target_layer(model: ModelRow, protocol: Protocol) -> TargetLayer:
    """The layer that the protocol names, else the one that the probe resolved."""
    probe, wanted = model.probe or {}, protocol.salience.target_layer
    named = (layer for layer in probe["candidate_layers"] if layer["name"] == wanted)
    layer = next(named, None)
    if layer is None:
        layer = {name: probe[f"map_{name}"] for name in ("channels", "height", "width")}
    height, width = layer["height"], layer["width"]
    if protocol.salience.method.at_input_resolution:
        height = width = model.preprocessing["input_size"]
    return TargetLayer(layer["channels"], height, width)
