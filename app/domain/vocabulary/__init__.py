"""The closed sets of words that the API, the database and the worker share."""

from app.domain.vocabulary.maps import MapDoubt, MapSetKind
from app.domain.vocabulary.models import Layout, ModelFormat, Origin, OutputKind, Resize
from app.domain.vocabulary.places import SCHEME, ConnectionKind, DeviceClass, SandboxLayer
from app.domain.vocabulary.salience import CamMethod, Explained, SalienceTarget, Weights
from app.domain.vocabulary.scores import (
    ACROSS_MODELS,
    CLEAN,
    ClassScore,
    ComparisonUnit,
    GroupBy,
    Reasons,
    UndefinedReason,
)
from app.domain.vocabulary.states import (
    ENDED,
    LIVE,
    TAKEN,
    AuditStatus,
    DeliveryStatus,
    OwedStatus,
    ResourceStatus,
    RunStage,
    SampleStatus,
    ShardStatus,
)

__all__ = [
    "ACROSS_MODELS",
    "CLEAN",
    "ENDED",
    "LIVE",
    "SCHEME",
    "TAKEN",
    "AuditStatus",
    "CamMethod",
    "ClassScore",
    "ComparisonUnit",
    "ConnectionKind",
    "DeliveryStatus",
    "DeviceClass",
    "Explained",
    "GroupBy",
    "Layout",
    "MapDoubt",
    "MapSetKind",
    "ModelFormat",
    "Origin",
    "OutputKind",
    "OwedStatus",
    "Reasons",
    "Resize",
    "ResourceStatus",
    "RunStage",
    "SalienceTarget",
    "SampleStatus",
    "SandboxLayer",
    "ShardStatus",
    "UndefinedReason",
    "Weights",
]
