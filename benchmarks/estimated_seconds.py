"""Estimated seconds of a map against measured ones: ``python -m benchmarks.estimated_seconds [METHOD ...]``.

Both in processor time of one thread, with the heap kept as workers keep it, on photographs of 224 pixels. Networks are
timed as a probe times them where weights arrive.
"""

import sys
import time
from collections.abc import Iterator
from unittest.mock import patch

import cv2
import torch

from app.audits.planning.costs import subject_costs
from app.db.identifiers import new_id
from app.db.tables import ModelRow
from app.domain.protocol import Protocol, ProtocolRequest
from app.domain.vocabulary import CamMethod, DeviceClass
from app.results.inputs import audited_subjects
from benchmarks.subjects import SIZE, batch, network, normalise
from worker.machine.device import keep_heap
from worker.salience import make_explainer
from worker.salience.hook import TargetHook
from worker.weights.speed import ModelSpeed

CPU = torch.device("cpu")
NETWORKS = ("resnet18", "mobilenet_v2", "densenet121")
METHODS = (CamMethod.GRADCAM, CamMethod.RECIPROCAM, CamMethod.ABLATIONCAM, CamMethod.FULLGRAD)
IMAGES, ROUNDS = 8, 2


def protocol_of(method: CamMethod) -> Protocol:
    """Of clean images alone."""
    wanted = {"measures": {"entropy": {}}, "salience": {"method": method}, "micro_batch": IMAGES}
    return ProtocolRequest.model_validate(wanted).resolve()


def estimated(name: str, methods: list[CamMethod]) -> list[float]:
    """Seconds of an image by each, from what a probe of the network measures."""
    hook = TargetHook(network(name, CPU), input_size=SIZE)
    speed = ModelSpeed.measure(network(name, CPU), CPU, input_size=SIZE, target_layer=None)
    layer = hook.layer
    probe = {
        "target_layer": layer.name,
        "map_channels": layer.channels,
        "map_height": layer.height,
        "map_width": layer.width,
        "candidate_layers": [],
        "speed": speed and speed.to_dict(),
    }
    model = ModelRow(id=new_id(), name=name, probe=probe, preprocessing={"input_size": SIZE}, architecture=name)
    costs = [subject_costs(audited_subjects(protocol_of(one), [model]), DeviceClass.CPU) for one in methods]
    return [cost.seconds or float("nan") for (cost,) in costs]


def measured(name: str, method: CamMethod) -> float:
    """Seconds of an image: the fastest of a few batches, after one that warms up."""
    explainer = make_explainer(method, TargetHook(network(name, CPU), input_size=SIZE))
    images = normalise(batch(IMAGES, CPU))
    explainer.explain(images, None)
    taken = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        explainer.explain(images, None)
        taken.append(time.process_time() - begun)
    return min(taken) / IMAGES


def rows(methods: list[CamMethod]) -> Iterator[str]:
    for name in NETWORKS:
        with patch.object(time, "perf_counter", time.process_time):
            told = estimated(name, methods)
        for method, expected in zip(methods, told, strict=True):
            found = measured(name, method)
            yield f"| {name} | `{method}` | {expected * 1000:.0f} | {found * 1000:.0f} | {expected / found:.2f} |"


if __name__ == "__main__":
    torch.set_num_threads(1)
    cv2.setNumThreads(1)  # FullGrad's maps are its own
    keep_heap()
    print("| network | method | estimated ms | measured ms | estimated / measured |\n| --- | --- | --- | --- | --- |")
    for row in rows([CamMethod(one) for one in sys.argv[1:]] or list(METHODS)):
        print(row, flush=True)
