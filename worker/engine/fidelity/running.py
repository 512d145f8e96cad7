"""A reference's images through the whole path of an audit: decoded, resized, normalised, through the network."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from app.domain.models.input_spec import InputSpec
from app.domain.models.outputs import Output
from app.domain.models.preprocessing import Preprocessing
from app.domain.refusals.use import REFERENCE_IMAGE
from app.domain.vocabulary import OutputKind
from app.errors import InputFailure
from app.imaging.decoding import decode_rgb
from app.imaging.entries import entry_of, read_entry
from app.imaging.framing import prepare
from app.settings import Settings
from worker.engine.normalisation import Normalisation
from worker.weights.cache import ModelCache
from worker.wire.contents import Inputs
from worker.wire.job_parts import JobModel, JobSample
from worker.wire.replies import Progress

BATCH = 8

Steps = Generator[Progress, None, Tensor]
"""Says that it goes on, and returns outputs (N, K) float64, one column an output of the network."""


@dataclass(frozen=True)
class Runner:
    """Of one archive's images."""

    inputs: Inputs
    archive_digest: str
    settings: Settings
    models: ModelCache
    device: torch.device

    def outputs(self, model: JobModel, samples: Sequence[JobSample]) -> Steps:
        """Before a final softmax or sigmoid. Raises InputFailure."""
        loaded = self.models.get(self.inputs, model, self.device)
        normalise = Normalisation(Preprocessing.of(model.preprocessing), loaded.channels)
        read = loaded.reader(normalise.input_size, model.target_layer, model.output)
        spec = normalise.preprocessing.spec
        found = []
        for start in range(0, len(samples), BATCH):
            yield Progress(done=start)
            pixels = np.stack([self._pixels(spec, sample) for sample in samples[start : start + BATCH]])
            images = torch.from_numpy(np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))).to(self.device)
            by_class = read(normalise(images))
            found.append(_by_output(by_class.double().cpu(), model.output))
        return torch.cat(found)

    def _pixels(self, spec: InputSpec, sample: JobSample) -> np.typing.NDArray[np.uint8]:
        try:
            data = read_entry(self.inputs, self.archive_digest, entry_of(sample), self.settings.max_entry_bytes)
            return prepare(decode_rgb(data, self.settings, reading=spec.reading), spec)
        except InputFailure as failure:
            raise REFERENCE_IMAGE.failure(name=repr(sample.name), what=failure.detail) from failure


def _by_output(by_class: Tensor, output: Output) -> Tensor:
    """(N, K): of two classes that one logit makes, that logit."""
    return by_class[:, 1:] + output.threshold_logit if output.kind is OutputKind.BINARY else by_class
