"""How long an audit's shards are: about half a minute, whole micro-batches, enough for four workers."""

from itertools import pairwise
from typing import Any

import pytest

from app.audits.planning.samples import Chosen
from app.audits.planning.shards import Work, estimated_seconds, shard_ranges, shard_samples
from app.db.tables import DatasetRow, ModelRow
from app.domain.protocol import MeasureSettings, Protocol
from app.domain.vocabulary import DeviceClass
from app.settings import Settings

ONE_PASS = MeasureSettings.model_validate({"entropy": {}})
FIVE_PASSES = MeasureSettings.model_validate({"noise_reaction": {"curve": [0.1, 0.2, 0.3]}})


def model(seconds: float | None, device_class: str = "cpu", side: int = 7) -> ModelRow:
    speed = None if seconds is None else {"device_class": device_class, "seconds_per_image": seconds, "micro_batch": 8}
    layers = [{"name": "stem", "channels": 8, "height": 112, "width": 112}]
    found = {"classes": 2, "target_layer": "last", "map_channels": 8, "map_height": side, "map_width": side}
    probe = found | {"candidate_layers": layers, "speed": speed}
    return ModelRow(class_names=None, preprocessing={"input_size": 224}, probe=probe)


def work(
    samples: int,
    *models: ModelRow,
    measures: MeasureSettings = ONE_PASS,
    labels: list[tuple[int, ...]] | None = None,
    **options: Any,
) -> Work:
    return Work(
        models=list(models),
        map_sets=[],
        dataset=DatasetRow(labels=["a", "b"], sample_count=samples),
        protocol=Protocol(measures=measures, **options),
        chosen=Chosen(samples, None, []),
        label_map=None,
        device_class=DeviceClass.CPU,
        labels=labels,
    )


def test_half_a_minute_of_work() -> None:
    """30 s / (0.01 s x 5 passes x 2 models) = 300 samples, and 18 whole micro-batches of 16."""
    asked = work(10_000, model(0.004), model(0.016), measures=FIVE_PASSES)
    assert sum(cost.passes for cost in asked.costs) == 2 * 5
    assert shard_samples(asked, Settings()) == 288
    assert shard_samples(asked, Settings(shard_seconds=60)) == 592


@pytest.mark.parametrize(
    ("samples", "size"), [(1, 16), (16, 16), (50, 16), (64, 16), (127, 16), (128, 32), (10_000, 2496)]
)
def test_four_workers_share_a_small_audit_in_whole_micro_batches(samples: int, size: int) -> None:
    asked = work(samples, model(0.0001))
    assert shard_samples(asked, Settings()) == size
    assert len(shard_ranges(asked, Settings())) >= min(4, -(-samples // 16))


def test_a_slow_model_gets_one_micro_batch() -> None:
    assert shard_samples(work(1000, model(100.0)), Settings()) == 16
    assert shard_samples(work(1000, model(100.0), micro_batch=5), Settings()) == 5


def test_a_fast_model_meets_the_limits() -> None:
    assert shard_samples(work(1_000_000, model(1e-7)), Settings()) == 4096
    assert shard_samples(work(1_000_000, model(1e-7)), Settings(max_shard_samples=1000)) == 992
    large = work(1_000_000, model(1e-7, side=128), measures=FIVE_PASSES)
    assert 64 * 2**20 * 0.9 < shard_samples(large, Settings()) * 5 * 128 * 128 * 4 < 64 * 2**20


@pytest.mark.parametrize("unknown", [model(None), model(0.001, "gpu")])
def test_an_unknown_speed(unknown: ModelRow) -> None:
    asked = work(10_000, model(0.001), unknown)
    assert asked.seconds_per_sample is None
    assert asked.unknown_because == f"The probe of the model {unknown.id} measured no speed on the device class cpu."
    assert shard_samples(asked, Settings()) == 64
    assert estimated_seconds(asked, shard_ranges(asked, Settings())) is None


@pytest.mark.parametrize("size", [1, 7, 64])
def test_a_fixed_size_stays(size: int) -> None:
    asked, settings = work(100, model(0.001)), Settings(shard_samples=size)
    ranges = shard_ranges(asked, settings)
    assert {stop - start for start, stop in ranges[:-1]} == {min(size, 100)}
    assert (ranges[0][0], ranges[-1][1]) == (0, 100)
    assert all(before[1] == after[0] for before, after in pairwise(ranges))


def test_methods_of_one_pair_share_passes_but_those_of_their_own_views() -> None:
    """The clean image, a noise and twelve moves once for both; two images that follow the maps for each. Of the two
    others, one has the passes of its copies, one goes image by image and is not padded."""
    measures = MeasureSettings.model_validate(
        {"noise_reaction": {"curve": []}, "geometric_resilience": {}, "degradation": {}}
    )
    methods = ["gradcam", "smooth_gradcam_plus_plus", "layercam", "scorecam"]
    asked = work(5, model(0.5), measures=measures, salience={"methods": methods})
    assert [cost.passes for cost in asked.costs] == [16, 16 * 5, 2, 16 * 9]
    assert sum(cost.passes for cost in asked.costs) == 16 + 16 * 5 + 2 + 16 * 9
    seconds = estimated_seconds(asked, shard_ranges(asked, Settings()))
    assert seconds == pytest.approx(0.5 * (16 * (16 + 80 + 2) + 5 * 144))


def test_padding_costs_time() -> None:
    """100 samples in shards of 40 and micro-batches of 16: 48 + 48 + 32 images go through the model."""
    asked, settings = work(100, model(0.5)), Settings(shard_samples=40)
    assert estimated_seconds(asked, shard_ranges(asked, settings)) == pytest.approx(0.5 * (48 + 48 + 32))


def test_each_label_of_a_batch_is_a_look_at_all_of_it() -> None:
    """Of five samples two by two: two labels, none, which is one look, and one, in a batch of one. Six, where each goes
    by itself."""
    labels = [(0, 1), (1,), (), (), (2,)]
    asked = work(5, model(0.5), micro_batch=2, labels=labels)
    ranges = shard_ranges(asked, Settings(shard_samples=2))
    assert asked.looks(ranges) == (2 * 2 + 2 * 1 + 1 * 1, 2 * (2 + 1 + 1), 6)
    assert asked.seconds_per_sample == pytest.approx(0.5 * 7 / 5)
    assert estimated_seconds(asked, ranges) == pytest.approx(0.5 * 8)
    assert asked.looks([(0, 1), (1, 5)]) == (2 + 2 * 1 + 2 * 1, 2 * (2 + 1 + 1), 6)


def test_a_method_s_seconds_are_those_of_its_parts() -> None:
    """By hand, at a layer of 8 channels and 49 cells: ReciproCAM passes an image and 50 maps behind the layer,
    Ablation-CAM two images (one whole, one for all channels) and 8 maps, FullGrad there and back, and its maps."""
    methods = ["reciprocam", "ablationcam", "fullgrad"]
    timed = model(0.5)
    assert timed.probe is not None
    timed.probe["speed"] |= {"seconds_per_head": 0.01, "seconds_of_bias_maps": 7.0}
    asked = work(5, timed, salience={"methods": methods})
    assert [cost.seconds for cost in asked.costs] == pytest.approx([0.5 + 50 * 0.01, 2 * 0.5 + 8 * 0.01, 3 * 0.5 + 7])
    assert asked.unknown_because is None
    elsewhere = work(5, timed, salience={"method": "reciprocam", "target_layer": "stem"})
    assert elsewhere.seconds_per_sample is None
    assert "reciprocam asks again were timed behind the model's default target layer alone" in (
        elsewhere.unknown_because or ""
    )
    before = work(5, model(0.5), salience={"methods": methods})
    assert before.seconds_per_sample is None
    assert "An earlier version timed the model" in (before.unknown_because or "")
