"""A second kind of subject: one model under two methods. Stability's code gives the agreement of its maps."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from prepare import build_archive
from skimage.metrics import structural_similarity

from app.domain.audits.subjects import Subject, pairings_of, subjects_of
from app.domain.protocol import ProtocolRequest, SalienceSettings
from app.domain.vocabulary import ACROSS_MODELS, CamMethod
from app.errors import InputFailure
from app.settings import Settings
from app.storage.blobs import BlobStore
from tests.stored import put
from tests.waiting import RECIPE, WEIGHTS
from worker.archives.listing import list_entries
from worker.child.shard_job import run_shard_job
from worker.salience.smoothing import COPIES
from worker.weights.cache import ModelCache, TorchModel
from worker.wire.job_parts import JobModel, JobSample
from worker.wire.jobs import ShardJob
from worker.wire.replies import ScoresRow

SAMPLES = 4
METHODS = (CamMethod.GRADCAM, CamMethod.HIRESCAM, CamMethod.LAYERCAM)
PROTOCOL = ProtocolRequest.model_validate({"micro_batch": 4, "measures": {"entropy": {}, "stability": {}}}).resolve()
AGREED = ProtocolRequest.model_validate({"micro_batch": 4, "measures": {"entropy": {}, "agreement": {}}}).resolve()
Row = tuple[ScoresRow, bytes]


def under(methods: tuple[CamMethod, ...]) -> tuple[Subject, ...]:
    return tuple(Subject(model=0, salience=SalienceSettings(method=method)) for method in methods)


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> tuple[ShardJob, Settings, BlobStore]:
    """Of one of the example's networks on the first few faces."""
    settings = Settings(blob_store=str(tmp_path_factory.mktemp("blobs")), device="cpu")
    blobs = BlobStore.from_settings(settings)
    archive = put(blobs, build_archive())
    weights = put(blobs, (WEIGHTS / "cross_entropy_run1.safetensors").read_bytes())
    images = [entry for entry in list_entries(blobs, archive, settings).entries if not entry.is_folder]
    images = [entry for entry in images if Path(entry.name).suffix in {".png", ".jpg"}][:SAMPLES]
    fields = [name for name in JobSample.model_fields if name != "label"]
    model = JobModel(
        digest=weights,
        architecture=RECIPE["architecture"],
        preprocessing=RECIPE["preprocessing"],
        target_layer=None,
    )
    made = ShardJob(
        protocol=PROTOCOL,
        archive_digest=archive,
        label_indices=None,
        score_classes=(0, 1),
        models=(model,),
        subjects=subjects_of(PROTOCOL, 1),
        samples=tuple(
            JobSample.model_validate({name: getattr(entry, name) for name in fields} | {"label": None})
            for entry in images
        ),
    )
    return made, settings, blobs


def rows_of(job: tuple[ShardJob, Settings, BlobStore], *methods: CamMethod) -> dict[tuple[int, int], Row]:
    """What the child sends of one model under these methods, by subject and sample."""
    shard = job[0].model_copy(update={"protocol": AGREED, "subjects": under(methods)})
    replies = run_shard_job(shard, job[1], job[2], ModelCache())
    return {(row.model_ordinal, row.number): (row, maps) for row, maps in replies if isinstance(row, ScoresRow)}


def levels(found: Row) -> NDArray[np.uint8]:
    """The clean map, in 8 bits."""
    row, maps = found
    cells = np.frombuffer(maps, "<f4").reshape(row.map_height or 0, row.map_width or 0)
    return (cells * np.float32(255)).astype(np.uint8)


def test_one_model_under_several_methods(job: tuple[ShardJob, Settings, BlobStore]) -> None:
    """Each subject has its rows; the row across them has the SSIM of each pair, by scikit-image, and their mean."""
    rows = rows_of(job, *METHODS)
    assert set(rows) == {(subject, number) for subject in (0, 1, 2, ACROSS_MODELS) for number in range(SAMPLES)}
    (pairing,) = pairings_of(AGREED, under(METHODS))
    differ = 0
    for number in range(SAMPLES):
        across, _ = rows[ACROSS_MODELS, number]
        expected = [
            structural_similarity(levels(rows[first, number]), levels(rows[second, number]), data_range=255)
            for first, second in pairing.pairs
        ]
        assert across.pairs == pytest.approx(expected, abs=1e-9)
        assert across.scores == [pytest.approx(np.mean(expected), abs=1e-9)]
        differ += any(value < 0.99 for value in expected)
    assert differ, "the methods give maps that are not the same"


def test_methods_of_one_pair_share_passes(job: tuple[ShardJob, Settings, BlobStore]) -> None:
    """All but those of the views that follow each method's own map; what is found is the same to the bit."""
    shard, settings, blobs = job
    noisy = CamMethod.SMOOTH_GRADCAM_PLUS_PLUS
    methods = CamMethod.GRADCAM, noisy, CamMethod.HIRESCAM, CamMethod.EIGENCAM
    measures = {"noise_reaction": {"curve": []}, "geometric_resilience": {"groups": ["flips"]}, "degradation": {}}
    protocol = ProtocolRequest.model_validate({"measures": measures, "micro_batch": SAMPLES}).resolve()

    def run(*asked: CamMethod) -> tuple[int, dict[tuple[int, int], Row]]:
        cache, passes = ModelCache(), [0]
        loaded = cache.get(blobs, shard.models[0], torch.device("cpu"))
        assert isinstance(loaded, TorchModel)
        mine = shard.model_copy(update={"protocol": protocol, "subjects": under(asked)})
        plan = run_shard_job(mine, settings, blobs, cache)
        next(plan)
        loaded.module.register_forward_hook(lambda *_: passes.append(1))
        rows = {(row.model_ordinal, row.number): (row, maps) for row, maps in plan if isinstance(row, ScoresRow)}
        return sum(passes), rows

    conditions, followed = 6, 2
    found, together = run(*methods)
    assert found == conditions + 2 * followed + conditions * (1 + COPIES)
    for place, method in enumerate(methods):
        alone, rows = run(method)
        assert alone == (conditions * (1 + COPIES) if method is noisy else conditions)
        for number in range(SAMPLES):
            own, maps = together[place, number]
            assert (own.scores, maps) == (rows[0, number][0].scores, rows[0, number][1])


def test_a_subject_is_what_it_would_be_alone(job: tuple[ShardJob, Settings, BlobStore]) -> None:
    together = rows_of(job, CamMethod.GRADCAM, CamMethod.HIRESCAM)
    for place, method in enumerate((CamMethod.GRADCAM, CamMethod.HIRESCAM)):
        alone = rows_of(job, method, method)
        for number in range(SAMPLES):
            own, maps = together[place, number]
            assert (own.scores, maps) == (alone[0, number][0].scores, alone[0, number][1])
            assert alone[ACROSS_MODELS, number][0].scores == [pytest.approx(1.0)], "a subject agrees with itself"


def twin_rows(job: tuple[ShardJob, Settings, BlobStore], seed: int) -> dict[tuple[int, int], Row]:
    asked = {"seed": seed, "micro_batch": 4, "measures": {"entropy": {}, "sanity": {}}}
    protocol = ProtocolRequest.model_validate(asked).resolve()
    shard = job[0].model_copy(update={"protocol": protocol, "subjects": subjects_of(protocol, 1)})
    replies = run_shard_job(shard, job[1], job[2], ModelCache())
    return {(row.model_ordinal, row.number): (row, maps) for row, maps in replies if isinstance(row, ScoresRow)}


def test_a_random_twin_is_drawn_by_the_seed(job: tuple[ShardJob, Settings, BlobStore]) -> None:
    first, again, other = (twin_rows(job, seed) for seed in (3, 3, 4))
    assert set(first) == {(subject, number) for subject in (0, 1, ACROSS_MODELS) for number in range(SAMPLES)}
    for number in range(SAMPLES):
        assert first[1, number] == again[1, number]
        assert first[0, number][1] == other[0, number][1], "the model itself knows no seed"
        assert first[1, number][1] not in {other[1, number][1], first[0, number][1]}
        own, twin = (first[subject, number][0].scores[0] or np.nan for subject in (0, 1))
        assert first[ACROSS_MODELS, number][0].scores == [pytest.approx((twin - own) / own, abs=1e-12)]


@pytest.mark.parametrize(
    "method",
    [
        CamMethod.CAM,
        CamMethod.SMOOTH_GRADCAM_PLUS_PLUS,
        CamMethod.OCCLUSION,
        CamMethod.SMOOTHGRAD,
    ],
)
def test_a_map_does_not_hang_on_the_order_of_samples(
    job: tuple[ShardJob, Settings, BlobStore], method: CamMethod
) -> None:
    """Clean and noisy maps of two samples, in both orders: what a method draws hangs on the sample's name."""
    asked = {"micro_batch": 2, "measures": {"noise_reaction": {"curve": []}}}
    protocol = ProtocolRequest.model_validate(asked).resolve()
    shard = job[0].model_copy(update={"protocol": protocol, "subjects": under((method,))})
    maps: list[dict[str, bytes]] = []
    for samples in (job[0].samples[:2], job[0].samples[1::-1]):
        replies = run_shard_job(shard.model_copy(update={"samples": samples}), job[1], job[2], ModelCache())
        rows = [found for found in replies if isinstance(found[0], ScoresRow)]
        maps.append({samples[row.number].name: content for row, content in rows if isinstance(row, ScoresRow)})
    assert maps[0] == maps[1]
    assert len(set(maps[0].values())) == 2


def test_a_network_of_another_form_fails_the_audit(job: tuple[ShardJob, Settings, BlobStore]) -> None:
    with pytest.raises(InputFailure, match="attention_rollout is not possible for this network") as caught:
        rows_of(job, CamMethod.ATTENTION_ROLLOUT, CamMethod.GRADCAM)
    assert caught.value.code == "cam-method-not-possible"


def test_audits_so_far_have_a_subject_a_model() -> None:
    assert [(one.model, one.salience) for one in subjects_of(PROTOCOL, 2)] == [
        (0, PROTOCOL.salience),
        (1, PROTOCOL.salience),
    ]
    (pairing,) = pairings_of(PROTOCOL, subjects_of(PROTOCOL, 3))
    assert (pairing.column.measure, pairing.pairs) == ("stability", ((0, 1), (0, 2), (1, 2)))
