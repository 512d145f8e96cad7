"""Images in the views that measures need, as the engine would show them to a model.

Views are made on the CPU, as the engine makes them, whatever the device of its passes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor

from app.domain.models.input_size import InputSize
from app.domain.models.preprocessing import Preprocessing
from app.domain.vocabulary import CLEAN
from worker.engine.auditors import explainer_of
from worker.given.maps import GivenMaps, Values
from worker.views import View, ViewSetting, make_views
from worker.views.base import ImageBatch, ImageView
from worker.views.maps import SalienceMaps
from worker.weights.cache import ModelCache
from worker.wire.contents import Inputs
from worker.wire.jobs import ViewsJob

CPU = torch.device("cpu")


@dataclass(frozen=True)
class ChangedImages:
    """What a job's samples look like in its views."""

    job: ViewsJob
    preprocessing: Preprocessing
    views: Mapping[str, View | None]
    """In the job's order. None: the clean images."""
    given: GivenMaps | None
    """The clean maps, where a map set has them."""

    @classmethod
    def load(cls, job: ViewsJob, inputs: Inputs, models: ModelCache) -> Self:
        """Raises InputFailure where the model that views ask about cannot be loaded."""
        preprocessing = Preprocessing.of(job.preprocessing)
        views = _views(job, preprocessing, _stride(job, inputs, models))
        given = None if job.map_set is None else GivenMaps.of(job.map_set, inputs)
        return cls(job, preprocessing, views, given)

    def of(self, batch: ImageBatch, first: int) -> dict[str, Tensor]:
        """(N, 3, H, W) uint8 by view; ``first`` is the number of the batch's first sample within the job."""
        native = self._native(range(first, first + len(batch.samples)))
        maps = _maps(native, self.preprocessing.input_size)
        return {name: _changed(batch, view, maps) for name, view in self.views.items()}

    def _native(self, numbers: range) -> list[Values]:
        """The clean maps of a batch, (h, w) each; none where no view follows them."""
        if self.given is not None:
            return [values for number in numbers if (values := self.given.read(number, CLEAN)) is not None]
        return [one.cells() for one in self.job.maps[numbers.start : numbers.stop]]


def _stride(job: ViewsJob, inputs: Inputs, models: ModelCache) -> tuple[int, int]:
    """Without a model no view asks for it."""
    if job.model is None:
        return (1, 1)
    return explainer_of(job.protocol, job.model, models.get(inputs, job.model, CPU)).stride


def _views(job: ViewsJob, preprocessing: Preprocessing, stride: tuple[int, int]) -> Mapping[str, View | None]:
    setting = ViewSetting(job.protocol, preprocessing.input_size, stride, preprocessing.mean_colour)
    made = make_views((name for name in job.views if name != CLEAN), setting)
    return {name: made.get(name) for name in job.views}


def _maps(native: list[Values], input_size: InputSize) -> SalienceMaps:
    """A map that is undefined is zero, as the engine has it."""
    stacked = torch.from_numpy(np.stack(native)) if native else torch.empty(0, 1, 1)
    return SalienceMaps(stacked, (None,) * len(native), input_size)


def _changed(batch: ImageBatch, view: View | None, maps: SalienceMaps) -> Tensor:
    if view is None:
        return batch.images
    return view.of_images(batch) if isinstance(view, ImageView) else view.transform(batch, maps)
