"""Files of maps as people's tools write them, against other tools that draw the same."""

import json
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from matplotlib import colormaps
from matplotlib.path import Path
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter
from skimage.transform import resize_local_mean

from app.domain.vocabulary import MapDoubt
from app.settings import Settings
from tests.map_sets.packing import npy, png
from worker.child.maps_job import _told
from worker.map_files.found import Found, FoundMap, InVain, NoMap, Setting
from worker.map_files.reading import maps_in
from worker.map_files.sample_names import Named, SampleNames
from worker.wire.facts import MapFacts

LIMITS = Settings()
WIDTH, HEIGHT = 40, 30
NAMES = ("face/bright/001.png", "face/dark/002.png", "other/dark/002.png")
STAR = [(5.2, 3.1), (30.7, 8.4), (22.3, 14.9), (33.8, 27.6), (12.4, 21.1)]


def samples() -> SampleNames:
    return SampleNames(Named(name, UUID(int=place), WIDTH, HEIGHT) for place, name in enumerate(NAMES))


def read(name: str, content: object, sigma: float | None = None) -> list[Found]:
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    return list(maps_in(name, data, Setting(samples(), sigma), LIMITS))


def values_of(found: list[Found]) -> NDArray[np.float32]:
    [one] = found
    assert isinstance(one, FoundMap), one
    return one.values


def code_of(found: list[Found]) -> str:
    [one] = found
    assert isinstance(one, NoMap), one
    return one.code


def filled(points: list[tuple[float, float]]) -> NDArray[np.bool_]:
    """matplotlib's: the pixels whose middle lies within."""
    down, right = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    inside = Path(points).contains_points(np.stack([right.ravel(), down.ravel()], 1))
    return np.asarray(inside).reshape(HEIGHT, WIDTH)


def runs(mask: NDArray[np.bool_]) -> list[int]:
    """Down the columns, first what is out."""
    flat = mask.ravel(order="F")
    edges = np.flatnonzero(np.diff(flat)) + 1
    counts = np.diff([0, *edges, flat.size]).tolist()
    return counts if not flat[0] else [0, *counts]


def coco(segmentation: Any, **image: Any) -> Any:
    return {
        "images": [{"id": 7, "file_name": "001.jpg", "width": WIDTH, "height": HEIGHT} | image],
        "annotations": [{"image_id": 7, "segmentation": segmentation}],
    }


def test_polygons_and_runs_of_coco() -> None:
    """Polygons, lists of runs, and runs as pycocotools packs them: of 5, 2, 2, 2, 1 its maskApi makes ``5220O``."""
    wanted = filled(STAR)
    flat = [number for point in STAR for number in point]
    assert (values_of(read("a.json", coco([flat]))) == wanted).all()
    assert (values_of(read("a.json", coco({"size": [HEIGHT, WIDTH], "counts": runs(wanted)}))) == wanted).all()
    packed = {"size": [3, 4], "counts": "5220O"}
    found = values_of(read("a.json", coco(packed, width=4, height=3)))
    assert found.ravel(order="F").tolist() == [0] * 5 + [1] * 2 + [0] * 2 + [1] * 2 + [0]
    assert (
        code_of(read("a.json", coco({"size": [3, 4], "counts": [5, 2]}, width=4, height=3))) == "map-annotation-invalid"
    )


@pytest.mark.parametrize(
    "counts",
    [[2**63 - 1, 2**63 - 1, 14], [2**70, 1], "o" * 10_000, "\udfff"],
    ids=["a sum that wraps", "beyond 64 bits", "a number without an end", "no character of theirs"],
)
def test_runs_that_are_no_pixels(counts: Any) -> None:
    found = read("a.json", coco({"size": [3, 4], "counts": counts}, width=4, height=3))
    assert code_of(found) == "map-annotation-invalid"


@pytest.mark.parametrize("shape", ["(-2, -3)", "(4294967296, 4294967296)", "(2, 0)"])
def test_arrays_of_shapes_that_cannot_be(shape: str) -> None:
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".ljust(117).encode() + b"\n"
    data = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
    assert code_of(read("001.npy", data)) == "map-array-invalid"


def test_what_files_say_fits_the_database() -> None:
    """No NUL, no half of a pair of surrogates; and no name without an end."""
    said = MapFacts(number=0, name="a\0b" + "c" * 5000, code="map-unreadable", detail="d\0\udfff")
    assert (said.name[:3], len(said.name), said.detail) == ("a\ufffdb", 1024, "d\ufffd?")


def test_shapes_of_labelme() -> None:
    """Named after the image, by which its size is found where the file does not say it."""
    shapes = [{"shape_type": "polygon", "points": STAR}, {"shape_type": "rectangle", "points": [[0, 0], [4, 2]]}]
    found = read("face/bright/001.json", {"shapes": shapes, "imageWidth": WIDTH, "imageHeight": HEIGHT})
    assert found[0].name == "face/bright/001"
    wanted = filled(STAR)
    wanted[:2, :4] = True
    assert (values_of(found) == wanted).all()
    assert values_of(read("face/bright/001.json", {"shapes": shapes})).shape == (HEIGHT, WIDTH)
    assert read("002.json", {"shapes": shapes}) == [InVain("002", None)]
    assert code_of(read("001.json", {"shapes": [{"shape_type": "line", "points": STAR}]})) == "map-annotation-invalid"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("gaze.csv", b"Image;X;Y;Duration\n001.png;12.5;7.5;2\n001.png;30.5;20.5;1\n"),
        (
            "gaze.tsv",
            b"stimulus\tfixation_x\tfixation_y\n001.png\t12.5\t7.5\n001.png\t12.5\t7.5\n001.png\t30.5\t20.5\n",
        ),
        ("gaze.json", {"001.png": [[12.5, 7.5, 2], [30.5, 20.5]]}),
        (
            "gaze.json",
            [{"image": "001", "x": x, "y": y, "duration": d} for x, y, d in ((12.5, 7.5, 2), (30.5, 20.5, 1))],
        ),
    ],
)
def test_fixations_become_the_density_that_scipy_makes(name: str, content: Any) -> None:
    impulses = np.zeros((HEIGHT, WIDTH))
    impulses[7, 12], impulses[20, 30] = 2, 1
    wanted = gaussian_filter(impulses, 3, mode="constant", truncate=20) * 2 * np.pi * 9
    found = read(name, content, sigma=3.0)
    assert np.abs(values_of(found) - wanted).max() < 1e-5
    assert isinstance(found[0], FoundMap)
    assert found[0].fixations is not None
    assert {*map(tuple, found[0].fixations.tolist())} == {(12.5 / WIDTH, 7.5 / HEIGHT), (30.5 / WIDTH, 20.5 / HEIGHT)}


def test_fixations_that_cannot_be_taken() -> None:
    table = b"image,x,y\n001.png,1,2\n"
    assert code_of(read("a.csv", table)) == "map-fixations-without-sigma"
    assert code_of(read("a.csv", b"image,when\n001.png,1\n", sigma=1)) == "map-fixations-invalid"
    assert code_of(read("a.csv", table + b"001.png,here,there\n", sigma=1)) == "map-fixations-invalid"
    assert code_of(read("a.json", b"[" * 100_000, sigma=1)) == "map-unsupported-type"
    assert read("a.csv", b"image,x,y\n002.png,1,2\n", sigma=1) == [InVain("002.png", None)]
    of_others = Setting(samples(), 1, None)
    assert code_of([*maps_in("a.csv", table.replace(b"001", b"9"), of_others, LIMITS)]) == "map-size-unknown"


def test_pictures_by_what_they_show() -> None:
    """Palettes by their colours, 16 bits as they are, black strokes on a transparent layer by how opaque they are."""
    labels = Image.fromarray(np.eye(9, dtype=np.uint8)).convert("P")
    labels.putpalette([0, 0, 0, 128, 0, 0])
    assert values_of(read("001.png", png(labels))).tolist() == (np.eye(9) * 128).tolist()
    wide = np.arange(81, dtype=np.uint16).reshape(9, 9) * 700
    assert values_of(read("001.png", png(wide))).tolist() == wide.tolist()
    strokes = np.zeros((9, 9, 4), np.uint8)
    strokes[4, :, 3] = 200
    assert values_of(read("001.png", png(Image.fromarray(strokes, "RGBA")))).sum() == 9 * 200
    assert values_of(read("001.png", png(np.array([[9]], np.uint8)))).tolist() == [[9]]
    by_column = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    assert values_of(read("001.npy", npy(by_column))).tolist() == by_column.tolist()


def doubt_of(pixels: NDArray[np.uint8]) -> MapDoubt | None:
    [found] = read("001.png", png(Image.fromarray(pixels)))
    assert isinstance(found, FoundMap)
    return found.doubt


def test_pictures_that_may_have_been_meant_otherwise() -> None:
    """A heat map by matplotlib's jet, and black strokes on paper; no mask of a face, no red strokes on black."""
    bell = np.exp(-(np.mgrid[-1:1:40j, -1:1:40j] ** 2).sum(0) * 3)
    assert doubt_of((colormaps["jet"](bell)[..., :3] * 255).astype(np.uint8)) is MapDoubt.COLOURS
    paper = np.full((40, 40), 255, np.uint8)
    paper[18:22, 5:35] = 0
    assert doubt_of(paper) is MapDoubt.DARK_ON_LIGHT
    assert doubt_of((bell * 255).astype(np.uint8)) is None
    assert doubt_of(((bell > 0.1) * 255).astype(np.uint8)) is None, "most of it is light, but not its corners"
    strokes = np.zeros((40, 40, 3), np.uint8)
    strokes[18:22, :, 0] = 255
    assert doubt_of(strokes) is None
    assert doubt_of(np.full((9, 9), 255, np.uint8)) is None, "a constant map says so itself"


def test_names_with_folders_and_endings_or_without() -> None:
    named = samples()
    first, dark, _ = NAMES
    for told in (first, "face/bright/001.jpg", "face/bright/001", "face/bright/001.png.npy", "001.npy", "001"):
        found = named.find(told, has_folders="/" in told)
        assert found is not None, told
        assert found.name == first
    assert named.find("other/bright/001", has_folders=True) is None
    with pytest.raises(KeyError):
        named.find("002.png", has_folders=False)
    below = named.below(["masks/face/dark/002.png", "masks/other/dark/002.png"])
    found = below.find("masks/face/dark/002.png")
    assert found is not None
    assert found.name == dark


def test_a_map_that_is_too_large_is_brought_down_by_area() -> None:
    """Also where no whole number of its pixels makes a cell; as scikit-image does."""
    values = np.random.default_rng(0).random((1500, 1100), np.float32)
    facts, content = _told(0, FoundMap("001", values, None), Setting(samples()))
    assert isinstance(facts, MapFacts)
    assert facts.was_larger
    expected = resize_local_mean(values.astype(float), (facts.height or 0, facts.width or 0))
    expected = (expected - expected.min()) / np.ptp(expected)
    assert np.frombuffer(content, "<f4") == pytest.approx(expected.ravel(), abs=1e-6)
