"""Scores over samples: of one subject, across models, and of pairs."""

from typing import Annotated, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from app.domain.measures import MeasureName
from app.domain.results.subjects import OfPairing


class Histogram(TypedDict):
    """Counts of the defined scores in equal bins over [low, high], the last one closed."""

    low: float
    high: float
    counts: list[int]


class Summary(TypedDict):
    """One measure's view of one subject (null: of a pairing of them), over one group of samples."""

    measure: MeasureName
    view: str
    model_id: str | None
    subject: NotRequired[OfPairing]
    similarity: NotRequired[
        Annotated[
            str,
            Field(
                description="Of agreement with given maps: by what. Behind it the view has the map set: `cc@1` is with "
                "the first of `map_sets`, `cc@rest` with the mean of all but the subject's own."
            ),
        ]
    ]
    group_by: Annotated[str, Field(description="`total`, `label` or `source`.")]
    group: Annotated[str, Field(description="Of the total `macro` (every source alike) or `micro` (every sample).")]
    n: Annotated[int, Field(description="Samples that have a score.")]
    n_undefined: int
    n_clusters: NotRequired[Annotated[int, Field(description="Clusters that they are of, where there are any.")]]
    mean: float | None
    std: Annotated[float | None, Field(description="Population standard deviation over samples.")]
    p05: float | None
    p25: float | None
    p50: float | None
    p75: float | None
    p95: float | None
    histogram: Histogram
    ci95_low: Annotated[float | None, Field(description="Of the mean; null too where the samples are too few.")]
    ci95_high: float | None
    control_mean: Annotated[
        float | None,
        Field(description="The same comparison without undoing the view; of pairs and given maps, of another sample."),
    ]
    flip_rate: Annotated[float | None, Field(description="Share of predictions that are not the clean image's.")]
    n_flipped: NotRequired[
        Annotated[int, Field(description="Binary outputs: samples whose prediction flips in some condition.")]
    ]
    mean_kept: NotRequired[Annotated[float | None, Field(description="Mean over the samples that keep theirs.")]]
    mean_flipped: NotRequired[Annotated[float | None, Field(description="Mean over those that do not.")]]
    above_control_low: NotRequired[
        Annotated[float | None, Field(description="95% interval of the mean of score minus control, sample by sample.")]
    ]
    above_control_high: NotRequired[float | None]
    skill: NotRequired[
        Annotated[float | None, Field(description="How far the score stands above its control: 1 is all the way.")]
    ]
    skill_low: NotRequired[float | None]
    skill_high: NotRequired[float | None]
    centre_slope: NotRequired[
        Annotated[float | None, Field(description="How far the salience's centre moved, over how far it should have.")]
    ]
    specificity: NotRequired[
        Annotated[float | None, Field(description="The skill of a sample's own map over that of another sample.")]
    ]
    says_nothing: Annotated[
        list[str], Field(description="Why this number does not count, by code; empty where it does.")
    ]


class AcrossModels(TypedDict):
    """Mean and spread over an audit's models of their total means."""

    measure: MeasureName
    view: str
    group_by: str
    group: str
    n_models: int
    mean: float | None
    std: float | None
    min: float
    max: float
    ci95_low: float | None
    ci95_high: float | None
    says_nothing: list[str]


class PairReport(TypedDict):
    """A pairing by pair: the matrix of mean scores, and the one that stands apart."""

    model_ids: list[str]
    subjects: NotRequired[list[str]]
    pair_means: list[list[float | None]]
    mean_to_others: list[float | None]
    apart_model_id: str | None
    apart_subject: NotRequired[str | None]
