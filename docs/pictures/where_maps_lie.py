"""Mean maps of faces over the mean of the faces, of honest networks and of one that reads a tag."""

import numpy as np
from PIL import Image

from docs.pictures.beside import SHORTCUTS, Faces, asked, network
from docs.pictures.drawing import grid, over, save_png, show
from worker.results.where_maps_lie import PREDICTED, Partition, where_maps_lie

PLAIN = {"cross_entropy_run1": "cross-entropy", "human_guided_run1": "human-guided"}
TAGGED = {"reads_the_face": "reads the face", "reads_the_tag": "reads the tag"}


def draw() -> None:
    plain, tagged = Faces.plain(), Faces.tagged()
    shown = [(plain, network(name), title) for name, title in PLAIN.items()]
    shown += [(tagged, network(name, SHORTCUTS), title) for name, title in TAGGED.items()]
    figure, axes = grid(1, len(shown), lines=3)
    for column, (faces, one, title) in enumerate(shown):
        outcome = faces.looked_at(one.module(), asked({"entropy": {}}))
        predicted = Partition(("face", "non_face"), outcome.clean.predicted.numpy())
        lie = where_maps_lie(outcome.clean.maps.native.numpy(), {PREDICTED: predicted}, faces.batch.samples, 0)
        row = next(row for row in lie["groups"] if (row["group_by"], row["group"]) == (PREDICTED, "face"))
        levels = (np.array(row["mean_map"]) * 255).astype(np.uint8)
        mean = np.asarray(Image.fromarray(levels).resize(faces.mean.shape[1::-1], Image.Resampling.BICUBIC))
        numbers = f"border ratio {row['border_ratio']:.2f}\nfixedness {row['fixedness']:.2f}"
        show(axes[0, column], over(faces.mean, mean), f"{title}\n{numbers}")
    save_png(figure, "where-maps-lie")
