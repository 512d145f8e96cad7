"""Trains a small Keras classifier twice and writes both as ONNX, with what it says of some pictures.

    build/keras/bin/python examples/frameworks/keras_classifier.py faces.zip keras

Needs tensorflow and tf2onnx (`make build/keras/.installed`). Writes run1.onnx, run2.onnx, and a folder of pictures with
the first network's own predictions.
"""

import json
import sys
import zipfile
from pathlib import Path

import keras
import tensorflow as tf
import tf2onnx

SIDE, RUNS, SHOWN = 64, 2, 16


def made() -> keras.Model:
    """Levels from 0 to 255 come in: the network brings them to its own range itself."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((SIDE, SIDE, 3)),
            layers.Rescaling(1 / 127.5, -1),
            *(layers.Conv2D(width, 3, strides=2, padding="same", activation="relu") for width in (16, 32)),
            layers.BatchNormalization(),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dropout(0.2),
            layers.Dense(2, activation="softmax"),
        ]
    )


def trained(pictures: tf.data.Dataset, seed: int) -> keras.Model:
    keras.utils.set_random_seed(seed)
    network = made()
    network.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    network.fit(pictures.shuffle(200, seed=seed).batch(20), epochs=12, verbose=0)
    print(f"run {seed}: accuracy {network.evaluate(pictures.batch(50), verbose=0)[1]:.2f}")
    return network


def export(network: keras.Model, path: Path) -> None:
    """A free number of images, rows and columns before channels, as Keras has them."""
    given = [tf.TensorSpec((None, SIDE, SIDE, 3), tf.float32, name="images")]
    function = tf.function(lambda images: network(images, training=False), input_signature=given)
    tf2onnx.convert.from_function(function, input_signature=given, opset=17, output_path=str(path))


def write_reference(network: keras.Model, pictures: tf.data.Dataset, folder: Path) -> None:
    """Every tenth picture and its probabilities, for `salience-audit models reference`."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number, (picture, _) in enumerate(pictures.shard(200 // SHOWN, 0)):
        keras.utils.save_img(folder / f"{number}.png", picture, scale=False)
        outputs = network(picture[None], training=False)[0].numpy().tolist()
        rows.append(json.dumps({"path": f"{number}.png", "outputs": outputs}))
    (folder / "outputs.jsonl").write_text("\n".join(rows))


def main() -> None:
    archive, out = Path(sys.argv[1]), Path(sys.argv[2])
    zipfile.ZipFile(archive).extractall(out / "pictures")
    options = {"image_size": (SIDE, SIDE), "batch_size": None, "shuffle": False, "verbose": False}
    pictures = keras.utils.image_dataset_from_directory(out / "pictures", **options)
    for run in range(1, RUNS + 1):
        network = trained(pictures, run)
        export(network, out / f"run{run}.onnx")
        if run == 1:
            write_reference(network, pictures, out / "reference")


if __name__ == "__main__":
    main()
