"""Real photographs and networks whose maps are not constant."""

import io
import zipfile
from functools import lru_cache

import numpy as np
import timm
import torch
from numpy.typing import NDArray
from PIL import Image
from skimage import data
from torch import Tensor, nn
from torchvision.models import get_model

from app.domain.models.preprocessing import Preprocessing
from worker.engine.normalisation import Normalisation

SIZE = 224
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
normalise = Normalisation(Preprocessing(input_size=SIZE, mean=MEAN, std=STD))


def photographs(count: int, size: int = SIZE) -> NDArray[np.uint8]:
    """(count, size, size, 3) crops of three photographs, from a fixed seed."""
    random = np.random.default_rng(20_230)
    crops = [_crop(random) for _ in range(count)]
    return np.stack(
        [np.asarray(Image.fromarray(crop).resize((size, size), Image.Resampling.BILINEAR)) for crop in crops]
    )


def _crop(random: np.random.Generator) -> NDArray[np.uint8]:
    image = _pictures()[random.integers(3)]
    side = int(random.integers(180, min(image.shape[:2])))
    top, left = (int(random.integers(0, length - side + 1)) for length in image.shape[:2])
    return np.ascontiguousarray(image[top : top + side, left : left + side])


@lru_cache(maxsize=1)
def _pictures() -> tuple[NDArray[np.uint8], ...]:
    return data.astronaut(), data.chelsea(), data.coffee()


def batch(count: int, device: torch.device) -> Tensor:
    """(count, 3, 224, 224) uint8."""
    return torch.from_numpy(photographs(count)).permute(0, 3, 1, 2).contiguous().to(device)


def archive(count: int, size: int = SIZE) -> bytes:
    """A zip of PNGs in two labels."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        for number, pixels in enumerate(photographs(count, size)):
            picture = io.BytesIO()
            Image.fromarray(pixels).save(picture, "PNG")
            file.writestr(f"{'ab'[number % 2]}/{number:06}.png", picture.getvalue())
    return content.getvalue()


@lru_cache(maxsize=2)
def network(name: str, device: torch.device) -> nn.Module:
    """Eval mode, channels last, two classes, batch normalisation fitted to photographs; ``name`` as the API has it."""
    torch.manual_seed(20_230)
    library, _, bare = name.rpartition("/")
    module = timm.create_model(bare, num_classes=2) if library else get_model(name, weights=None, num_classes=2)
    norms = [part for part in module.modules() if isinstance(part, nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = 1.0
        nn.init.uniform_(norm.weight, 0.5, 1.5)
        nn.init.normal_(norm.bias, std=0.3)
    with torch.no_grad():
        module.train()(normalise(batch(8, torch.device("cpu"))))
    for part in module.modules():
        if isinstance(part, nn.Linear):
            nn.init.normal_(part.weight, std=0.05)
    ready: nn.Module = module.eval().requires_grad_(requires_grad=False).to(device)
    return ready.to(memory_format=torch.channels_last)
