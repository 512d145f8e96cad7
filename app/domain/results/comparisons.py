"""The document that a comparison leaves, down to the numbers; null is a number that is not defined.

TypedDicts, as those of an audit (`app.domain.results.documents`).
"""

from typing import Annotated, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from app.domain.measures import MeasureName
from app.domain.results.findings import Finding
from app.domain.results.origins import DifferingOrigin
from app.domain.results.ranks import MethodRanks
from app.domain.results.subjects import AuditedModel
from app.domain.results.summaries import AcrossModels

Silences = Annotated[list[str], Field(description="Why this number does not count, by code; empty where it does.")]


class SideTotal(TypedDict):
    """The macro total of one measure's view over the samples that the side scored."""

    measure: MeasureName
    view: str
    n: int
    n_undefined: int
    mean: float | None
    ci95_low: float | None
    ci95_high: float | None
    says_nothing: Silences


class Side(TypedDict):
    """An audit or a model, its radar and its macro totals."""

    audit_id: str
    audit_name: str | None
    models: list[AuditedModel]
    across_models: Annotated[
        list[AcrossModels], Field(description="Spread over the models, as in the audit's results.")
    ]
    radar: Annotated[
        dict[str, float | None],
        Field(
            description="Five axes in [0, 1], higher is better; null where the audit does not measure it.",
            examples=[{"entropy": 0.12, "noise_reaction": 0.56, "geometric_resilience": 0.8, "stability": None}],
        ),
    ]
    totals: list[SideTotal]


class DifferenceRow(TypedDict):
    """Second side minus first, over the samples that both scored. Tests are of the macro totals only."""

    first: Annotated[int, Field(description="Place in `sides`.")]
    second: int
    measure: MeasureName
    view: str
    group_by: str
    group: str
    n: int
    n_undefined: int
    mean_first: float | None
    mean_second: float | None
    difference: float | None
    ci95_low: Annotated[float | None, Field(description="Null too where the samples are too few for an interval.")]
    ci95_high: float | None
    p_value: float | None
    p_method: Annotated[str | None, Field(description="`exact`, `monte-carlo` or `normal`.")]
    p_holm: Annotated[float | None, Field(description="Corrected for all tests of the comparison.")]
    favours: Annotated[int | None, Field(description="The better side, where `p_holm` is under `alpha`.")]
    says_nothing: Annotated[
        list[str],
        Field(
            description="Why this difference does not count, by code: what silences either side's number, or "
            "`runs-overlap`; empty where it does."
        ),
    ]


class DifferingSample(TypedDict):
    """One sample, and what both sides scored in it."""

    sample: str
    sample_id: str
    label: str | None
    source: str | None
    score_first: float
    score_second: float
    difference: float


class DifferingSamples(TypedDict):
    """The samples in which two sides differ most, by a headline measure."""

    first: int
    second: int
    measure: MeasureName
    view: str
    samples: list[DifferingSample]


class ComparisonStatistics(TypedDict):
    """Interval, seed, test, correction and the size of its family."""

    difference: str
    interval: str
    cluster: NotRequired[
        Annotated[str | None, Field(description="The column of what is resampled together, null where samples are.")]
    ]
    clusters: NotRequired[int | None]
    seed: int
    resamples: int
    test: str
    draws: int
    correction: str
    family_size: int
    alpha: float
    lower_is_better: list[str]


class ComparisonResults(TypedDict):
    """The tables of a comparison."""

    protocol_digest: str
    dataset_digest: str | None
    sample_count: int
    notes: NotRequired[Annotated[list[str], Field(description="What to know before the numbers are read.")]]
    made_differently: NotRequired[
        Annotated[
            list[DifferingOrigin],
            Field(
                description="What the audits were not made alike with, such as the processor; empty where they were."
            ),
        ]
    ]
    statistics: ComparisonStatistics
    sides: list[Side]
    radar: Annotated[dict[str, str], Field(description="How each axis is made of the measures.")]
    differences: list[DifferenceRow]
    most_different_samples: list[DifferingSamples]
    method_ranks: NotRequired[
        Annotated[
            list[MethodRanks],
            Field(
                description="By model, where models are sides under two CAM methods or more: how they rank under each."
            ),
        ]
    ]
    findings: NotRequired[
        Annotated[list[Finding], Field(description="What to know first: whether the verdict survives the method.")]
    ]
