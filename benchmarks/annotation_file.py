"""How long a worker is at one file of COCO, and the most that its processes hold meanwhile:
``python -m benchmarks.annotation_file [--images 2000] [--corners 40]``.

Every image of 640 x 480 pixels has an outline with so many corners; a second file has the same as packed runs.
"""

import argparse
import io
import json
import tempfile
import time
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from PIL import Image

from app.demo.service import running_service
from benchmarks.data_set_size import watched
from salience_audit import Client

WIDTH, HEIGHT = 640, 480
KINDS = 50
"""Of outlines, each of many images."""

Json = dict[str, Any]


def images(count: int) -> bytes:
    """As small as images may be: a file of annotations says itself how large they are."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(count):
            picture = io.BytesIO()
            Image.new("L", (8, 8), number % 256).save(picture, "PNG")
            archive.writestr(f"{number:06}.png", picture.getvalue())
    return file.getvalue()


def outline(kind: int, corners: int) -> list[float]:
    """x, y, x, y, ... of a ragged ring, a fifth of the image large."""
    stream = np.random.default_rng(kind)
    turns = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    reach = stream.uniform(0.6, 1, corners) * 150
    middle = stream.uniform((160, 160), (WIDTH - 160, HEIGHT - 160))
    points = middle + np.stack([np.cos(turns), np.sin(turns)], 1) * reach[:, None]
    return [float(number) for number in points.round(1).ravel()]


def runs(kind: int) -> Json:
    """Of a square as large, each column by itself."""
    side, top = 250, 100 + kind
    columns = [HEIGHT * 100 + top, *[side, HEIGHT - side] * (side - 1), side]
    return {"size": [HEIGHT, WIDTH], "counts": [*columns, WIDTH * HEIGHT - sum(columns)]}


def coco(count: int, segmentation: Callable[[int], Any]) -> bytes:
    listed = [{"id": n, "file_name": f"{n:06}.png", "width": WIDTH, "height": HEIGHT} for n in range(count)]
    kinds = [segmentation(kind) for kind in range(KINDS)]
    drawn = [{"id": n, "image_id": n, "category_id": 1, "segmentation": kinds[n % KINDS]} for n in range(count)]
    document = {"images": listed, "annotations": drawn, "categories": [{"id": 1, "name": "face"}]}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("annotations.json", json.dumps(document))
    return file.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--corners", type=int, default=40)
    given = parser.parse_args()
    files = {
        "outlines": coco(given.images, lambda kind: [outline(kind, given.corners)]),
        "runs": coco(given.images, runs),
    }
    with tempfile.TemporaryDirectory() as folder, running_service(Path(folder)) as (url, key):
        client = Client(url, key)
        dataset_id = client.push_dataset(images(given.images), name="small")["id"]
        for name, upload in files.items():
            begun, spent = time.monotonic(), processor_seconds()
            with watched() as peaks:
                made = client.push_map_set(upload, dataset_id=dataset_id, description={"name": name, "kind": "human"})
            each, of_processor = (
                seconds / given.images * 1000 for seconds in (time.monotonic() - begun, processor_seconds() - spent)
            )
            held = ", ".join(f"{role} {peak >> 20} MiB" for role, peak in peaks.items())
            told = f"{each:.1f} ms each, {of_processor:.1f} ms of processor time"
            print(f"{name}: {made['map_count']} maps, {told}; {held}")


def processor_seconds() -> float:
    """Of all processes below this one, those that have ended among them."""
    found = 0.0
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            found += sum(process.cpu_times()[:4])
    return found


if __name__ == "__main__":
    main()
