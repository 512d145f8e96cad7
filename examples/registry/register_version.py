"""Logs a network and registers it as a version, with MLflow's own client: run by the Python that has MLflow.

    python register_version.py TRACKING_URI NAME LAYOUT WEIGHTS RECIPE PACKAGES

Prints the version. PACKAGES is where torch is; it comes last on the path.
"""
# ruff: noqa: PLC0415 - where torch is, is known from the arguments alone

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"
NO_REQUIREMENTS: dict[str, Any] = {"pip_requirements": ["torch"]}
"""Said, so that MLflow does not find them out by loading the model in another process."""
Json = dict[str, Any]


def main(uri: str, name: str, layout: str, weights: str, recipe: str, packages: str) -> None:
    sys.path.append(packages)
    import mlflow

    mlflow.set_tracking_uri(uri)
    told: Json = json.loads(Path(recipe).read_text())
    with mlflow.start_run() as run, tempfile.TemporaryDirectory() as folder:
        if layout == "transformers":
            version = _transformers(name, told)
        elif layout == "onnx":
            version = _onnx(name, told, _network(told, weights))
        elif layout == "state_dict":
            version = _state_dict(name, told, _network(told, weights), run.info.run_id)
        else:
            version = _module(name, told, _network(told, weights), layout, Path(folder))
    sys.stdout.write(f"{version}\n")


def _network(told: Json, weights: str) -> Any:
    import torchvision
    from safetensors.torch import load_file

    network = torchvision.models.get_model(told["architecture"], num_classes=len(told["class_names"])).eval()
    network.load_state_dict(load_file(weights))
    return network


def _module(name: str, told: Json, network: Any, layout: str, folder: Path) -> str:
    """Pickled, or as an exported program; described by a file, by metadata, or not at all."""
    import mlflow.pytorch
    import numpy as np

    described = folder / "salience.json"
    described.write_text(json.dumps(told))
    size = told["preprocessing"]["input_size"]
    layouts: dict[str, Json] = {
        "pickled": {"serialization_format": "pickle", "extra_files": [str(described)]},
        "pt2": {
            "serialization_format": "pt2",
            "input_example": np.zeros((1, 3, size, size), "float32"),
            "metadata": {"salience": told},
        },
        "undescribed": {"serialization_format": "pickle"},
    }
    how = {"registered_model_name": name, **NO_REQUIREMENTS, **layouts[layout]}
    return str(mlflow.pytorch.log_model(network, name="model", **how).registered_model_version)


def _state_dict(name: str, told: Json, network: Any, run_id: str) -> str:
    """Described by the words of its version."""
    import mlflow.pytorch

    client = mlflow.MlflowClient()
    mlflow.pytorch.log_state_dict(network.state_dict(), artifact_path="weights")
    if not client.search_registered_models(f"name = '{name}'"):
        client.create_registered_model(name)
    words = json.dumps(told)
    return str(client.create_model_version(name, f"runs:/{run_id}/weights", run_id, description=words).version)


def _onnx(name: str, told: Json, network: Any) -> str:
    """A graph with its numbers in a file beside it, as MLflow saves it unless told otherwise."""
    import mlflow.onnx
    import torch

    size = told["preprocessing"]["input_size"]
    program: Any = torch.onnx.export(network, (torch.zeros(1, 3, size, size),), dynamo=True, verbose=False)
    described = {field: told[field] for field in ("class_names", "preprocessing")}
    how = {"registered_model_name": name, "metadata": {"salience": described}, **NO_REQUIREMENTS}
    return str(mlflow.onnx.log_model(program.model_proto, name="model", **how).registered_model_version)


def _transformers(name: str, told: Json) -> str:
    """A small network of the library's own, with its image processor: both are described by their configs."""
    import mlflow.transformers
    import torch
    from transformers import ConvNextImageProcessor, ResNetConfig, ResNetForImageClassification

    torch.manual_seed(7)
    sizes: Json = {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1], "layer_type": "basic"}
    config = ResNetConfig(**sizes, id2label=dict(enumerate(told["class_names"])))
    facts = told["preprocessing"]
    side = {"shortest_edge": facts["input_size"]}
    processor = ConvNextImageProcessor(size=side, crop_pct=0.875, image_mean=facts["mean"], image_std=facts["std"])
    network: Any = ResNetForImageClassification(config)
    parts = {"model": network.eval(), "image_processor": processor}
    how = {"registered_model_name": name, "task": "image-classification", **NO_REQUIREMENTS}
    return str(mlflow.transformers.log_model(parts, name="model", **how).registered_model_version)


main(*sys.argv[1:])
