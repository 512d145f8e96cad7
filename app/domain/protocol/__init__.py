"""The protocol: the frozen choice of every parameter of an audit, with a digest."""

from app.domain.protocol.measures import MeasureSettings
from app.domain.protocol.presets import PRESETS
from app.domain.protocol.request import ProtocolRequest
from app.domain.protocol.resolved import MIN_MICRO_BATCH, Protocol
from app.domain.protocol.salience import SalienceSettings

__all__ = ["MIN_MICRO_BATCH", "PRESETS", "MeasureSettings", "Protocol", "ProtocolRequest", "SalienceSettings"]
