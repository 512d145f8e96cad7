"""One description against the transforms of torchvision and timm themselves, on photographs."""

import importlib
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from skimage.data import astronaut, chelsea
from sklearn.datasets import load_sample_images
from timm.data.transforms_factory import create_transform
from torchvision.transforms import v2

from app.domain.models.preprocessing import Preprocessing
from app.imaging.framing import prepare
from worker.engine.normalisation import Normalisation

SIZE = 160
IMAGENET: dict[str, Any] = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
MODES = {
    "bilinear": v2.InterpolationMode.BILINEAR,
    "bicubic": v2.InterpolationMode.BICUBIC,
    "nearest": v2.InterpolationMode.NEAREST,
    "lanczos": v2.InterpolationMode.LANCZOS,
}


@pytest.fixture(scope="module")
def photographs() -> list[Image.Image]:
    """Wide, tall and square ones, larger and smaller than the input."""
    wide, other = load_sample_images().images
    tall = np.ascontiguousarray(chelsea().swapaxes(0, 1))
    return [Image.fromarray(one) for one in (wide, other, astronaut(), tall, astronaut()[100:241, 60:331])]


def described(**fields: Any) -> Preprocessing:
    return Preprocessing.model_validate({"input_size": SIZE, **IMAGENET, **fields})


def pixels(image: Image.Image, **fields: Any) -> NDArray[np.int64]:
    return prepare(image, described(**fields).spec).astype(np.int64)


@pytest.mark.parametrize("interpolation", list(MODES))
def test_torchvision_on_pictures(photographs: list[Image.Image], interpolation: str) -> None:
    mode = MODES[interpolation]
    transforms = {
        "stretch": v2.Resize((SIZE, SIZE), interpolation=mode),
        "shorter_side_crop": v2.Compose([v2.Resize(SIZE, interpolation=mode), v2.CenterCrop(SIZE)]),
        '{"shorter_side": 183}': v2.Compose([v2.Resize(183, interpolation=mode), v2.CenterCrop(SIZE)]),
    }
    for resize, transform in transforms.items():
        asked = {"shorter_side": 183} if resize.startswith("{") else resize
        for image in photographs:
            found = pixels(image, resize=asked, interpolation=interpolation)
            assert np.array_equal(found, np.asarray(transform(image))), resize


@pytest.mark.parametrize(
    ("interpolation", "antialias"),
    [("bilinear", True), ("bicubic", True), ("bilinear", False), ("bicubic", False), ("nearest", False)],
)
def test_torchvision_on_tensors(photographs: list[Image.Image], interpolation: str, *, antialias: bool) -> None:
    """Of 8 bits, as the image processors of transformers resize too. Between its two ways, by Pillow and on tensors,
    torchvision itself differs by two levels in a few bicubic values."""
    transform = v2.Compose([v2.Resize(183, MODES[interpolation], antialias=antialias), v2.CenterCrop(SIZE)])
    for image in photographs:
        made = transform(torch.from_numpy(np.array(image)).permute(2, 0, 1)).permute(1, 2, 0).numpy()
        found = pixels(image, resize={"shorter_side": 183}, interpolation=interpolation, antialias=antialias)
        differences = np.abs(found - made)
        assert differences.max() <= 1 or (antialias and differences.max() == 2 and (differences > 1).mean() < 1e-4)


@pytest.mark.needs(module="transformers", get="pip install transformers")
@pytest.mark.parametrize(
    ("processor", "settings", "fields"),
    [
        ("ViTImageProcessor", {"resample": 2}, {}),
        ("ViTImageProcessor", {"resample": 1}, {"interpolation": "lanczos"}),
        (
            "DeiTImageProcessor",
            {"size": {"height": 183, "width": 183}, "crop_size": {"height": SIZE, "width": SIZE}},
            {"resize": {"stretch": 183}, "interpolation": "bicubic", "crop_offset": "floored"},
        ),
        (
            "CLIPImageProcessor",
            {"size": {"shortest_edge": SIZE}, "crop_size": {"height": SIZE, "width": SIZE}},
            {"resize": "shorter_side_crop", "interpolation": "bicubic", "crop_offset": "floored"},
        ),
        (
            "ConvNextImageProcessor",
            {"size": {"shortest_edge": SIZE}, "crop_pct": 0.875},
            {"resize": {"shorter_side": 182}, "interpolation": "bicubic", "crop_offset": "floored"},
        ),
    ],
)
def test_transformers(photographs: list[Image.Image], processor: str, settings: Any, fields: Any) -> None:
    made_by = getattr(importlib.import_module("transformers"), processor)
    size = {"size": {"height": SIZE, "width": SIZE}} | settings
    process = made_by(**size, do_rescale=False, do_normalize=False)
    for image in photographs:
        made = np.asarray(process(image, return_tensors="np")["pixel_values"][0]).transpose(1, 2, 0)
        differences = np.abs(pixels(image, **fields) - made)
        assert differences.max() <= 1 or (differences.max() == 2 and (differences > 1).mean() < 1e-4), image.size


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic", "lanczos"])
@pytest.mark.parametrize(
    ("mode", "share", "resize"),
    [
        ("center", 0.875, {"shorter_side": 182}),
        ("center", 1.0, "shorter_side_crop"),
        ("squash", 1.0, "stretch"),
        ("squash", 0.9, {"stretch": 177}),
        ("border", 1.0, {"pad": "mean"}),
    ],
)
def test_timm(photographs: list[Image.Image], interpolation: str, mode: str, share: float, resize: Any) -> None:
    transform = create_transform(
        SIZE, interpolation=interpolation, crop_pct=share, crop_mode=mode, mean=tuple(IMAGENET["mean"]), normalize=False
    )
    for image in photographs:
        made = np.asarray(transform(image)).transpose(1, 2, 0)
        found = pixels(image, resize=resize, interpolation=interpolation)
        assert np.abs(found - made).max() <= 1, image.size


TALL = (160, 96)


def test_libraries_where_the_input_is_not_square(photographs: list[Image.Image]) -> None:
    """torchvision's and timm's transforms, and an image processor of transformers, to 160 rows of 96 pixels."""

    def by_timm(mode: str, share: float) -> Any:
        said: dict[str, Any] = {
            "crop_pct": share,
            "crop_mode": mode,
            "mean": tuple(IMAGENET["mean"]),
            "normalize": False,
        }
        transform = create_transform((3, *TALL), interpolation="bilinear", **said)
        return lambda image: np.asarray(transform(image)).transpose(1, 2, 0)

    cases: list[tuple[Any, Any]] = [
        ("stretch", v2.Resize(TALL)),
        ({"shorter_side": 183}, v2.Compose([v2.Resize(183), v2.CenterCrop(TALL)])),
        ({"stretch": [200, 180]}, v2.Compose([v2.Resize((200, 180)), v2.CenterCrop(TALL)])),
        ("shorter_side_crop", by_timm("center", 1.0)),
        ({"shorter_side": [182, 109]}, by_timm("center", 0.875)),
        ({"pad": "mean"}, by_timm("border", 1.0)),
    ]
    for resize, transform in cases:
        for image in photographs:
            found = pixels(image, resize=resize, input_size=TALL)
            assert found.shape == (*TALL, 3)
            assert np.abs(found - np.asarray(transform(image))).max() <= 1, (resize, image.size)


@pytest.mark.needs(module="transformers", get="pip install transformers")
def test_transformers_where_the_input_is_not_square(photographs: list[Image.Image]) -> None:
    process = importlib.import_module("transformers").DeiTImageProcessor(
        size={"height": 183, "width": 120},
        crop_size={"height": TALL[0], "width": TALL[1]},
        do_rescale=False,
        do_normalize=False,
    )
    said = {"resize": {"stretch": [183, 120]}, "interpolation": "bicubic", "crop_offset": "floored"}
    for image in photographs:
        made = np.asarray(process(image, return_tensors="np")["pixel_values"][0]).transpose(1, 2, 0)
        differences = np.abs(pixels(image, input_size=TALL, **said) - made)
        assert differences.max() <= 1 or (differences.max() == 2 and (differences > 1).mean() < 1e-4), image.size


def inputs(image: Image.Image, taken: int = 3, /, **fields: Any) -> torch.Tensor:
    """(C, S, S) as a network that takes so many channels gets it."""
    preprocessing = described(**fields)
    batch = torch.from_numpy(prepare(image, preprocessing.spec).copy()).permute(2, 0, 1)[None]
    found = Normalisation(preprocessing, taken)(batch)
    assert found.shape[1] == taken
    return found[0]


def test_numbers_as_torchvision_makes_them(photographs: list[Image.Image]) -> None:
    begin = [v2.Resize((SIZE, SIZE)), v2.PILToTensor(), v2.ToDtype(torch.float32, scale=True)]
    made = v2.Compose([*begin, v2.Normalize(**IMAGENET)])
    grey = v2.Compose([v2.Grayscale(), *begin, v2.Normalize([0.5], [0.5])])
    as_grey = v2.Compose([v2.Grayscale(3), *begin, v2.Normalize(**IMAGENET)])
    level = 1 / 255 / 0.22
    for image in photographs:
        expected = made(image)
        torch.testing.assert_close(inputs(image), expected, atol=1e-6, rtol=0)
        bytes_ = {"mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375]}
        torch.testing.assert_close(inputs(image, **bytes_), expected, atol=1e-5, rtol=0)
        reversed_ = {name: numbers[::-1] for name, numbers in IMAGENET.items()}
        assert torch.equal(inputs(image, channels="bgr", **reversed_), inputs(image).flip(0))
        signed = inputs(image, value_range="signed", mean=0, std=1)
        torch.testing.assert_close(signed, inputs(image, mean=0.5, std=0.5), atol=1e-6, rtol=0)
        torch.testing.assert_close(
            inputs(image, 1, channels="grey", mean=0.5, std=0.5), grey(image), atol=2.01 / 255, rtol=0
        )
        torch.testing.assert_close(inputs(image, channels="grey"), as_grey(image), atol=level, rtol=0)


def test_grey_is_pillow_s(photographs: list[Image.Image]) -> None:
    for image in photographs:
        square = Image.fromarray(prepare(image, described().spec))
        found = inputs(image, 1, channels="grey", value_range="byte", mean=0, std=1)
        assert np.array_equal(found[0].numpy(), np.asarray(square.convert("L"), np.float32))
