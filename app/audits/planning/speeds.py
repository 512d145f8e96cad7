"""What the probe of a model measured of its speed, and what that says of a method's cost."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from app.db.tables import ModelRow
from app.domain.protocol import Protocol
from app.domain.vocabulary import CamMethod, DeviceClass

HEAD = "seconds_per_head"
"""Depends on the layer: what is behind an earlier one is more."""


@dataclass(frozen=True)
class Speeds:
    """Seconds of one model by name (`worker.weights.speed`), as far as they are known where a protocol asks."""

    model: ModelRow
    device_class: DeviceClass
    known: Mapping[str, float]
    is_of_device: bool
    is_of_layer: bool

    @classmethod
    def of(cls, model: ModelRow, protocol: Protocol, device_class: DeviceClass) -> Self:
        probe: dict[str, Any] = model.probe or {}
        speed = probe.get("speed") or {}
        is_of_device = speed.get("device_class") == device_class
        is_of_layer = protocol.salience.target_layer in {None, probe.get("target_layer")}
        known = {
            name: float(value) for name, value in speed.items() if name.startswith("seconds_") and value is not None
        }
        if not is_of_layer:
            known.pop(HEAD, None)
        return cls(model, device_class, known if is_of_device else {}, is_of_device, is_of_layer)

    def seconds(self, asked: Mapping[str, float]) -> float | None:
        """``asked`` is how often, by name; None where one is not known."""
        needed = {name: count for name, count in asked.items() if count}
        if not needed.keys() <= self.known.keys():
            return None
        return sum(count * self.known[name] for name, count in needed.items())

    def why_unknown(self, asked: Mapping[str, float], method: CamMethod) -> str | None:
        """In a sentence; None where it is known."""
        if self.seconds(asked) is not None:
            return None
        if not self.is_of_device:
            return f"The probe of the model {self.model.id} measured no speed on the device class {self.device_class}."
        if asked[HEAD] and not self.is_of_layer:
            return f"Layers that {method} asks again were timed behind the model's default target layer alone."
        return f"An earlier version timed the model {self.model.id}, and not what {method} asks for: upload it again."
