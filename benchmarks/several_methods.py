"""An audit of one model under several methods, against as many audits of one method each, in one run."""

import statistics

from benchmarks.audits import PASSES, Service
from benchmarks.table import Row, Section

# All of one pair of activation and gradient.
METHODS = ("gradcam", "gradcam_plus_plus", "layercam", "xgradcam")
# What a method alone decides: the two degraded images of each sample.
OWN_PASSES = 2


def several_methods(name: str, running: Service, rounds: int) -> Section:
    """Each round asks for the methods one after the other, then for all of them at once."""
    model_id = running.upload(name)
    running.audit(model_id, 1)
    ratios = [_round(running, model_id, 100 * number) for number in range(1, rounds + 1)]
    most = len(METHODS) * PASSES / (PASSES - OWN_PASSES + len(METHODS) * OWN_PASSES)
    note = f"{most:.1f} by the passes alone; maps and scores are made for each method"
    return Section(
        f"{len(METHODS)} methods in one audit of {name}",
        f"{', '.join(METHODS)}; {running.images} PNGs, {rounds} rounds, through the API.",
        [Row("audits of one method / one audit of all", f"{statistics.median(ratios):.2f}", note=note)],
    )


def _round(running: Service, model_id: str, seed: int) -> float:
    alone = sum(running.audit(model_id, seed + place, (method,)) for place, method in enumerate(METHODS))
    return alone / running.audit(model_id, seed + len(METHODS), METHODS)
