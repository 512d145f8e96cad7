"""Weights in several files, as the tools of the field write them: fetched as one ZIP, which a worker reads alike."""

import hashlib
import io
from pathlib import Path

import onnx
import pytest
import torch
from onnx import numpy_helper
from safetensors.torch import load_file
from torch import nn

from app.domain.vocabulary import ModelFormat, Origin
from app.errors import InputFailure
from app.imports.fetching import fetch
from app.imports.weights import WeightFiles
from app.models.imported import described_import
from app.registries.folder import FolderRegistry
from app.settings import Settings
from app.storage.blobs import BlobStore
from tests.weights.hugging_face import json_of, network
from worker.weights.contents import read_contents
from worker.weights.onnx.reading import read_model

NAME = "ResNetForImageClassification"


def fetched(folder: Path, blobs: BlobStore) -> tuple[str | None, io.BytesIO]:
    """The file that names the kind, and the content."""
    found = fetch(FolderRegistry([str(folder.parent)]), f"file://{folder}", blobs, 10_000_000, lambda: None)
    assert found.blob is not None
    content = b"".join(blobs.read(found.blob.digest))
    assert found.blob.digest == f"sha256:{hashlib.sha256(content).hexdigest()}"
    return found.file, io.BytesIO(content)


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore.from_settings(Settings(blob_store=str(tmp_path / "blobs")))


def test_shards_with_their_index(tmp_path: Path, blobs: BlobStore) -> None:
    folder = tmp_path / "sharded"
    network(NAME).save_pretrained(folder, max_shard_size="10KB")
    assert len(list(folder.glob("*.safetensors"))) > 1
    file, content = fetched(folder, blobs)
    assert file == "model.safetensors.index.json"
    tensors = read_contents(content, ModelFormat.SAFETENSORS).tensors
    expected = {name: tensor for path in folder.glob("*.safetensors") for name, tensor in load_file(path).items()}
    assert {path[0] for path in tensors} == set(expected)
    assert all(torch.equal(load().read(), expected[path[0]]) for path, load in tensors.items())


@pytest.mark.parametrize("location", ["model.onnx.data", "model.onnx_data", None])
def test_a_graph_with_its_numbers_beside_it(location: str | None, tmp_path: Path, blobs: BlobStore) -> None:
    """Of torch, of optimum, and of ``onnx`` itself, which gives it a name of hex digits."""
    folder = tmp_path / "graph"
    folder.mkdir()
    layers = nn.Sequential(nn.Conv2d(3, 64, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 2))
    program = torch.onnx.export(layers.eval(), (torch.zeros(1, 3, 32, 32),), dynamo=True, verbose=False)
    assert program is not None
    graph = program.model_proto
    numbers = {one.name: numpy_helper.to_array(one) for one in graph.graph.initializer}
    onnx.save(graph, folder / "model.onnx", save_as_external_data=True, location=location)
    (folder / "config.json").write_text('{"model_type": "resnet", "architectures": ["ResNetForImageClassification"]}')
    assert len(list(folder.iterdir())) == 3
    file, content = fetched(folder, blobs)
    assert file == "model.onnx"
    read = {one.name: numpy_helper.to_array(one) for one in read_model(content).graph.initializer}
    assert all((read[name] == value).all() for name, value in numbers.items())


def test_a_graph_is_its_own_architecture(tmp_path: Path) -> None:
    """A config beside it names the classes, and no network that weights would fit."""
    network(NAME).save_pretrained(tmp_path)
    config = json_of(tmp_path / "config.json")
    found = [(Origin.CONFIG, {"config": config}), (Origin.ARTIFACT, {"format": "onnx"})]
    model, origins = described_import({}, found)
    assert (model.architecture, model.class_names) == (None, ["cat", "dog", "owl"])
    assert origins["class_names"]["from"] == "config.json"


@pytest.mark.parametrize(
    ("names", "parts"),
    [
        (["model.safetensors", "model.safetensors.index.json", "model-00001-of-00001.safetensors"], 1),
        (["model.onnx", "notes.txt", "model.onnx_data", "model.onnx_data_1", "other/model.onnx_data"], 3),
        (["model/model.safetensors", "MLmodel", "model/config.json"], 1),
        (["onnx/model.onnx", "onnx/model.onnx_data", "onnx/model_fp16.onnx", "config.json"], 2),
        (["net.pth"], 1),
        (["model_best.pth.tar", "._model_best.pth.tar", "log.txt"], 1),
        (["last.ckpt", "hparams.yaml"], 1),
    ],
)
def test_which_files(names: list[str], parts: int) -> None:
    weights = WeightFiles.among(names)
    assert (weights.name, len(weights.parts)) == (names[0], parts)


@pytest.mark.parametrize(
    ("names", "told"), [(["a.pth", "b.pth"], "a.pth, b.pth"), (["sub/a.pth"], "mlflow.transformers")]
)
def test_which_are_none(names: list[str], told: str) -> None:
    with pytest.raises(InputFailure, match="model-format-not-accepted") as failed:
        WeightFiles.among(names)
    assert told in failed.value.detail


def test_a_checkpoint_that_is_called_a_tar(tmp_path: Path, blobs: BlobStore) -> None:
    """As torch's example for ImageNet calls what ``torch.save`` writes."""
    folder = tmp_path / "version"
    folder.mkdir()
    torch.save({"state_dict": nn.Linear(2, 2).state_dict()}, folder / "checkpoint.pth.tar")
    file, content = fetched(folder, blobs)
    assert file == "checkpoint.pth.tar"
    assert content.getvalue() == (folder / "checkpoint.pth.tar").read_bytes()
