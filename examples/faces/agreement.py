"""Agreement of the demo's networks with the prior that guided half of them, and with maps that Captum makes.

    .venv/bin/python examples/faces/agreement.py

Three map sets: the drawn prior, of faces alone; Captum's Grad-CAM of the first network, which has to agree with the
service's own; and Captum's saliency (gradient of the input) of the same network, which no CAM knows of.
"""

import io
import json
import sys
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import captum.attr
import numpy as np
from numpy.typing import NDArray
from prepare import build_archive, named_images
from safetensors.torch import load_file
from torch import Tensor, nn
from torchvision.models import shufflenet_v2_x0_5
from train import FOLDER, RECIPE, face_prior, load_images

from app.demo.service import running_service
from salience_audit import Client

WEIGHTS = FOLDER / "weights"
NETWORKS = ("cross_entropy_run1", "cross_entropy_run2", "human_guided_run1", "human_guided_run2")
SHOWN = ("cc", "sim", "iou", "emd")
SETS = ("drawn prior", "Captum Grad-CAM of cross_entropy_run1", "Captum saliency of cross_entropy_run1")


def main() -> int:
    with TemporaryDirectory() as folder, running_service(Path(folder)) as (url, key), Client(url, key) as client:
        print(_table(audited(client)))
    return 0


def audited(client: Client) -> dict[str, Any]:
    """Results of an audit of four networks and three map sets."""
    data = client.push_dataset(build_archive(), name="faces")["id"]
    models = [
        client.push_model(WEIGHTS / f"{name}.safetensors", description=RECIPE | {"name": name})["id"]
        for name in NETWORKS
    ]
    sets = [
        client.push_map_set(_archive(maps), dataset_id=data, description={"name": name, "kind": "other"})["id"]
        for name, maps in zip(SETS, (prior_maps(), *captum_maps(NETWORKS[0])), strict=True)
    ]
    protocol = {"measures": {"entropy": {}, "agreement": {"similarities": list(SHOWN)}}}
    audit = client.run_audit(data, model_ids=models, map_set_ids=sets, protocol=protocol)["id"]
    client.wait(audit)
    return dict(client.results(audit))


def prior_maps() -> dict[str, NDArray[Any]]:
    """One drawing for every face; other images have none."""
    prior = face_prior(64).numpy()
    return {name: prior for name in named_images() if name.startswith("face/")}


def captum_maps(name: str) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
    """Captum's Grad-CAM (7, 7) and saliency (224, 224) of the predicted class, float32, by sample."""
    network = shufflenet_v2_x0_5(num_classes=2)
    network.load_state_dict({key: value.float() for key, value in load_file(WEIGHTS / f"{name}.safetensors").items()})
    network.eval()
    images, _ = load_images()
    grad_cam = captum.attr.LayerGradCam(network, network.conv5)
    saliency = captum.attr.Saliency(network)
    return (
        _by_sample(network, images, lambda one, target: grad_cam.attribute(one, target, relu_attributions=True)),
        _by_sample(network, images, lambda one, target: saliency.attribute(one, target).amax(1, keepdim=True)),
    )


def _by_sample(network: nn.Module, images: Tensor, explain: Callable[[Tensor, int], Tensor]) -> dict[str, NDArray[Any]]:
    found = {}
    for name, image in zip(named_images(), images, strict=True):
        batch = image[None].clone().requires_grad_()
        found[name] = explain(batch, int(network(batch).argmax()))[0, 0].detach().numpy()
    return found


def _archive(maps: dict[str, NDArray[Any]]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, values in maps.items():
            array = io.BytesIO()
            np.save(array, values)
            archive.writestr(name.replace(".png", ".npy"), array.getvalue())
    return file.getvalue()


def _table(results: dict[str, Any]) -> str:
    """Mean, and in brackets that of another sample's map: by network and map set."""
    names = {model["model_id"]: model["name"] for model in results["models"]}
    lines = ["| network | map set | " + " | ".join(SHOWN) + " |", "| --- " * (2 + len(SHOWN)) + "|"]
    for model_id, name in names.items():
        for number, title in enumerate(SETS, 1):
            cells = (_cell(results["summaries"], model_id, f"{similarity}@{number}") for similarity in SHOWN)
            lines.append(f"| {name} | {title} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(summaries: Iterable[dict[str, Any]], model_id: str, view: str) -> str:
    wanted = {"measure": "agreement", "view": view, "model_id": model_id, "group_by": "total", "group": "micro"}
    row = next(row for row in summaries if all(row[field] == value for field, value in wanted.items()))
    if row["mean"] is None:
        return f"none ({json.dumps(row['n_undefined'])} undefined)"
    return f"{row['mean']:.3f} ({row['control_mean']:.3f})"


if __name__ == "__main__":
    sys.exit(main())
