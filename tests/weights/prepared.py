"""Pictures as a network takes them, by what a registration was told."""

import json
from typing import Any

import numpy as np
import torch
import transformers
from PIL import Image
from skimage import data
from sklearn.datasets import load_sample_image

from app.domain.models.preprocessing import Preprocessing
from app.imaging.framing import prepare
from app.models.requests import ModelRequest
from tests.weights.hugging_face import SIDE, registered
from worker.engine.normalisation import Normalisation

Json = dict[str, Any]
PICTURES = {
    "wide": Image.fromarray(data.chelsea()),
    "tall": Image.fromarray(np.rot90(data.coffee()).copy()),
    "a middle at half a pixel": Image.fromarray(load_sample_image("china.jpg")),
    "small": Image.fromarray(data.astronaut()).resize((50, 40)),
}


def processor(kind: str, **said: Any) -> tuple[Any, Json]:
    """The library's own, with the file that it saves."""
    own = getattr(transformers, kind)(**said)
    return own, json.loads(own.to_json_string())


def inputs(file: Json, image: Image.Image) -> torch.Tensor:
    """(3, S, S): what a network here would take."""
    return given(read_of(registered({"model_type": "vit"}, file)), image)


def read_of(request: ModelRequest) -> Preprocessing:
    assert request.preprocessing is not None
    return request.preprocessing


def given(told: Preprocessing, image: Image.Image) -> torch.Tensor:
    pixels = torch.from_numpy(prepare(image, told.spec).copy()).permute(2, 0, 1)[None]
    return Normalisation(told)(pixels)[0]


PLAIN: Json = {"input_size": SIDE, "mean": [0.5] * 3, "std": [0.5] * 3}
SQUARE: Json = {"size": {"height": SIDE, "width": SIDE}, "resample": 2}
