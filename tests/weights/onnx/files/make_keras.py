"""Makes keras.onnx and keras.npz by Keras 3 on torch: ``pip install keras``, then ``python make_keras.py``.

The network's own probabilities and Grad-CAM, by autograd at what its pooling takes, are beside it.
"""

import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np
import torch

FOLDER = Path(__file__).parent
SIZE = 32


def main() -> None:
    keras.utils.set_random_seed(4)
    layers = keras.layers
    network = keras.Sequential(
        [
            keras.Input((SIZE, SIZE, 3)),
            layers.Rescaling(1 / 127.5, -1),
            layers.Conv2D(8, 3, strides=2, padding="same"),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Conv2D(16, 3, strides=2, padding="same", activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dropout(0.2),
            layers.Dense(3, activation="softmax"),
        ]
    )
    network.trainable = False
    images = np.random.default_rng(0).integers(0, 256, (5, SIZE, SIZE, 3), dtype=np.uint8)
    given = torch.tensor(images, dtype=torch.float32)
    probabilities = network(given)
    network.export(FOLDER / "keras.onnx", format="onnx", verbose=False)
    np.savez_compressed(
        FOLDER / "keras.npz",
        images=images,
        probabilities=probabilities.detach().numpy(),
        gradcam=_gradcam(network, given, probabilities.argmax(1)),
    )


def _gradcam(network: keras.Sequential, images: torch.Tensor, classes: torch.Tensor) -> np.ndarray:
    """Of the logit that the softmax takes: (N, h, w)."""
    seen = images
    for layer in network.layers[:-3]:
        seen = layer(seen)
    seen = seen.detach().requires_grad_()
    dense = network.layers[-1]
    logits = seen.mean((1, 2)) @ dense.kernel.value + dense.bias.value
    (gradient,) = torch.autograd.grad(logits.gather(1, classes[:, None]).sum(), [seen])
    return (seen * gradient.mean((1, 2), keepdim=True)).sum(3).relu().detach().numpy()


if __name__ == "__main__":
    main()
