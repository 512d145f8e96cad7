"""The paper again: trains, audits, and prints its tables and figures beside ours.

    .venv/bin/python -m examples.paper
    .venv/bin/python -m examples.paper --full --output build/paper-full

In small: narrow forms of DenseNet-121 and ResNet-50, two runs of each cell, from scratch, on CPU. In full: the two
networks as the paper has them, ten runs of each cell, on a GPU; ``--pretrained`` begins with timm's ImageNet weights,
which it fetches. Not the paper's data in either form: see ``faces.py``. Everything is written below ``--output``.
"""

import argparse
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import torch

from app.demo.service import running_service
from examples.paper.auditing import Audited, audit_groups, runs
from examples.paper.faces import audited_scenes, split_album
from examples.paper.figures import draw
from examples.paper.patterns import DEEPER, GUIDED, counted, order_table, pattern_table, patterns, radar_table
from examples.paper.published import TABLE_1, TABLE_2
from examples.paper.tables import decision_table, measure_table, noise_table, silences, source_table
from examples.paper.training import Extent, Network, Run, train
from salience_audit import Client

SMALL = Extent(
    networks={
        "DenseNet": Network("densenet121", {"growth_rate": 8, "block_config": [2, 4, 4, 4]}),
        "ResNet": Network(
            "resnet50",
            {"channels": [8, 16, 32, 64], "layers": [1, 1, 1, 1], "stem_type": "deep", "stem_width": 8},
        ),
    },
    runs=2,
    steps=80,
    batch=16,
    per_source=20,
    learning_rate=4e-3,
)
FULL = Extent(
    networks={"DenseNet": Network("densenet121"), "ResNet": Network("resnet50")},
    runs=10,
    steps=2000,
    batch=32,
    per_source=80,
    learning_rate=5e-4,
    device="cuda",
)


def main() -> int:
    options = _options()
    extent = replace(FULL, pretrained=options.pretrained) if options.full else SMALL
    if extent.device == "cuda" and not torch.cuda.is_available():
        sys.stderr.write("--full needs a CUDA device, and there is none here.\n")
        return 1
    began = time.monotonic()
    for line in repeat(extent, options.output, processes=1 if options.full else options.processes):
        print(line, flush=True)
    spent = sum(os.times()[:4])
    print(f"{time.monotonic() - began:.0f} s, {spent:.0f} s of processor time; everything lies in {options.output}")
    return 0


def repeat(extent: Extent, folder: Path, processes: int) -> Iterator[str]:
    """Train, audit, and tell what came of it, line by line; also in ``results.md``."""
    folder.mkdir(parents=True, exist_ok=True)
    yield from train_all(runs(extent), extent, folder, processes)
    scenes = audited_scenes(split_album()[1], extent.per_source)
    with running_service(folder / "service") as (url, key), Client(url, key) as client:
        yield f"{len(scenes)} images of people that no network was trained on are audited at {url}."
        audited = audit_groups(client, scenes, extent, folder)
        draw(client, audited.comparison["id"], audited.results, folder)
    told = list(tell(audited))
    (folder / "results.md").write_text("\n\n".join(told) + "\n", encoding="utf-8")
    yield from told


def train_all(chosen: list[Run], extent: Extent, folder: Path, processes: int) -> Iterator[str]:
    """Each run in a process of one thread, so that its bits do not depend on how many run at once."""
    with ProcessPoolExecutor(processes, get_context("spawn"), initializer=torch.set_num_threads, initargs=(1,)) as pool:
        for facts in pool.map(train, chosen, [extent] * len(chosen), [folder] * len(chosen)):
            yield f"{facts['run']}: accuracy {facts['last_accuracy']:.2f}, loss {facts['last_loss']:.3f} at the end"


def tell(audited: Audited) -> Iterator[str]:
    """Tables and figures of the paper as text, then what agrees in pattern."""
    yield "## Table 1"
    yield measure_table(audited, TABLE_1)
    yield "## Table 2"
    yield measure_table(audited, TABLE_2)
    yield "Mean over sources ± spread over runs, in brackets the paper's. A number with * says nothing:"
    yield "\n".join(f"- {line}" for line in silences(audited)) or "- none"
    yield "## By source"
    yield source_table(audited)
    yield "## Figure 4: the noise curve"
    yield noise_table(audited)
    yield "## Figure 9: decisions on clean and degraded images"
    yield decision_table(audited)
    yield "## Figure 11: the radar"
    yield radar_table(audited)
    yield "## What agrees in pattern"
    for title, pairs in (("Human-guided minus cross-entropy", GUIDED), ("ResNet minus DenseNet", DEEPER)):
        found = patterns(audited, pairs)
        yield f"{title}: {counted(found)}"
        yield pattern_table(found)
    yield "The order of the four groups (C cross-entropy, H human-guided; D DenseNet, R ResNet):"
    yield order_table(audited)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="examples.paper", description="The experiments of Crum et al. 2023, again.")
    parser.add_argument("--full", action="store_true", help="as large as the paper's, on a CUDA device")
    parser.add_argument("--pretrained", action="store_true", help="with --full: begin with ImageNet weights")
    parser.add_argument("--output", type=Path, default=Path("build/paper"))
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="trainings at once, on CPU")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
