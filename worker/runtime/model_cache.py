"""Models that this process has loaded, so that shards of one audit, and audits of one model, load it once."""

from collections import OrderedDict

import torch
from torch import nn

from app.domain.vocabulary import ModelFormat
from worker.runtime.architectures import build
from worker.runtime.checkpoints import read_state_dict
from worker.runtime.inputs import Inputs, verified

MAX_BYTES = 2 * 1024**3

_Key = tuple[str, str, torch.device]


class ModelCache:
    """Least recently used models are dropped once their parameters exceed ``max_bytes``; the newest always stays."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._modules: OrderedDict[_Key, nn.Module] = OrderedDict()

    def get(self, inputs: Inputs, digest: str, architecture: str, device: torch.device) -> nn.Module:
        """The model in eval mode, channels last, on the device. Raises InputFailure where its file is not as it was."""
        key = (digest, architecture, device)
        if key not in self._modules:
            self._modules[key] = _load(inputs, digest, architecture).to(device).to(memory_format=torch.channels_last)
        self._modules.move_to_end(key)
        while len(self._modules) > 1 and sum(map(_bytes, self._modules.values())) > self._max_bytes:
            self._modules.popitem(last=False)
        return self._modules[key]


def _load(inputs: Inputs, digest: str, architecture: str) -> nn.Module:
    with verified(inputs, digest) as file:
        return build(architecture, read_state_dict(file, ModelFormat.SAFETENSORS)).eval()


def _bytes(module: nn.Module) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in module.state_dict().values())
