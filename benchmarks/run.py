"""`python -m benchmarks.run`: the ratios of docs/performance.md.

``--form short`` (the default, under ten minutes on two cores) writes the document; ``long`` takes more networks, rounds
and images; ``gpu`` runs what a CUDA device changes, on it. The last two print only.
"""

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch

from benchmarks import audits, data_set_size, decoding, graphs, kernels, maps, memory, several_methods, stages
from benchmarks.machine import describe
from benchmarks.table import Section
from worker.machine.device import compute_exactly, keep_heap, use_threads

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "performance.md"
NETWORKS = ("resnet50", "densenet121", "resnet18", "shufflenet_v2_x0_5")
SHORT = {"resnet50": 32, "densenet121": 32, "resnet18": 64, "shufflenet_v2_x0_5": 256, audits.VIT: 64}
GPU = {"resnet50": 512}
LONG = {"resnet50": 128, "densenet121": 128, "resnet18": 256, "shufflenet_v2_x0_5": 1024, audits.VIT: 256}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--form", choices=("short", "long", "gpu"), default="short")
    form = parser.parse_args().form
    use_threads(0)
    keep_heap()
    if form == "gpu":
        compute_exactly()  # as an audit's process does: else the bare passes were TF32's
    parts = [f"Measured on {describe()}\n"]
    for section in _sections(form):
        parts.append(section.to_markdown())
        print(parts[-1], flush=True)
        if form == "short":
            _write("\n".join(parts))


def _sections(form: str) -> Iterator[Section]:
    device = torch.device("cuda" if form == "gpu" else "cpu")
    rounds = 3 if form == "short" else 9
    # First, while this process has no threads that its forks would lack.
    yield decoding.decoding(decoding.counts())
    yield from _audits(form, device)
    yield kernels.comparisons(device, rounds)
    yield kernels.blurs(device, rounds)
    yield memory.growth("shufflenet_v2_x0_5", device, 1000)
    yield maps.six_methods("resnet18", device, rounds)
    for name in NETWORKS[:2] if form == "short" else NETWORKS:
        # Three hundredths are sought: that takes more rounds than a factor does.
        yield maps.grad_cam(name, device, rounds + 2)
    for name in ("shufflenet_v2_x0_5", "resnet50"):
        yield stages.stages(name, device, rounds)
    if form != "gpu":
        yield graphs.graph("resnet50", rounds)
    if form == "long":
        yield data_set_size.bounded(1000, 100_000)


def _audits(form: str, device: torch.device) -> Iterator[Section]:
    counts, rounds, scripted = {"short": (SHORT, 2, 1), "long": (LONG, 5, 5), "gpu": (GPU, 2, 0)}[form]
    with audits.service(max(counts.values()), device) as service:
        for name, images in counts.items():
            yield audits.audit(name, replace(service, images=images), rounds, scripted)
        shared = "resnet18" if "resnet18" in counts else "resnet50"
        yield several_methods.several_methods(shared, replace(service, images=counts[shared]), rounds)


def _write(tables: str) -> None:
    """Between the marks; the words around them stay."""
    begin, end = "<!-- measured -->", "<!-- end -->"
    head, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(begin)
    _, _, tail = rest.partition(end)
    DOCUMENT.write_text(f"{head}{begin}\n\n{tables}\n{end}{tail}", encoding="utf-8")


if __name__ == "__main__":
    main()
