"""Logs a network and registers it as a version, with MLflow's own client: run by the Python that has MLflow.

    python register_version.py TRACKING_URI NAME LAYOUT WEIGHTS RECIPE PACKAGES

Prints the version. PACKAGES is where torch is; it comes last on the path.
"""
# ruff: noqa: PLC0415 - where torch is, is known from the arguments alone

import json
import sys
import tempfile
from pathlib import Path
from typing import Any


def main(uri: str, name: str, layout: str, weights: str, recipe: str, packages: str) -> None:
    sys.path.append(packages)
    import mlflow
    import mlflow.pytorch
    import numpy as np
    import torchvision
    from safetensors.torch import load_file

    mlflow.set_tracking_uri(uri)
    told: dict[str, Any] = json.loads(Path(recipe).read_text())
    classes = len(told["class_names"])
    network = torchvision.models.get_model(told["architecture"], num_classes=classes).eval()
    network.load_state_dict(load_file(weights))
    size = told["preprocessing"]["input_size"]
    client = mlflow.MlflowClient()
    with mlflow.start_run() as run, tempfile.TemporaryDirectory() as folder:
        described = Path(folder) / "salience.json"
        described.write_text(json.dumps(told))
        if layout == "state_dict":
            mlflow.pytorch.log_state_dict(network.state_dict(), artifact_path="weights")
            if not client.search_registered_models(f"name = '{name}'"):
                client.create_registered_model(name)
            source = f"runs:/{run.info.run_id}/weights"
            made = client.create_model_version(name, source, run.info.run_id, description=json.dumps(told))
            sys.stdout.write(f"{made.version}\n")
            return
        layouts: dict[str, dict[str, Any]] = {
            "pickled": {"serialization_format": "pickle", "extra_files": [str(described)]},
            "pt2": {
                "serialization_format": "pt2",
                "input_example": np.zeros((1, 3, size, size), "float32"),
                "metadata": {"salience": told},
            },
            "undescribed": {"serialization_format": "pickle"},
        }
        logged = mlflow.pytorch.log_model(network, name="model", registered_model_name=name, **layouts[layout])
    sys.stdout.write(f"{logged.registered_model_version}\n")


main(*sys.argv[1:])
