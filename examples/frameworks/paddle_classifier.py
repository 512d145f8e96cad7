"""Trains a small PaddlePaddle classifier twice and writes both as ONNX, with what it says of some pictures.

    build/paddle/bin/python examples/frameworks/paddle_classifier.py faces.zip paddle

Needs paddlepaddle and paddle2onnx (`make build/paddle/.installed`). Writes what keras_classifier.py writes.
"""

import json
import sys
import zipfile
from pathlib import Path

import numpy as np
import paddle
from paddle import nn
from PIL import Image

SIDE, RUNS, SHOWN = 64, 2, 16


def made() -> nn.Layer:
    return nn.Sequential(
        *(nn.Conv2D(3, 16, 3, 2, 1), nn.ReLU(), nn.Conv2D(16, 32, 3, 2, 1), nn.BatchNorm2D(32), nn.ReLU()),
        *(nn.Conv2D(32, 32, 3, 1, 1), nn.ReLU(), nn.AdaptiveAvgPool2D(1), nn.Flatten(), nn.Linear(32, 2)),
    )


def read(archive: Path) -> tuple[np.ndarray, np.ndarray]:
    """Pictures (N, H, W, 3) uint8 in the order of their names, and whether each is no face."""
    with zipfile.ZipFile(archive) as files:
        names = sorted(files.namelist())
        pictures = [Image.open(files.open(name)).convert("RGB").resize((SIDE, SIDE)) for name in names]
    return np.stack(pictures), np.array([name.startswith("non_face") for name in names], np.int64)


def normalised(pictures: np.ndarray) -> paddle.Tensor:
    return paddle.to_tensor((pictures.transpose(0, 3, 1, 2) / 255 - 0.5).astype(np.float32) / 0.5)


def trained(pictures: np.ndarray, labels: np.ndarray, seed: int) -> nn.Layer:
    paddle.seed(seed)
    network, order = made(), np.random.default_rng(seed)
    optimiser = paddle.optimizer.Adam(0.002, parameters=network.parameters())
    for _ in range(12):
        for part in np.split(order.permutation(len(labels)), 10):
            logits = network(normalised(pictures[part]))
            nn.functional.cross_entropy(logits, paddle.to_tensor(labels[part])).backward()
            optimiser.step()
            optimiser.clear_grad()
    network.eval()
    accuracy = (network(normalised(pictures)).numpy().argmax(1) == labels).mean()
    print(f"run {seed}: accuracy {accuracy:.2f}")
    return network


def write_reference(network: nn.Layer, pictures: np.ndarray, folder: Path) -> None:
    """Every tenth picture and its logits, for `salience-audit models reference`."""
    folder.mkdir(parents=True, exist_ok=True)
    shown = pictures[:: len(pictures) // SHOWN]
    rows = []
    for number, (picture, logits) in enumerate(zip(shown, network(normalised(shown)).numpy().tolist(), strict=True)):
        Image.fromarray(picture).save(folder / f"{number}.png")
        rows.append(json.dumps({"path": f"{number}.png", "outputs": logits}))
    (folder / "outputs.jsonl").write_text("\n".join(rows))


def main() -> None:
    out = Path(sys.argv[2])
    pictures, labels = read(Path(sys.argv[1]))
    for run in range(1, RUNS + 1):
        network = trained(pictures, labels, run)
        given = [paddle.static.InputSpec([None, 3, SIDE, SIDE], "float32", "images")]
        out.mkdir(parents=True, exist_ok=True)
        paddle.onnx.export(network, str(out / f"run{run}"), input_spec=given, opset_version=17)
        if run == 1:
            write_reference(network, pictures, out / "reference")


if __name__ == "__main__":
    main()
