"""The documents that an audit leaves: what it was about, and what its scores say.

TypedDicts, since the documents are stored as JSON and read far more often than they are made: a type costs nothing
when a document of many thousand rows is read. Null is a number that is not defined.
"""

from typing import Annotated, Any, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from app.domain.results.curves import DeformationCurve, MoveCurve, NoiseCurve
from app.domain.results.enough import Sufficiency
from app.domain.results.findings import Finding
from app.domain.results.map_places import WhereMapsLie
from app.domain.results.performance import Performance
from app.domain.results.ranks import MethodRanks, ModelDifference
from app.domain.results.subjects import AuditedMapSet, AuditedModel
from app.domain.results.summaries import AcrossModels, PairReport, Summary
from app.domain.results.twins import Sanity


class TrainingImages(TypedDict):
    """How many of the samples a model may have been trained on."""

    audited: int
    of_training_splits: int
    like_training_images: Annotated[
        int, Field(description="Of other splits, but near-duplicates of a training image of the data set.")
    ]


class ResultsHead(TypedDict):
    """What an audit was about."""

    audit_id: str
    protocol: dict[str, Any]
    protocol_digest: str
    dataset_digest: str | None
    sample_count: int
    split: NotRequired[str | None]
    cluster: NotRequired[
        Annotated[str | None, Field(description="The column of the manifest whose values intervals draw together.")]
    ]
    notes: NotRequired[list[str] | None]
    training_images: NotRequired[TrainingImages]
    run_group_id: NotRequired[str | None]
    models: list[AuditedModel]
    map_sets: NotRequired[list[AuditedMapSet]]
    software: Annotated[
        dict[str, str] | None, Field(description="Versions that the scores were made with, and the processor.")
    ]


class ResultsNumbers(TypedDict):
    """What its scores say."""

    summaries: list[Summary]
    across_models: list[AcrossModels]
    stability: PairReport | None
    agreement: NotRequired[
        Annotated[PairReport | None, Field(description="Of a model's CAM methods; null where it was not asked for.")]
    ]
    class_separation: NotRequired[
        Annotated[PairReport | None, Field(description="Of a model's two classes; null where it was not asked for.")]
    ]
    sanity: NotRequired[
        Annotated[list[Sanity], Field(description="Of every model; empty where no random twin was asked for.")]
    ]
    model_differences: NotRequired[
        Annotated[list[ModelDifference], Field(description="Of models under each of several methods; empty under one.")]
    ]
    method_ranks: NotRequired[
        Annotated[
            list[MethodRanks], Field(description="Whether models rank alike under several methods; empty under one.")
        ]
    ]
    performance: list[Performance]
    performance_reason: Annotated[str | None, Field(description="Why there is no performance.")]
    performance_labels: NotRequired[
        Annotated[dict[str, Any] | None, Field(description="How labels met classes, and which class each became.")]
    ]
    noise_curves: list[NoiseCurve]
    deformation_curves: NotRequired[list[DeformationCurve]]
    move_curves: NotRequired[list[MoveCurve]]
    sufficiency: NotRequired[list[Sufficiency]]
    where_maps_lie: NotRequired[list[WhereMapsLie]]
    compared_at_input_resolution: Annotated[
        list[str], Field(description="Models whose maps are too small for an SSIM window.")
    ]


class ResultsDocument(ResultsHead, ResultsNumbers):
    """What an audit found."""

    findings: Annotated[list[Finding], Field(description="What to know first, the gravest first.")]


class PartialResultsDocument(ResultsDocument):
    """The same before the end."""

    partial: bool
    samples_done: int
