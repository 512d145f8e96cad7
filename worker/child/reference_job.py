"""Runs a reference's images through the model, compares, and looks for what would explain a disagreement."""

from collections.abc import Iterator

from app.settings import Settings
from worker.engine.fidelity.agreement import Owned
from worker.engine.fidelity.running import Runner
from worker.engine.fidelity.suggesting import Suggester
from worker.machine.device import pick_device
from worker.weights.cache import ModelCache
from worker.wire.contents import Inputs
from worker.wire.facts import FidelityFacts
from worker.wire.jobs import ReferenceJob
from worker.wire.replies import Progress, Reply


def run_reference_job(
    job: ReferenceJob, settings: Settings, inputs: Inputs, models: ModelCache
) -> Iterator[tuple[Reply, bytes]]:
    """How the predictions agree, after one progress a batch. Raises InputFailure."""
    runner = Runner(inputs, job.archive_digest, settings, models, pick_device(settings.device))
    for reply in _facts(job, runner):
        yield reply, b""


def _facts(job: ReferenceJob, runner: Runner) -> Iterator[Progress | FidelityFacts]:
    owned = Owned.of(job.model.output, job.samples)
    logits = yield from runner.outputs(job.model, [sample.sample for sample in job.samples])
    agreement = owned.agreement(logits)
    fidelity = owned.judged(agreement)
    if fidelity.agreeing < fidelity.images:
        suggestion = yield from Suggester(job, owned, runner).suggestion(logits, agreement)
        said = {"suggestion": suggestion.words, "suggested_change": suggestion.change}
        fidelity = fidelity.model_copy(update=said)
    yield FidelityFacts(fidelity=fidelity)
