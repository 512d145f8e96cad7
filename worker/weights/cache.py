"""Models that this process has loaded, so that shards of one audit, and audits of one model, load it once."""

import json
from collections import OrderedDict
from dataclasses import dataclass, field

import torch
from torch import nn

from app.domain.outputs import Output
from worker.salience.hook import TargetHook
from worker.salience.input_channels import input_channels
from worker.weights.architectures import build
from worker.weights.loading import read_canonical
from worker.wire.contents import Inputs, verified
from worker.wire.jobs import JobModel

MAX_BYTES = 2 * 1024**3

_Key = tuple[str, str, str, torch.device]


@dataclass(frozen=True)
class LoadedModel:
    """A model in eval mode on its device, with the hooks that audits asked for: each costs a traced forward pass."""

    module: nn.Module
    _hooks: dict[tuple[int, str | None, Output], TargetHook] = field(default_factory=dict, repr=False)

    @property
    def channels(self) -> int:
        """How many the network takes."""
        return input_channels(self.module)

    def hook(self, input_size: int, target_layer: str | None, output: Output) -> TargetHook:
        """Raises InputFailure ``target-layer-not-found``."""
        key = (input_size, target_layer, output)
        if key not in self._hooks:
            self._hooks[key] = TargetHook(self.module, input_size=input_size, target_layer=target_layer, output=output)
        return self._hooks[key]


class ModelCache:
    """Least recently used models are dropped once their parameters exceed ``max_bytes``; the newest always stays."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._models: OrderedDict[_Key, LoadedModel] = OrderedDict()

    def get(self, inputs: Inputs, model: JobModel, device: torch.device) -> LoadedModel:
        """The model in eval mode, channels last, on the device. Raises InputFailure where its file is not as it was."""
        options = json.dumps([model.architecture_options, model.head and model.head.model_dump()], sort_keys=True)
        key = (model.digest, model.architecture, options, device)
        if key not in self._models:
            module = _load(inputs, model).to(device).to(memory_format=torch.channels_last)
            self._models[key] = LoadedModel(module)
        self._models.move_to_end(key)
        while len(self._models) > 1 and sum(map(_bytes, self._models.values())) > self._max_bytes:
            self._models.popitem(last=False)
        return self._models[key]


def _load(inputs: Inputs, model: JobModel) -> nn.Module:
    with verified(inputs, model.digest) as file:
        weights = read_canonical(file)
    return build(model.architecture, weights, model.architecture_options, model.head).eval()


def _bytes(model: LoadedModel) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in model.module.state_dict().values())
