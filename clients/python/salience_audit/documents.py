"""What the service answers, field by field. Made by documents_from_openapi.py; not to be changed by hand."""

from __future__ import annotations

from typing import Any, Literal

from salience_audit.document import Document

Alpha = Literal["black", "white", "dropped"]

AuditStatus = Literal["queued", "running", "succeeded", "failed", "cancelled"]

AuthKind = Literal["none", "token", "password"]

CamMethod = Literal[
    "gradcam",
    "gradcam_plus_plus",
    "hirescam",
    "xgradcam",
    "layercam",
    "eigencam",
    "eigengradcam",
    "seg_eigencam",
    "kpca_cam",
    "gradcam_elementwise",
    "fem",
    "shapleycam",
    "scorecam",
    "ablationcam",
    "fullgrad",
    "reciprocam",
    "cam",
    "smooth_gradcam_plus_plus",
    "sscam",
    "iscam",
    "occlusion",
    "integrated_gradients",
    "smoothgrad",
    "attention_rollout",
    "rise",
    "meaningful_perturbation",
]

Channels = Literal["rgb", "bgr", "grey"]

ClassScore = Literal["softmax", "sigmoid"]

Compared = Literal["classes", "logits", "probabilities", "log_probabilities"]

ComparisonUnit = Literal["audit", "model"]

ConnectionKind = Literal["mlflow", "huggingface", "http", "s3", "oci"]

CropOffset = Literal["rounded", "floored"]

DeliveryStatus = Literal["pending", "delivered", "failed"]

DeviceClass = Literal["cpu", "gpu"]

EntropyReading = Literal["spatial", "histogram"]

FidelityStatus = Literal["verified", "contradicted", "unverified"]

HookKind = Literal["mlflow", "huggingface", "oci", "cloudevents", "generic"]

HookOutcome = Literal["pending", "audited", "ignored", "failed"]

Interpolation = Literal["bilinear", "bicubic", "nearest", "lanczos"]

Layout = Literal["nchw", "nhwc", "tokens"]

Level = Literal["exposes", "says-nothing", "note"]

MapSetKind = Literal["human", "gaze", "other"]

MeasureName = Literal[
    "entropy",
    "noise_reaction",
    "geometric_resilience",
    "degradation",
    "stability",
    "equivariance",
    "sufficiency",
    "agreement",
    "sanity",
    "class_separation",
]

ModelFormat = Literal["safetensors", "state_dict", "onnx"]

Needs = Literal["images", "maps"]

Origin = Literal[
    "request",
    "default",
    "file",
    "config.json",
    "preprocessor_config.json",
    "assumed",
    "reference",
    "salience.json",
    "MLmodel",
    "registry",
    "artifact",
]

Outcome = Literal["passed", "inconclusive", "failed"]

OutputKind = Literal["classes", "binary", "multilabel"]

OwedStatus = Literal["queued", "succeeded", "failed"]

Proof = Literal["hmac", "bearer"]

Resize = Literal["stretch", "shorter_side_crop"]

ResourceStatus = Literal["awaiting_content", "fetching", "needs_description", "validating", "ready", "rejected"]

RunStage = Literal["importing", "auditing", "writing", "moving", "logging", "done", "failed"]

SalienceTarget = Literal["predicted", "clean_predicted", "label"]

SampleStatus = Literal["ready", "unreadable", "unexamined"]

Severity = Literal["fail", "warn"]

Similarity = Literal["ssim", "cc", "spearman", "sim", "emd", "iou", "kl", "pointing_game", "nss", "auc_judd"]

SixteenBit = Literal["scaled", "pillow"]

ValueRange = Literal["unit", "signed", "byte"]

VersionEvent = Literal["model_version.created", "model_version_tag.set", "model_version_alias.created"]

WebhookFormat = Literal["standard", "slack", "teams"]

WorkerStatus = Literal["present", "missing"]


class Accepted(Document):
    """What a registry is answered."""

    delivery_id: str
    status: HookOutcome


class AcrossModels(Document):
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


class AgreementSettings(Document):
    """Of a model's CAM methods by SSIM; of every subject with an audit's map sets by ``similarities``."""

    similarities: list[Similarity]
    methods: bool
    map_sets: int


class Attempt(Document):
    """One try to deliver."""

    at: str
    seconds: float
    status_code: int | None
    problem: str | None


class Audit(Document):
    """An audit, its resolved protocol and its progress."""

    id: str
    name: str | None
    description: str | None
    metadata: dict[str, Any]
    tags: list[str]
    status: AuditStatus
    dataset_id: str
    model_ids: list[str]
    map_set_ids: list[str]
    run_group_id: str | None
    protocol: dict[str, Any]
    protocol_digest: str
    device_class: DeviceClass
    replanned: Replanned | None
    sample_count: int
    split: str | None
    stratify: str | None
    label_map: dict[str, str | int | None] | Literal["numeric", "imagefolder"] | None
    group_by: list[str] | None
    cluster: str | None
    notes: list[str]
    progress: Progress
    problem: StoredProblem | None
    gate: FrozenGate | None
    verdict: Outcome | None
    conditions: list[ConditionOutcome] | None
    results_url: str
    report_url: str
    created_at: str
    started_at: str | None
    finished_at: str | None
    scores_removed_at: str | None
    maps_removed_at: str | None


class AuditEstimate(Document):
    """The cost of an audit, by the same plan that would cut it into shards."""

    samples: int
    models: int
    passes_per_image: int
    passes: int
    device_class: DeviceClass
    methods: list[MethodEstimate]
    shard_samples: int
    shards: int
    seconds: float | None
    seconds_unknown_because: str | None
    bytes: int
    protocol: dict[str, Any]
    protocol_digest: str


class AuditVerdict(Document):
    """What an audit's gate says. It is about the models: the audit's `status` stays `succeeded`."""

    audit_id: str
    verdict: Outcome
    warnings: int
    gate: FrozenGate
    conditions: list[ConditionOutcome]
    says_nothing: list[str]


class AuditedMapSet(Document):
    """A map set of the audit; ``view@2`` of agreement is of the second of them."""

    map_set_id: str
    subject: str
    name: str
    kind: str
    digest: str | None
    views: list[str]


class AuditedModel(Document):
    """A model of the audit; where it asked for several CAM methods, a model under one of them."""

    model_id: str
    subject: str | None
    method: str | None
    name: str
    digest: str | None
    fidelity: dict[str, Any] | None


class CamMethodInfo(Document):
    """A CAM method and what it costs."""

    method: CamMethod
    computed_by: str
    note: str


class CandidateLayer(Document):
    """A layer whose output is a feature map."""

    name: str
    channels: int
    height: int
    width: int
    layout: Layout
    grid: list[int]
    prefix_tokens: int
    not_possible: list[CamMethod] | None


class Check(Document):
    """One thing that was tried."""

    what: str
    works: bool
    code: str | None
    detail: str | None


class ClassSeparationSettings(Document):
    """Class separation by SSIM; it has no parameter."""


class Columns(Document):
    """Which columns are what, or where labels are found that stand in no column."""

    file: str | None
    path: str | None
    label: str | None
    one_hot: list[str] | None
    source: str | None
    split: str | None
    cluster: str | None
    groups: list[str] | None
    names: str | None
    beside: Literal["webdataset", "yolo"] | None


class Comparison(Document):
    """A comparison; `results` null until it has `succeeded`."""

    id: str
    name: str | None
    description: str | None
    metadata: dict[str, Any]
    tags: list[str]
    by: ComparisonUnit
    status: OwedStatus
    audit_ids: list[str]
    model_ids: list[str] | None
    problem: StoredProblem | None
    created_at: str
    finished_at: str | None
    report_url: str
    results: ComparisonResults | None


class ComparisonResults(Document):
    """The tables of a comparison."""

    protocol_digest: str
    dataset_digest: str | None
    sample_count: int
    notes: list[str] | None
    made_differently: list[DifferingOrigin] | None
    statistics: ComparisonStatistics
    sides: list[Side]
    radar: dict[str, str]
    differences: list[DifferenceRow]
    most_different_samples: list[DifferingSamples]
    method_ranks: list[MethodRanks] | None
    findings: list[Finding] | None


class ComparisonStatistics(Document):
    """Interval, seed, test, correction and the size of its family."""

    difference: str
    interval: str
    cluster: str | None
    clusters: int | None
    seed: int
    resamples: int
    test: str
    draws: int
    correction: str
    family_size: int
    alpha: float
    lower_is_better: list[str]


class ComparisonSummary(Document):
    """A comparison without its tables."""

    id: str
    name: str | None
    description: str | None
    metadata: dict[str, Any]
    tags: list[str]
    by: ComparisonUnit
    status: OwedStatus
    audit_ids: list[str]
    model_ids: list[str] | None
    problem: StoredProblem | None
    created_at: str
    finished_at: str | None
    report_url: str


class ConditionOutcome(Document):
    """One condition, judged."""

    condition: str
    severity: Severity
    outcome: Outcome
    subject: str | None
    value: float | None
    baseline_value: float | None
    difference: float | None
    ci95_low: float | None
    ci95_high: float | None
    threshold: float | None
    says_nothing: list[str] | None
    explanation: str


class Connection(Document):
    """A connection, without its secrets."""

    id: str
    name: str
    kind: ConnectionKind
    url: str
    auth: AuthKind
    created_at: str
    updated_at: str


class ConnectionTest(Document):
    """What works over a connection, in words."""

    works: bool
    checks: list[Check]


class Dataset(Document):
    """An archive of images and what indexing it found."""

    id: str
    name: str
    version: str | None
    description: str | None
    metadata: dict[str, Any]
    tags: list[str]
    aliases: list[str]
    status: ResourceStatus
    problem: StoredProblem | None
    content_url: str
    content_digest: str | None
    content_size: int | None
    digest: str | None
    sample_count: int
    unreadable_count: int
    labels: list[str]
    sources: list[str]
    splits: list[str]
    columns: Columns | None
    label_map: dict[str, str | int | None] | Literal["numeric", "imagefolder"] | None
    name_encoding: str | None
    skipped: dict[str, int]
    near_duplicates: NearDuplicates | None
    notes: list[str]
    source: FetchedDataset | None
    created_at: str
    updated_at: str


class Deformation(Document):
    """A deformation at some of its five severities."""

    kind: Literal[
        "gaussian_noise",
        "shot_noise",
        "impulse_noise",
        "impulse_noise_per_pixel",
        "speckle_noise",
        "gaussian_blur",
        "defocus_blur",
        "glass_blur",
        "motion_blur",
        "zoom_blur",
        "snow",
        "frost",
        "fog",
        "spatter",
        "brightness",
        "contrast",
        "saturate",
        "pixelate",
        "jpeg_compression",
        "occlusion",
        "turbulence",
    ]
    severities: list[int]


class DeformationCurve(Document):
    """Scores and decisions of one model as one deformation grows."""

    model_id: str
    subject: str | None
    kind: str
    clean_auroc: float | None
    points: list[DeformationPoint]
    area: float | None


class DeformationInfo(Document):
    """A deformation that `measures.noise_reaction.deformations` can name."""

    kind: Literal[
        "gaussian_noise",
        "shot_noise",
        "impulse_noise",
        "impulse_noise_per_pixel",
        "speckle_noise",
        "gaussian_blur",
        "defocus_blur",
        "glass_blur",
        "motion_blur",
        "zoom_blur",
        "snow",
        "frost",
        "fog",
        "spatter",
        "brightness",
        "contrast",
        "saturate",
        "pixelate",
        "jpeg_compression",
        "occlusion",
        "turbulence",
    ]
    numbers: list[str]
    by_severity: list[list[float]]
    made_by: str
    is_random: bool
    reference: str


class DeformationPoint(Document):
    """One severity of a deformation."""

    mean: float | None
    std: float | None
    ci95_low: float | None
    ci95_high: float | None
    n: int
    flip_rate: float | None
    auroc: float | None
    accuracy: float | None
    severity: int


class DegradationSettings(Document):
    """S_D; sigma = sigma_max * ((10 - v) / 10) ** curve, which is (10 - v)^4 / 1000 by default."""

    sigma_max: float
    curve: Literal[1, 2, 3, 4]
    exact: bool


class Delivery(Document):
    """One event on its way to one webhook."""

    id: str
    message_id: str
    event: str
    status: DeliveryStatus
    attempts: list[Attempt]
    next_attempt_at: str | None
    created_at: str
    finished_at: str | None
    body: dict[str, Any]


class Described(Document):
    """A field's value and where it is from."""

    value: Any
    note: str | None


class DifferenceRow(Document):
    """Second side minus first, over the samples that both scored. Tests are of the macro totals only."""

    first: int
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
    ci95_low: float | None
    ci95_high: float | None
    p_value: float | None
    p_method: str | None
    p_holm: float | None
    favours: int | None
    says_nothing: list[str]


class DifferingOrigin(Document):
    """One thing that differs, and how it was for each audit that says so."""

    name: str


class DifferingSample(Document):
    """One sample, and what both sides scored in it."""

    sample: str
    sample_id: str
    label: str | None
    source: str | None
    score_first: float
    score_second: float
    difference: float


class DifferingSamples(Document):
    """The samples in which two sides differ most, by a headline measure."""

    first: int
    second: int
    measure: MeasureName
    view: str
    samples: list[DifferingSample]


class DryRun(Document):
    """What would follow, without anything being started."""

    matches: bool
    reason: str
    model: str | None
    version: str | None


class EntropySettings(Document):
    """S_E; both readings are always computed, the headline leads tables and comparisons."""

    headline: EntropyReading


class EquivarianceSettings(Document):
    """``cells``: by how many cells of the map the image is moved, in each of four directions."""

    quarter_turns: bool
    cells: list[Literal[1, 2, 3]]


class EventMapping(Document):
    """Where an event says which version it is about, and what proves it."""

    name: str
    version: str
    only: dict[str, str] | None
    alias: str | None
    tags: str | None
    source: str | None
    below: str | None
    proof: Proof
    header: str


class FetchedDataset(Document):
    """Where a data set comes from, and what was found there."""

    connection_id: str | None
    uri: str
    name: str | None
    version: str | None
    file: str | None
    by_reference: bool


class FetchedSource(Document):
    """Where a model comes from, and what was found there."""

    connection_id: str | None
    uri: str
    name: str | None
    version: str | None
    file: str | None


class Fidelity(Document):
    """How the owner's predictions agree with what is computed here."""

    status: FidelityStatus
    images: int
    agreeing: int
    predicted_classes: int
    compared: Compared | None
    largest_difference: float | None
    bound: float | None
    suggestion: str | None
    suggested_change: dict[str, Any] | None
    problem: dict[str, Any] | None


class Finding(Document):
    """Something that a reader of the results should know."""

    code: str
    level: Level
    measure: str | None
    text: str
    evidence: dict[str, Any]


class FindingSettings(Document):
    """When a number is a sign of a shortcut. Each default lies between the planted cheats and the honest networks of docs/measures.md."""

    harmless_views: list[str]
    accuracy_fall: float
    border_ratio: float
    fixedness: float
    off_centre: float
    focus_difference: float
    focus_border_ratio: float
    sufficient_share: float
    arrangement_left: float
    colour_fall: float
    detail_fall: float
    same_map: float
    above_control: float
    method_tau: float
    least_samples: int


class Findings(Document):
    """The gravest first."""


class FoundRegression(Document):
    """A headline number that is worse than that of the version before: the same samples, in pairs, corrected."""

    version: str | None
    before_version: str | None
    model_id: str
    before_model_id: str
    audit_id: str
    before_audit_id: str
    comparison_id: str
    number: str
    measure: str
    view: str
    before: float | None
    after: float | None
    difference: float | None
    ci95_low: float | None
    ci95_high: float | None
    p_holm: float | None
    n: int


class FrozenGate(Document):
    """A gate as it was when an audit was asked for: what happens to the gate later changes nothing."""

    gate_id: str
    name: str
    conditions: list[str]
    digest: str
    baseline_audit_id: str | None


class Gate(Document):
    """A gate."""

    id: str
    name: str
    version: str | None
    description: str | None
    metadata: dict[str, Any]
    tags: list[str]
    aliases: list[str]
    conditions: list[str]
    digest: str
    created_at: str


class GeometricResilienceSettings(Document):
    """S_G; ``shift_pixels`` null means round(side / 14), of the height up and down, of the width left and right."""

    quarter_turns: bool
    shift_pixels: int | None
    overlap: bool
    groups: list[Literal["shifts", "flips", "rotations"]]
    deformations: list[Move]


class GivenMap(Document):
    """One map as it came, or what came and is none."""

    id: str
    name: str
    sample_id: str | None
    view: str
    status: SampleStatus
    height: int | None
    width: int | None
    fixations: int | None
    problem: StoredProblem | None


class Health(Document):
    """All is well; anything else is a problem document."""

    status: Literal["ok"]
    notes: list[str] | None


class Histogram(Document):
    """Counts of the defined scores in equal bins over [low, high], the last one closed."""

    low: float
    high: float
    counts: list[int]


class Hook(Document):
    """A hook, without its secret."""

    id: str
    name: str
    kind: HookKind
    connection_id: str | None
    mapping: EventMapping | None
    url: str
    previous_secret_until: str | None
    failing_since: str | None
    refused_since: str | None
    created_at: str


class HookDelivery(Document):
    """One event, and what became of it."""

    id: str
    received_at: str
    event: str
    outcome: HookOutcome
    reason: str | None
    model_id: str | None
    audit_id: str | None


class LabelAccuracy(Document):
    """Of one label."""

    n: int
    accuracy: float | None


class MapCluster(Document):
    """One kind of maps within a class."""

    share: float
    mean_map: list[list[float]]
    samples: list[str] | None


class MapClusters(Document):
    """The kinds of maps within a predicted class; null where two halves do not show the same."""

    predicted: str
    n: int
    clusters: list[MapCluster] | None
    agreement: float | None
    note: str | None
    samples: list[str] | None


class MapGroup(Document):
    """The maps of one model over one group of samples: means over them, and the map of means and of spread."""

    group_by: str
    group: str
    n: int
    n_undefined: int
    mean_map: list[list[float]] | None
    spread_map: list[list[float]] | None
    entropy: float | None
    border_share: float | None
    border_ratio: float | None
    centre_down: float | None
    centre_right: float | None
    fixedness: float | None


class MapSet(Document):
    """Maps of a data set's samples, and what reading them found."""

    id: str
    dataset_id: str
    name: str
    kind: MapSetKind
    version: str | None
    description: str | None
    metadata: dict[str, Any]
    tags: list[str]
    aliases: list[str]
    status: ResourceStatus
    problem: StoredProblem | None
    content_url: str
    content_digest: str | None
    content_size: int | None
    sigma: float | None
    input_size: int | list[int] | None
    digest: str | None
    map_count: int
    unreadable_count: int
    views: list[str]
    notes: list[str]
    created_at: str
    updated_at: str


class Match(Document):
    """Which events it follows."""

    model: str
    events: list[VersionEvent]
    tags: dict[str, str] | None
    aliases: list[str] | None


class MeasureSettings(Document):
    """The measures of an audit; one that is null is not computed."""

    entropy: EntropySettings | None
    noise_reaction: NoiseReactionSettings | None
    geometric_resilience: GeometricResilienceSettings | None
    degradation: DegradationSettings | None
    stability: StabilitySettings | None
    equivariance: EquivarianceSettings | None
    sufficiency: SufficiencySettings | None
    agreement: AgreementSettings | None
    sanity: SanitySettings | None
    class_separation: ClassSeparationSettings | None


class MethodEstimate(Document):
    """What a CAM method adds, of all models together."""

    method: CamMethod
    passes_per_image: int
    seconds: float | None


class MethodRanks(Document):
    """How the models of an audit rank by a headline number under two CAM methods. Models whose paired difference has an interval with 0 in it, or none, are ties."""

    measure: MeasureName
    view: str
    methods: list[str]
    n_models: int
    tau: float | None
    best_model_ids: list[str]
    reverses: bool | None


class Model(Document):
    """A model and what the probe found; what is not known yet is null."""

    id: str
    name: str
    version: str | None
    about: str | None
    tags: list[str]
    aliases: list[str]
    architecture: str | None
    format: ModelFormat | None
    class_names: list[str] | None
    output: Output
    preprocessing: Preprocessing | None
    architecture_options: dict[str, Any]
    head: (
        list[
            Literal[
                "batchnorm",
                "layernorm",
                "prelu",
                "dropout",
                "flatten",
                "identity",
                "relu",
                "relu6",
                "leaky_relu",
                "elu",
                "selu",
                "gelu",
                "silu",
                "mish",
                "hardswish",
                "tanh",
                "sigmoid",
                "softplus",
                "avgpool",
                "maxpool",
                "concatpool",
                "softmax",
                "log_softmax",
            ]
            | dict[str, Any]
        ]
        | None
    )
    target_layer: str | None
    weights_key: str | None
    ignore_tensors: list[str]
    description: dict[str, Described]
    metadata: dict[str, Any]
    source: FetchedSource | None
    missing: list[str]
    status: ResourceStatus
    problem: StoredProblem | None
    content_url: str
    content_digest: str | None
    content_size: int | None
    parameter_count: int | None
    classes: int | None
    map_height: int | None
    map_width: int | None
    candidate_layers: list[CandidateLayer] | None
    in_place_operations: list[str] | None
    final_softmax: bool | None
    cam_methods: list[CamMethod] | None
    speed: Speed | None
    reference_url: str
    reference_digest: str | None
    fidelity: Fidelity | None
    created_at: str
    updated_at: str


class ModelDifference(Document):
    """How far two models lie apart by a headline number under one CAM method."""

    measure: MeasureName
    view: str
    method: str
    model_ids: list[str]
    difference: float | None
    ci95_low: float | None
    ci95_high: float | None


class ModelHistory(Document):
    """The versions of a name, the oldest first."""

    name: str
    versions: list[ModelVersion]
    regressions: list[FoundRegression]
    pending: list[str]


class ModelVersion(Document):
    """One version of the name."""

    version: str | None
    model_id: str
    status: ResourceStatus
    created_at: str
    registered_at: str | None
    audits: list[VersionAudit]


class Move(Document):
    """A move by some numbers."""

    kind: Literal["rotation", "scale", "shear", "perspective", "elastic"]


class MoveCurve(Document):
    """Scores and decisions of one model as one move grows."""

    model_id: str
    subject: str | None
    kind: str
    clean_auroc: float | None
    points: list[MovePoint]
    area: float | None


class MoveInfo(Document):
    """A move that `measures.geometric_resilience.deformations` can name, by any number within its limits."""

    kind: Literal["rotation", "scale", "shear", "perspective", "elastic"]
    number: str
    smallest: float
    largest: float
    still: float
    made_by: str
    is_random: bool
    reference: str | None


class MovePoint(Document):
    """One number of a move."""

    mean: float | None
    std: float | None
    ci95_low: float | None
    ci95_high: float | None
    n: int
    flip_rate: float | None
    auroc: float | None
    accuracy: float | None
    number: float
    control_mean: float | None


class NearDuplicates(Document):
    """Images that look like another one of the data set, by perceptual hashes."""

    images: int
    groups: int
    across_labels: int
    across_splits: int
    with_training_images: int


class NewHook(Document):
    """A hook with its secret, which is told this once."""

    id: str
    name: str
    kind: HookKind
    connection_id: str | None
    mapping: EventMapping | None
    url: str
    previous_secret_until: str | None
    failing_since: str | None
    refused_since: str | None
    created_at: str
    secret: str


class NewWebhook(Document):
    """A webhook with a secret that is told this once."""

    id: str
    url: str
    events: list[str]
    format: WebhookFormat
    description: str | None
    enabled: bool
    disabled_reason: str | None
    paused_until: str | None
    previous_secret_until: str | None
    created_at: str
    secret: str


class NoiseCurve(Document):
    """Scores and decisions of one model as the noise grows."""

    model_id: str
    subject: str | None
    clean_auroc: float | None
    points: list[NoisePoint]
    area: float | None


class NoisePoint(Document):
    """One amount of the noise curve."""

    mean: float | None
    std: float | None
    ci95_low: float | None
    ci95_high: float | None
    n: int
    flip_rate: float | None
    auroc: float | None
    accuracy: float | None
    amount: float


class NoiseReactionSettings(Document):
    """S_N; salt and pepper at ``amount``, the curve of Fig. 4 at further amounts, and other deformations by name."""

    kind: Literal["salt_and_pepper"]
    amount: float
    curve: list[float]
    deformations: list[Deformation]


class Output(Document):
    """How a model's outputs are read."""

    kind: OutputKind
    threshold: float


class PadResizing(Document):
    """The picture becomes as large as it fits in; what is missing is filled, with `mean` by the colour that becomes zero."""

    pad: Literal["black", "white", "mean"]


class PairReport(Document):
    """A pairing by pair: the matrix of mean scores, and the one that stands apart."""

    model_ids: list[str]
    subjects: list[str] | None
    pair_means: list[list[float | None]]
    mean_to_others: list[float | None]
    apart_model_id: str | None
    apart_subject: str | None


class PartialResultsDocument(Document):
    """The same before the end."""

    audit_id: str
    protocol: dict[str, Any]
    protocol_digest: str
    dataset_digest: str | None
    sample_count: int
    split: str | None
    cluster: str | None
    notes: list[str] | None
    training_images: TrainingImages | None
    run_group_id: str | None
    models: list[AuditedModel]
    map_sets: list[AuditedMapSet] | None
    software: dict[str, str] | None
    summaries: list[Summary]
    across_models: list[AcrossModels]
    stability: PairReport | None
    agreement: PairReport | None
    class_separation: PairReport | None
    sanity: list[Sanity] | None
    model_differences: list[ModelDifference] | None
    method_ranks: list[MethodRanks] | None
    performance: list[Performance]
    performance_reason: str | None
    performance_labels: dict[str, Any] | None
    noise_curves: list[NoiseCurve]
    deformation_curves: list[DeformationCurve] | None
    move_curves: list[MoveCurve] | None
    sufficiency: list[Sufficiency] | None
    where_maps_lie: list[WhereMapsLie] | None
    compared_at_input_resolution: list[str]
    findings: list[Finding]
    partial: bool
    samples_done: int


class Performance(Document):
    """How well a model classifies the images of one condition."""

    condition: str
    model_id: str
    subject: str | None
    n: int
    accuracy: float | None
    balanced_accuracy: float | None
    by_label: dict[str, LabelAccuracy] | None
    auroc: float | None
    roc: Roc | None
    auroc_by_class: dict[str, float | None] | None


class Policy(Document):
    """A policy."""

    name: str
    connection_id: str
    match: Match
    dataset_id: str
    protocol: ProtocolRequest | None
    sample_limit: int | None
    gate: str | None
    baseline: str | None
    run_group_tag: str | None
    write_back: WriteBack | None
    schedule: str | None
    id: str
    recurs_at: str | None
    created_at: str


class PolicyRun(Document):
    """One version that the policy met, whether an event told of it or its registry was asked."""

    id: str
    model: str
    version: str
    registered_at: str | None
    stage: RunStage
    reason: str | None
    outcome: HookOutcome | None
    model_id: str | None
    audit_id: str | None
    hook_id: str | None
    created_at: str
    updated_at: str


class Preprocessing(Document):
    """How an image becomes the model's input: a rectangle of 8-bit RGB, then channels, range, mean and deviation."""

    input_size: int | list[int]
    channels: Channels
    value_range: ValueRange
    mean: list[float]
    std: list[float]
    resize: Resize | ShorterSideResizing | StretchResizing | PadResizing
    interpolation: Interpolation
    antialias: bool
    crop_offset: CropOffset
    alpha: Alpha
    sixteen_bit: SixteenBit


class Progress(Document):
    """How far an audit got; a sample is done when all models and views are."""

    done: int
    total: int
    unit: Literal["samples"]
    samples_per_second: float | None
    eta_seconds: float | None


class ProtocolOption(Document):
    """One option of a protocol."""

    path: str
    default: Any
    schema: dict[str, Any]


class ProtocolRequest(Document):
    """A protocol as asked for: what is left out comes from the preset."""

    preset: Literal["default", "explain2me-2023", "investigate"]
    seed: int
    micro_batch: int
    salience: SalienceSettings
    measures: MeasureSettings | None
    class_score: ClassScore
    findings: FindingSettings


class Protocols(Document):
    """What an audit can be asked for."""

    presets: dict[str, dict[str, Any]]
    options: list[ProtocolOption]
    measures: list[MeasureName]
    cam_methods: list[CamMethod]
    cam_method_notes: list[CamMethodInfo]
    deformations: list[DeformationInfo]
    geometric_deformations: list[MoveInfo]
    views: list[str]


class Replanned(Document):
    """Why the resolved protocol is not quite the one that was asked for."""

    reason: Literal["out-of-gpu-memory"]
    micro_batch_before: int


class Rescore(Document):
    """An audit's comparisons by another similarity; `results` null until it has `succeeded`."""

    audit_id: str
    similarity: Similarity
    status: OwedStatus
    problem: StoredProblem | None
    created_at: str
    finished_at: str | None
    results: Rescored | None


class Rescored(Document):
    """What the similarity is, and its summaries."""

    title: str
    formula: str
    value_range: list[float]
    lower_is_closer: bool
    left_out: list[str]
    left_out_subjects: list[str] | None
    notes: list[str] | None
    summaries: list[RescoredSummary]


class RescoredSummary(Document):
    """One comparison of stored maps by the similarity, over one group of samples."""

    measure: MeasureName
    view: str
    model_id: str | None
    method: str | None
    subject: str | None
    group_by: str
    group: str
    n: int
    n_undefined: int
    mean: float | None
    std: float | None
    p05: float | None
    p25: float | None
    p50: float | None
    p75: float | None
    p95: float | None
    ci95_low: float | None
    ci95_high: float | None


class ResultsDocument(Document):
    """What an audit found."""

    audit_id: str
    protocol: dict[str, Any]
    protocol_digest: str
    dataset_digest: str | None
    sample_count: int
    split: str | None
    cluster: str | None
    notes: list[str] | None
    training_images: TrainingImages | None
    run_group_id: str | None
    models: list[AuditedModel]
    map_sets: list[AuditedMapSet] | None
    software: dict[str, str] | None
    summaries: list[Summary]
    across_models: list[AcrossModels]
    stability: PairReport | None
    agreement: PairReport | None
    class_separation: PairReport | None
    sanity: list[Sanity] | None
    model_differences: list[ModelDifference] | None
    method_ranks: list[MethodRanks] | None
    performance: list[Performance]
    performance_reason: str | None
    performance_labels: dict[str, Any] | None
    noise_curves: list[NoiseCurve]
    deformation_curves: list[DeformationCurve] | None
    move_curves: list[MoveCurve] | None
    sufficiency: list[Sufficiency] | None
    where_maps_lie: list[WhereMapsLie] | None
    compared_at_input_resolution: list[str]
    findings: list[Finding]


class Roc(Document):
    """The corners of a ROC curve; the threshold above every score is null."""

    fpr: list[float]
    tpr: list[float]
    threshold: list[float | None] | None


class RunGroup(Document):
    """A run group."""

    id: str
    name: str
    description: str | None
    metadata: dict[str, Any]
    tags: list[str]
    model_ids: list[str]
    created_at: str
    updated_at: str


class SalienceMap(Document):
    """A native salience map, row by row, in [0, 1]."""

    sample: str
    sample_id: str
    model_id: str | None
    subject: str
    view: str
    height: int
    width: int
    undefined_reason: str | None
    predicted_label: str | None


class SalienceSettings(Document):
    """Which map is made: the CAM method, the class it explains and the layer it is taken from."""

    method: CamMethod
    methods: list[CamMethod]
    target: SalienceTarget | int
    target_layer: str | None
    masks: int | None


class Sample(Document):
    """One image; ``sample`` is its name inside the archive."""

    id: str
    sample: str
    status: SampleStatus
    label: str | None
    source: str | None
    split: str | None
    cluster: str | None
    groups: dict[str, str]
    near_duplicate_of: str | None
    width: int | None
    height: int | None
    problem: StoredProblem | None


class SampleScore(Document):
    """One number: a sample, a model (none for pairings and map sets), a measure's view."""

    sample: str
    sample_id: str
    label: str | None
    source: str | None
    model: str | None
    model_id: str | None
    subject: str | None
    measure: MeasureName
    view: str
    score: float | None
    control: float | None
    undefined_reason: str | None
    predicted_label: str | None


class Sanity(Document):
    """A model beside the same network with random weights."""

    model_id: str
    subject: str | None
    entropy_rise: float | None
    distances: list[TwinDistance]


class SanitySettings(Document):
    """The random twin has no parameter; its weights are drawn by the protocol's seed."""


class ShorterSideResizing(Document):
    """The shorter side becomes so long, then the middle is cut out; of two, the picture just covers that height and width."""

    shorter_side: int | list[int]


class ShownLink(Document):
    """A link; whoever has it can read the report."""

    url: str
    expires_at: str


class Side(Document):
    """An audit or a model, its radar and its macro totals."""

    audit_id: str
    audit_name: str | None
    models: list[AuditedModel]
    across_models: list[AcrossModels]
    radar: dict[str, float | None]
    totals: list[SideTotal]


class SideTotal(Document):
    """The macro total of one measure's view over the samples that the side scored."""

    measure: MeasureName
    view: str
    n: int
    n_undefined: int
    mean: float | None
    ci95_low: float | None
    ci95_high: float | None
    says_nothing: list[str]


class Speed(Document):
    """What salience costs: the worker measured it when the weights arrived."""

    device_class: DeviceClass
    seconds_per_image: float
    micro_batch: int
    seconds_per_head: float | None
    seconds_of_bias_maps: float | None


class StabilitySettings(Document):
    """S_S; it has no parameter."""


class StoredProblem(Document):
    """Why a resource was rejected, or why an audit failed; some codes come with what the way out needs."""

    code: str
    detail: str
    suggested_head: list[Any] | None


class StretchResizing(Document):
    """Both sides become so long (of two: height, width), whatever the aspect, then the middle is cut out."""

    stretch: int | list[int]


class Sufficiency(Document):
    """How much of an image is enough for a model's prediction to stay."""

    fill: str
    shares: list[float]
    n: int
    unchanged: dict[str, list[float] | None]
    area_90: float | None
    area_90_random: float | None
    by_label: dict[str, SufficiencyOfLabel]
    model_id: str
    subject: str | None


class SufficiencyOfLabel(Document):
    """Of one label's samples."""

    n: int
    unchanged: dict[str, list[float] | None]
    area_90: float | None


class SufficiencySettings(Document):
    """``shares`` of the area are kept, and removed, in the map's order and cell by cell at random."""

    fill: Literal["mean", "blur", "inpaint"]
    shares: list[float]
    detail: bool


class Summary(Document):
    """One measure's view of one subject (null: of a pairing of them), over one group of samples."""

    measure: MeasureName
    view: str
    model_id: str | None
    subject: str | None
    similarity: str | None
    group_by: str
    group: str
    n: int
    n_undefined: int
    n_clusters: int | None
    mean: float | None
    std: float | None
    p05: float | None
    p25: float | None
    p50: float | None
    p75: float | None
    p95: float | None
    histogram: Histogram
    ci95_low: float | None
    ci95_high: float | None
    control_mean: float | None
    flip_rate: float | None
    n_flipped: int | None
    mean_kept: float | None
    mean_flipped: float | None
    above_control_low: float | None
    above_control_high: float | None
    skill: float | None
    skill_low: float | None
    skill_high: float | None
    centre_slope: float | None
    specificity: float | None
    says_nothing: list[str]


class TrainingImages(Document):
    """How many of the samples a model may have been trained on."""

    audited: int
    of_training_splits: int
    like_training_images: int


class TwinDistance(Document):
    """A measure's headline number of a model beside that of its random twin, over the samples that both scored."""

    measure: MeasureName
    view: str
    n: int
    mean: float | None
    random_mean: float | None
    difference: float | None
    ci95_low: float | None
    ci95_high: float | None
    better: bool | None


class VersionAudit(Document):
    """An audit that measures the version, alone or with others."""

    audit_id: str
    name: str | None
    finished_at: str
    dataset_id: str
    protocol_digest: str
    verdict: Outcome | None
    headline: dict[str, float | None]
    says_nothing: list[str]


class ViewArchive(Document):
    """The archive that is being made: come again for it after `Retry-After` seconds."""

    audit_id: str
    subject: str
    needs: Needs
    status: OwedStatus
    views: list[str]
    images: int


class Webhook(Document):
    """A webhook, without its secret."""

    id: str
    url: str
    events: list[str]
    format: WebhookFormat
    description: str | None
    enabled: bool
    disabled_reason: str | None
    paused_until: str | None
    previous_secret_until: str | None
    created_at: str


class WhereMapsLie(Document):
    """Of one model."""

    cells: list[int]
    border_area: float
    groups: list[MapGroup]
    clusters: list[MapClusters]
    model_id: str
    subject: str | None


class Worker(Document):
    """A worker process that was there within a day."""

    name: str
    device_class: DeviceClass
    status: WorkerStatus
    seen_at: str


class WriteBack(Document):
    """What the registry is told."""

    tags: bool
    alias_on_pass: str | None
    run: bool
    pull_request: bool
