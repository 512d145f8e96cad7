"""Files as people have them, made by the tools that make them: the network's own tensors come out, or a way out."""

import argparse
import io
import json
import zipfile
from collections import Counter, OrderedDict
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
import torchvision
from safetensors.torch import save as save_safetensors
from torch import nn
from torch.nn.utils import prune
from torch.optim.swa_utils import AveragedModel

from app.domain.vocabulary import ModelFormat, Origin
from app.errors import InputFailure
from tests.weights.weight_files import fitted, random_weights, same, saved
from worker.weights.architectures import build
from worker.weights.loading import StateDict
from worker.weights.recorded_modules import check_recorded

NAME = "shufflenet_v2_x0_5"
RESOLVED = f"torchvision/{NAME}"


@cache
def network() -> nn.Module:
    net: nn.Module = torchvision.models.get_model(NAME, weights=None, num_classes=2).eval()
    net.load_state_dict(random_weights(net))
    return net


def weights() -> StateDict:
    return dict(network().state_dict())


def prefixed(prefix: str) -> StateDict:
    return {prefix + name: tensor for name, tensor in weights().items()}


def trained() -> tuple[nn.Module, torch.optim.Optimizer]:
    optimizer = torch.optim.AdamW(network().parameters())
    for parameter in network().parameters():
        parameter.grad = torch.zeros_like(parameter)
    return network(), optimizer


def reference_checkpoint() -> dict[str, Any]:
    """As torchvision's and timm's scripts write it."""
    net, optimizer = trained()
    return {
        "state_dict": net.state_dict(),
        "optimizer": optimizer.state_dict(),
        "args": argparse.Namespace(model=NAME, lr=0.1),
        "best": np.float64(0.93),
        "seen": Counter("abca"),
        "loss": nn.CrossEntropyLoss(weight=torch.ones(2)),
        "schedule": torch.optim.lr_scheduler.StepLR(optimizer, 3).state_dict(),
    }


def averaged() -> StateDict:
    return dict(AveragedModel(network()).state_dict())


WHOLE: dict[str, tuple[Callable[[], Any], str]] = {
    "a state_dict": (weights, ""),
    "a checkpoint with all that trainers keep": (reference_checkpoint, "state_dict"),
    "an average": (averaged, "module"),
    "a whole module": (network, ""),
    "a whole module within a checkpoint": (lambda: {"epoch": 3, "model": network()}, "model"),
    "a data parallel module": (lambda: nn.DataParallel(network()), "module"),
    "a pair": (lambda: (network().state_dict(), 3), "0"),
    "DeepSpeed's": (lambda: {"module": OrderedDict(weights()), "dp_world_size": 1}, "module"),
    "Lightning's": (
        lambda: {
            "state_dict": prefixed("net.backbone.") | {"criterion.weight": torch.ones(2)},
            "hyper_parameters": {"net": network()},
            "callbacks": {"ModelCheckpoint{'monitor': None}": {"best_k_models": {}}},
        },
        "state_dict.net.backbone",
    ),
}


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "before 1.6"])
@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.filterwarnings("ignore")
def test_the_network_s_own_tensors(name: str, *, legacy: bool) -> None:
    make, key = WHOLE[name]
    found = fitted(saved(make(), _use_new_zipfile_serialization=not legacy), NAME)
    assert found.architecture == RESOLVED
    assert found.match.key == key
    assert same(found.weights, weights())


def test_what_was_done_is_told() -> None:
    found = fitted(saved(WHOLE["Lightning's"][0]()), "ShuffleNet-v2-x0.5")
    told = {name: (fact.value, fact.origin) for name, fact in found.facts.items()}
    assert told == {
        "file": ("torch.save", Origin.FILE),
        "architecture": (RESOLVED, Origin.REQUEST),
        "weights_key": ("state_dict.net.backbone", Origin.FILE),
        "left_out": (["state_dict.criterion.weight"], Origin.FILE),
    }


def test_wrappers_amid_the_names() -> None:
    inside = {f"{name.replace('.', '.module.', 1)}": tensor for name, tensor in weights().items()}
    found = fitted(saved(inside), NAME)
    assert same(found.weights, weights())
    assert found.facts["stripped"].value == ["module"]


def test_several_sets_that_fit() -> None:
    other = {name: tensor + 1 for name, tensor in weights().items()}
    content = saved({"model": weights(), "model_ema": other})
    with pytest.raises(InputFailure) as refused:
        fitted(content, NAME)
    assert (refused.value.code, refused.value.facts) == ("model-weights-ambiguous", {"keys": ["model", "model_ema"]})
    assert same(fitted(content, NAME, weights_key="model").weights, weights())
    assert same(fitted(content, NAME, weights_key="model_ema").weights, other)
    assert same(fitted(saved({"a": weights(), "b": weights()}), NAME).weights, weights())
    with pytest.raises(InputFailure, match="model, model_ema"):
        fitted(content, NAME, weights_key="ema")


def test_what_lies_beside_the_network() -> None:
    """A second head may be the one that counts."""
    content = saved(prefixed("backbone.") | {"head.weight": torch.ones(2, 1024)})
    with pytest.raises(InputFailure, match="head") as refused:
        fitted(content, NAME)
    assert refused.value.code == "model-architecture-mismatch"
    assert '"ignore_tensors": ["head.*"]' in refused.value.detail
    for pattern in ("head.*", "head", "head.weight"):
        found = fitted(content, NAME, ignore_tensors=(pattern,))
        assert same(found.weights, weights())
        assert found.facts["left_out"].value == ["head.weight"]


def test_half_precision_and_no_counters() -> None:
    half = {name: tensor.half() for name, tensor in weights().items() if "num_batches" not in name}
    built = build(RESOLVED, fitted(saved(half), NAME).weights).state_dict()
    assert all(torch.equal(built[name], tensor.float()) for name, tensor in half.items())


def apart(tool: Callable[[nn.Module], object]) -> tuple[StateDict, nn.Module]:
    net = torchvision.models.get_model(NAME, weights=None, num_classes=2)
    net.load_state_dict(weights())
    for part in net.modules():
        if isinstance(part, (nn.Conv2d, nn.Linear)):
            tool(part)
    return dict(net.state_dict()), net.eval()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("tool", "name"),
    [
        (nn.utils.weight_norm, "weight_norm"),
        (nn.utils.parametrizations.weight_norm, "weight_norm"),
        (nn.utils.spectral_norm, "spectral_norm"),
        (nn.utils.parametrizations.spectral_norm, "spectral_norm"),
        (lambda part: prune.l1_unstructured(part, "weight", 0.3), "pruning"),  # type: ignore[no-untyped-call]
    ],
    ids=["weight_norm", "weight_norm, new", "spectral_norm", "spectral_norm, new", "pruning"],
)
def test_weights_that_were_taken_apart(tool: Callable[[nn.Module], object], name: str) -> None:
    content, net = apart(tool)
    found = fitted(saved(content), NAME)
    assert found.facts["folded"].value == {name: 57}
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(build(RESOLVED, found.weights)(images), net(images), equal_nan=True)


@pytest.mark.filterwarnings("ignore")
def test_torchscript_and_exported_programs() -> None:
    script, program = io.BytesIO(), io.BytesIO()
    torch.jit.save(torch.jit.script(network()), script)
    torch.export.save(torch.export.export(network(), (torch.ones(1, 3, 64, 64),)), program)
    scripted = fitted(script.getvalue(), NAME)
    assert same(scripted.weights, weights())
    assert check_recorded(scripted, build(RESOLVED, scripted.weights))["network"].origin is Origin.ASSUMED
    assert same(fitted(program.getvalue(), NAME).weights, weights())
    frozen = io.BytesIO()
    torch.jit.save(torch.jit.freeze(torch.jit.script(network())), frozen)
    with pytest.raises(InputFailure, match="TorchScript") as refused:
        fitted(frozen.getvalue(), NAME)
    assert refused.value.code == "model-format-not-accepted"


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_shards(method: int) -> None:
    names = sorted(weights())
    halves = {"model-00001-of-00002.safetensors": names[:100], "model-00002-of-00002.safetensors": names[100:]}
    index = {"metadata": {}, "weight_map": {name: shard for shard, held in halves.items() for name in held}}

    def zipped(*shards: str) -> bytes:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", method) as archive:
            archive.writestr("mine/model.safetensors.index.json", json.dumps(index))
            archive.writestr("__MACOSX/._model.safetensors", b"\0")
            for shard in shards:
                archive.writestr(f"mine/{shard}", save_safetensors({name: weights()[name] for name in halves[shard]}))
        return file.getvalue()

    assert same(fitted(zipped(*halves), NAME, ModelFormat.SAFETENSORS).weights, weights())
    with pytest.raises(InputFailure, match="model-00002-of-00002"):
        fitted(zipped("model-00001-of-00002.safetensors"), NAME, ModelFormat.SAFETENSORS)
