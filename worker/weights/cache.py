"""Models that this process has loaded, so that shards of one audit, and audits of one model, load it once."""

import json
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor, nn

from app.domain.maps.cam_methods import DEFAULT_MASKS
from app.domain.models.input_size import InputSize
from app.domain.models.outputs import Output
from app.domain.models.preprocessing import Preprocessing
from app.domain.vocabulary import CamMethod
from app.errors import InputFailure
from worker.salience import make_explainer
from worker.salience.explainer import Explainer
from worker.salience.extraction import SalienceExtractor
from worker.salience.hook import TargetHook
from worker.salience.input_channels import input_channels
from worker.weights.architectures import build, build_untrained
from worker.weights.loading import read_canonical
from worker.wire.contents import Inputs, verified
from worker.wire.job_parts import JobModel

MAX_BYTES = 2 * 1024**3

_Key = tuple[str, str | None, str, torch.device, int | None]


class LoadedModel(Protocol):
    """A model that is ready to be explained, whatever runs it."""

    @property
    def size_bytes(self) -> int:
        """Of its weights."""

    @property
    def channels(self) -> int:
        """How many the network takes."""

    def reader(self, input_size: InputSize, target_layer: str | None, output: Output) -> Callable[[Tensor], Tensor]:
        """What makes logits by class (N, C) of normalised images. Raises InputFailure ``target-layer-not-found``."""

    def explainer(
        self,
        method: CamMethod,
        input_size: InputSize,
        target_layer: str | None,
        output: Output,
        masks: int = DEFAULT_MASKS,
    ) -> Explainer:
        """Raises InputFailure ``target-layer-not-found`` or ``cam-method-not-possible``."""


@dataclass(frozen=True)
class TorchModel:
    """A module in eval mode on its device, with the hooks that audits asked for: each costs a traced forward pass."""

    module: nn.Module
    _hooks: dict[tuple[InputSize, str | None, Output], TargetHook] = field(default_factory=dict, repr=False)

    @property
    def channels(self) -> int:
        return input_channels(self.module)

    @property
    def size_bytes(self) -> int:
        return sum(tensor.numel() * tensor.element_size() for tensor in self.module.state_dict().values())

    def reader(self, input_size: InputSize, target_layer: str | None, output: Output) -> Callable[[Tensor], Tensor]:
        return SalienceExtractor(self._hook(input_size, target_layer, output)).logits

    def explainer(
        self,
        method: CamMethod,
        input_size: InputSize,
        target_layer: str | None,
        output: Output,
        masks: int = DEFAULT_MASKS,
    ) -> Explainer:
        return make_explainer(method, self._hook(input_size, target_layer, output), masks)

    def _hook(self, input_size: InputSize, target_layer: str | None, output: Output) -> TargetHook:
        key = (input_size, target_layer, output)
        if key not in self._hooks:
            self._hooks[key] = TargetHook(self.module, input_size=input_size, target_layer=target_layer, output=output)
        return self._hooks[key]


class ModelCache:
    """Least recently used models are dropped once their parameters exceed ``max_bytes``; the newest always stays."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._models: OrderedDict[_Key, LoadedModel] = OrderedDict()

    def get(self, inputs: Inputs, model: JobModel, device: torch.device, random_seed: int | None = None) -> LoadedModel:
        """The model, ready to run on the device; with a seed its random twin.

        Raises InputFailure where its file is not as it was, or a graph's twin is asked for.
        """
        options = json.dumps([model.architecture_options, model.head and model.head.model_dump()], sort_keys=True)
        key = (model.digest, model.architecture, options, device, random_seed)
        if key not in self._models:
            self._models[key] = _load(inputs, model, device, random_seed)
        self._models.move_to_end(key)
        while len(self._models) > 1 and sum(each.size_bytes for each in self._models.values()) > self._max_bytes:
            self._models.popitem(last=False)
        return self._models[key]


def _load(inputs: Inputs, model: JobModel, device: torch.device, random_seed: int | None) -> LoadedModel:
    with verified(inputs, model.digest) as file:
        if model.architecture is None:
            if random_seed is not None:
                raise InputFailure("sanity-needs-weights", "A graph's weights cannot be drawn anew.")
            # Costs a quarter of a second and 26 MB, which most workers never need.
            from worker.weights.onnx.graph_model import load_graph  # noqa: PLC0415

            return load_graph(file, Preprocessing.of(model.preprocessing).input_size)
        weights = read_canonical(file)
    network = (model.architecture, weights, model.architecture_options, model.head)
    module = build(*network) if random_seed is None else build_untrained(*network, random_seed)
    return TorchModel(module.to(device).to(memory_format=torch.channels_last))
