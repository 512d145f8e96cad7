"""`python -m benchmarks.launches`: what a GPU would have to launch, and how often the host would wait for it.

Counted without one (`benchmarks.stand_in`), for a batch under the default protocol. Exits with 1 where it is more than
1.25 times the bare forward pass's launches or three waits, or where the numbers are not the CPU's, bit for bit.
"""

import sys

import torch
from torchvision.models import get_model

from app.domain.models.preprocessing import Preprocessing
from app.domain.protocol import ProtocolRequest
from benchmarks.stand_in import DEVICE, counted, stand_in
from worker.engine.measuring import ModelAuditor, Outcome
from worker.engine.normalisation import Normalisation
from worker.salience import make_explainer
from worker.salience.hook import TargetHook
from worker.views.base import ImageBatch

MOST_LAUNCHES, MOST_WAITS = 1.25, 3
"""Of a batch: in units of the bare forward pass's, and in all."""
SIZE, IMAGES = 64, 2
"""The number of launches depends on neither."""
NAMES = tuple(map(str, range(IMAGES)))
TRUTH = torch.zeros(IMAGES, dtype=torch.int64)
NORMALISE = Normalisation(Preprocessing(input_size=SIZE, mean=(0.5,), std=(0.25,)))
PROTOCOL = ProtocolRequest.model_validate({"micro_batch": IMAGES}).resolve()


def main() -> int:
    torch.manual_seed(0)
    network = get_model("resnet50", weights=None, num_classes=2).eval().requires_grad_(requires_grad=False)
    images = torch.randint(0, 256, (IMAGES, 3, SIZE, SIZE), dtype=torch.uint8)
    looks = 1 + len(PROTOCOL.conditions())
    expected = _auditor(network, torch.device("cpu")).audit(ImageBatch(images, NAMES), TRUTH)
    with stand_in() as counts:
        there = network.to(DEVICE)
        normalised = NORMALISE(images.to(DEVICE))
        with torch.no_grad():
            bare, _ = counted(lambda: there(normalised), counts)
        auditor = _auditor(there, DEVICE)
        found = auditor.audit(ImageBatch(images, NAMES), TRUTH)  # what is sent to the device once is there now
        launches, waits = counted(lambda: auditor.audit(ImageBatch(images, NAMES), TRUTH), counts)
    same = _same(found, expected)
    print(f"| a batch of {looks} looks, resnet50 | launches | of the bare passes' | waits of the host |")
    print("| --- | --- | --- | --- |")
    print(f"| bare forward passes | {bare * looks} | 1 | |")
    print(f"| the engine | {launches} | {launches / (bare * looks):.2f} | {waits} |")
    print(f"The CPU's maps and scores, bit for bit: {'yes' if same else 'no'}.")
    return int(launches > MOST_LAUNCHES * bare * looks or waits > MOST_WAITS or not same)


def _auditor(network: torch.nn.Module, device: torch.device) -> ModelAuditor:
    placed = network.to(memory_format=torch.channels_last)
    explainer = make_explainer(PROTOCOL.salience.method, TargetHook(placed, input_size=SIZE))
    return ModelAuditor(explainer, NORMALISE, PROTOCOL, (0, 1), device)


def _same(found: Outcome, expected: Outcome) -> bool:
    maps = ((one.maps.native, expected.observations[name].maps.native) for name, one in found.observations.items())
    scores = ((one.values, expected.scores[column].values) for column, one in found.scores.items())
    return all(torch.equal(one, other) for one, other in [*maps, *scores])


if __name__ == "__main__":
    sys.exit(main())
