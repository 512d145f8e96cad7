"""Weights in every form in which people have them, for the tests of what reads them."""

import io
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from app.domain.vocabulary import ModelFormat
from worker.weights.contents import read_contents
from worker.weights.fitting import FittedWeights, WeightsRequest, read_weights
from worker.weights.loading import StateDict, load


def saved(content: Any, **options: Any) -> bytes:
    file = io.BytesIO()
    torch.save(content, file, **options)
    return file.getvalue()


def read_all(data: bytes, kind: ModelFormat = ModelFormat.STATE_DICT) -> StateDict:
    """Every tensor of the file by its dotted path."""
    found = read_contents(io.BytesIO(data), kind)
    return load({".".join(path): source() for path, source in found.tensors.items()}, len(data))


def fitted(data: bytes, architecture: str, kind: ModelFormat = ModelFormat.STATE_DICT, **said: Any) -> FittedWeights:
    return read_weights(io.BytesIO(data), WeightsRequest(kind, architecture, **said))


def random_weights(network: nn.Module, seed: int = 1) -> StateDict:
    torch.manual_seed(seed)
    weights = network.state_dict()
    return {name: torch.rand_like(tensor) if tensor.is_floating_point() else tensor for name, tensor in weights.items()}


def same(found: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> bool:
    return found.keys() == expected.keys() and all(torch.equal(found[name], expected[name]) for name in expected)
