"""The documents that an audit and a comparison leave: what stands in them, down to the numbers.

TypedDicts, since the documents are stored as JSON and read far more often than they are made: a type costs nothing
when a document of many thousand rows is read. Null is a number that is not defined.
"""

from typing import Annotated, Any, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from app.domain.measures import MeasureName
from app.domain.results.findings import Finding

OfSubject = Annotated[
    str,
    Field(
        description="What gave the maps, within the audit: of the leading CAM method the model's id, else the id and "
        "the method. Absent in results of earlier versions, in which it is the model's id."
    ),
]
OfPairing = Annotated[str | None, Field(description="As in `models` and `map_sets`; null of a pairing.")]


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


class Roc(TypedDict):
    """The corners of a ROC curve; the threshold above every score is null."""

    fpr: list[float]
    tpr: list[float]
    threshold: NotRequired[list[float | None]]


class LabelAccuracy(TypedDict):
    """Of one label."""

    n: int
    accuracy: float | None


class Performance(TypedDict):
    """How well a model classifies the images of one condition."""

    condition: Annotated[str, Field(description="`clean`, or the name of a view.")]
    model_id: str
    subject: NotRequired[OfSubject]
    n: int
    accuracy: float | None
    balanced_accuracy: NotRequired[
        Annotated[float | None, Field(description="Mean over the labels of the share that is recognised.")]
    ]
    by_label: NotRequired[Annotated[dict[str, LabelAccuracy] | None, Field(description="Null for very many labels.")]]
    auroc: float | None
    roc: Roc | None
    auroc_by_class: NotRequired[dict[str, float | None]]


class CurvePoint(TypedDict):
    """Scores and decisions under one view of a curve."""

    mean: float | None
    std: float | None
    ci95_low: float | None
    ci95_high: float | None
    n: int
    flip_rate: float | None
    auroc: float | None
    accuracy: float | None


class NoisePoint(CurvePoint):
    """One amount of the noise curve."""

    amount: float


class NoiseCurve(TypedDict):
    """Scores and decisions of one model as the noise grows."""

    model_id: str
    subject: NotRequired[OfSubject]
    clean_auroc: float | None
    points: list[NoisePoint]
    area: float | None


class DeformationPoint(CurvePoint):
    """One severity of a deformation."""

    severity: int


class DeformationCurve(TypedDict):
    """Scores and decisions of one model as one deformation grows."""

    model_id: str
    subject: NotRequired[OfSubject]
    kind: Annotated[str, Field(description="As in `measures.noise_reaction.deformations`.")]
    clean_auroc: float | None
    points: list[DeformationPoint]
    area: Annotated[float | None, Field(description="Mean height over the severities; null of a single one.")]


class MovePoint(CurvePoint):
    """One number of a move."""

    number: float
    control_mean: Annotated[float | None, Field(description="Of the same scores without carrying the maps back.")]


class MoveCurve(TypedDict):
    """Scores and decisions of one model as one move grows."""

    model_id: str
    subject: NotRequired[OfSubject]
    kind: Annotated[str, Field(description="As in `measures.geometric_resilience.deformations`.")]
    clean_auroc: float | None
    points: list[MovePoint]
    area: Annotated[float | None, Field(description="Mean height over the numbers; null of a single one.")]


class AuditedModel(TypedDict):
    """A model of the audit; where it asked for several CAM methods, a model under one of them."""

    model_id: str
    subject: NotRequired[OfSubject]
    method: NotRequired[Annotated[str, Field(description="The CAM method that made its maps.")]]
    name: str
    digest: str | None
    fidelity: NotRequired[
        Annotated[
            dict[str, Any] | None,
            Field(description="How predictions of its owner's own code agreed when the audit ended; null without any."),
        ]
    ]


class AuditedMapSet(TypedDict):
    """A map set of the audit; ``view@2`` of agreement is of the second of them."""

    map_set_id: str
    subject: Annotated[str, Field(description="As summaries and scores name it.")]
    name: str
    kind: str
    digest: str | None
    views: list[str]


class MapGroup(TypedDict):
    """The maps of one model over one group of samples: means over them, and the map of means and of spread."""

    group_by: Annotated[str, Field(description="`total`, `label`, `predicted`, `source`, `split` or `prediction`.")]
    group: str
    n: int
    n_undefined: int
    mean_map: NotRequired[list[list[float]]]
    spread_map: NotRequired[list[list[float]]]
    entropy: NotRequired[float | None]
    border_share: NotRequired[
        Annotated[float | None, Field(description="Share of the salience in the outer ring of cells.")]
    ]
    border_ratio: NotRequired[
        Annotated[float | None, Field(description="That share over the ring's share of the area.")]
    ]
    centre_down: NotRequired[Annotated[float | None, Field(description="Centre of mass; 0.5 is the middle.")]]
    centre_right: NotRequired[float | None]
    fixedness: NotRequired[
        Annotated[
            float | None,
            Field(description="Mean correlation of a map with the mean of the others of its predicted class."),
        ]
    ]


class MapCluster(TypedDict):
    """One kind of maps within a class."""

    share: float
    mean_map: list[list[float]]
    samples: NotRequired[Annotated[list[str], Field(description="Ids of a few, drawn by the audit's seed.")]]


class MapClusters(TypedDict):
    """The kinds of maps within a predicted class; null where two halves do not show the same."""

    predicted: str
    n: Annotated[int, Field(description="Maps that were clustered, drawn by the audit's seed.")]
    clusters: list[MapCluster] | None
    agreement: Annotated[float | None, Field(description="Adjusted Rand index of two halves' clusters.")]
    note: str | None
    samples: NotRequired[
        Annotated[list[str], Field(description="Ids of a few of the class, drawn by the audit's seed.")]
    ]


class MapPlaces(TypedDict):
    """Where maps lie."""

    cells: Annotated[list[int], Field(description="Height and width of its maps.")]
    border_area: float
    groups: list[MapGroup]
    clusters: list[MapClusters]


class WhereMapsLie(MapPlaces):
    """Of one model."""

    model_id: str
    subject: NotRequired[OfSubject]


class SufficiencyOfLabel(TypedDict):
    """Of one label's samples."""

    n: int
    unchanged: dict[str, list[float] | None]
    area_90: float | None


class EnoughReport(TypedDict):
    """How much of an image is enough for a prediction to stay."""

    fill: str
    shares: list[float]
    n: Annotated[int, Field(description="Samples whose class is not what the fill alone gives.")]
    unchanged: Annotated[
        dict[str, list[float] | None], Field(description="Share of them that keep their class, by order and share.")
    ]
    area_90: Annotated[
        float | None, Field(description="The smallest share of the image from which on 90% keep their class.")
    ]
    area_90_random: float | None
    by_label: dict[str, SufficiencyOfLabel]


class Sufficiency(EnoughReport):
    """How much of an image is enough for a model's prediction to stay."""

    model_id: str
    subject: NotRequired[OfSubject]


class TwinDistance(TypedDict):
    """A measure's headline number of a model beside that of its random twin, over the samples that both scored."""

    measure: MeasureName
    view: str
    n: int
    mean: float | None
    random_mean: float | None
    difference: Annotated[float | None, Field(description="The model's minus the twin's.")]
    ci95_low: float | None
    ci95_high: float | None
    better: Annotated[
        bool | None,
        Field(description="Whether the interval lies on the better side of 0; null where there is no interval."),
    ]


class Sanity(TypedDict):
    """A model beside the same network with random weights."""

    model_id: str
    subject: NotRequired[OfSubject]
    entropy_rise: Annotated[
        float | None, Field(description="Of the maps' spatial entropy, over what it was: eMPRT (arXiv 2401.06465).")
    ]
    distances: list[TwinDistance]


class ModelDifference(TypedDict):
    """How far two models lie apart by a headline number under one CAM method."""

    measure: MeasureName
    view: str
    method: str
    model_ids: list[str]
    difference: Annotated[
        float | None, Field(description="The second model's minus the first's, over the samples that both scored.")
    ]
    ci95_low: float | None
    ci95_high: float | None


class MethodRanks(TypedDict):
    """How the models of an audit rank by a headline number under two CAM methods. Models whose paired difference has
    an interval with 0 in it, or none, are ties.
    """

    measure: MeasureName
    view: str
    methods: list[str]
    n_models: Annotated[int, Field(description="That have the number under both.")]
    tau: Annotated[
        float | None, Field(description="Kendall's tau-b of the two rankings; null where one of them ranks nothing.")
    ]
    best_model_ids: Annotated[list[str], Field(description="The best model under each of the methods, by its mean.")]
    reverses: NotRequired[
        Annotated[
            bool,
            Field(description="Whether the best model under each method lies before the other's beyond noise."),
        ]
    ]


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
