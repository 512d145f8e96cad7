"""Images in the views that measures need, as the engine would show them to a model; each goes to the parent as a PNG.

Views are made on the CPU, as the engine makes them, whatever the device of its passes.
"""

import io
from collections.abc import Iterator, Mapping

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from app.domain.input_size import InputSize
from app.domain.preprocessing import Preprocessing
from app.domain.vocabulary import CLEAN
from app.settings import Settings
from worker.child.table_inputs import with_tables
from worker.engine.plan import explainer_of
from worker.engine.sample_reader import ArchiveLocation, SampleReader
from worker.given.maps import GivenMaps, Values
from worker.views import View, ViewSetting, make_views
from worker.views.base import ImageBatch, ImageView
from worker.views.maps import SalienceMaps
from worker.weights.cache import ModelCache
from worker.wire.contents import Inputs
from worker.wire.facts import ChangedImage
from worker.wire.jobs import ViewsJob
from worker.wire.replies import Progress, Reply

CPU = torch.device("cpu")
BATCH = 8
PNG_LEVEL = 1
"""zlib's fastest: a tenth larger than by default, in a third of the time."""


def run_views_job(
    job: ViewsJob, settings: Settings, inputs: Inputs, models: ModelCache
) -> Iterator[tuple[Reply, bytes]]:
    """Sample by sample, its views in the job's order; a progress after every batch. Raises InputFailure."""
    preprocessing = Preprocessing.of(job.preprocessing)
    views = _views(job, preprocessing, _stride(job, inputs, models))
    yield Progress(), b""
    contents = with_tables(inputs, job.archive_digest, job.tables, job.samples)
    given = None if job.map_set is None else GivenMaps.of(job.map_set, inputs)
    location = ArchiveLocation(contents, job.archive_digest, settings)
    with SampleReader(location, (preprocessing.spec,), _nothing) as reader:
        first = 0
        for decoded in reader.batches(job.samples, BATCH):
            batch = decoded.images[preprocessing.spec]
            numbers = range(first, first + len(batch.samples))
            maps = _maps(_native(job, given, numbers), preprocessing.input_size)
            yield from _sent({name: _changed(batch, view, maps) for name, view in views.items()}, first)
            first += len(batch.samples)
            yield Progress(done=first), b""


def _nothing(_: object) -> None:
    """There is nothing to make ahead."""


def _stride(job: ViewsJob, inputs: Inputs, models: ModelCache) -> tuple[int, int]:
    """Without a model no view asks for it."""
    if job.model is None:
        return (1, 1)
    return explainer_of(job.protocol, job.model, models.get(inputs, job.model, CPU)).stride


def _views(job: ViewsJob, preprocessing: Preprocessing, stride: tuple[int, int]) -> Mapping[str, View | None]:
    """None: the clean images."""
    setting = ViewSetting(job.protocol, preprocessing.input_size, stride, preprocessing.mean_colour)
    made = make_views((name for name in job.views if name != CLEAN), setting)
    return {name: made.get(name) for name in job.views}


def _native(job: ViewsJob, given: GivenMaps | None, numbers: range) -> list[Values]:
    """The clean maps of a batch, (h, w) each; none where no view follows them."""
    if given is not None:
        return [values for number in numbers if (values := given.read(number, CLEAN)) is not None]
    return [one.cells() for one in job.maps[numbers.start : numbers.stop]]


def _maps(native: list[Values], input_size: InputSize) -> SalienceMaps:
    """A map that is undefined is zero, as the engine has it."""
    stacked = torch.from_numpy(np.stack(native)) if native else torch.empty(0, 1, 1)
    return SalienceMaps(stacked, (None,) * len(native), input_size)


def _changed(batch: ImageBatch, view: View | None, maps: SalienceMaps) -> Tensor:
    """(N, 3, H, W) uint8."""
    if view is None:
        return batch.images
    return view.of_images(batch) if isinstance(view, ImageView) else view.transform(batch, maps)


def _sent(changed: Mapping[str, Tensor], first: int) -> Iterator[tuple[Reply, bytes]]:
    by_sample = zip(*(images.permute(0, 2, 3, 1).numpy() for images in changed.values()), strict=True)
    for number, images in enumerate(by_sample, first):
        for view, image in zip(changed, images, strict=True):
            file = io.BytesIO()
            Image.fromarray(np.ascontiguousarray(image)).save(file, "PNG", compress_level=PNG_LEVEL)
            yield ChangedImage(number=number, view=view), file.getvalue()
