"""Map sets of three formats through the service: arrays, fixations and outlines; then what an audit says of them."""

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray
from prepare import named_images
from scipy.ndimage import gaussian_filter
from scipy.stats import pearsonr, zscore
from skimage.draw import polygon2mask
from skimage.transform import resize_local_mean
from sklearn.metrics import roc_auc_score

from tests.api.running_api import check_problem
from tests.map_sets.annotators import scores_of
from tests.map_sets.packing import png, zipped
from tests.reference import spatial
from tests.waiting import RECIPE, WEIGHTS, upload

Json = dict[str, Any]
Map = NDArray[np.float64]
Scores = dict[tuple[str, str, str], float]
SAMPLES, SIGMA = 8, 6.0
PROTOCOL: Json = {
    "micro_batch": 8,
    "measures": {"entropy": {}, "agreement": {"similarities": ["cc", "nss", "auc_judd"]}},
}
RUN = "cross_entropy_run1"


@pytest.fixture(scope="module")
def sizes() -> dict[str, tuple[int, int]]:
    """Width and height."""
    return {name: image.size for name, image in named_images().items()}


@pytest.fixture(scope="module")
def drawn(sizes: dict[str, tuple[int, int]]) -> Json:
    """By format, what each image has: an array, pixels that were looked at, the corners of an outline."""
    generator, made = np.random.default_rng(3), {}
    for name, (width, height) in sizes.items():
        x, y = (generator.uniform(0.3, 0.7) * side for side in (width, height))
        places = np.clip(generator.normal((x, y), 0.1 * width, (6, 2)), 0, (width - 1, height - 1)).round(1)
        corners = [(x - 9, y - 7), (x + 9, y - 7), (x + 9, y + 7), (x - 9, y + 7)]
        made[name] = (generator.random((9, 11)), places, corners)
    return made


@pytest.fixture(scope="module")
def map_sets(service: httpx.Client, dataset: Json, drawn: Json, sizes: dict[str, tuple[int, int]]) -> dict[str, Json]:
    """As numpy.savez, a tracker's export and COCO's annotators leave them."""
    arrays = io.BytesIO()
    np.savez_compressed(arrays, **{name: one[0] for name, one in drawn.items()})
    table = io.StringIO()
    rows = csv.writer(table)
    rows.writerow(["image", "x", "y"])
    rows.writerows([name, *place] for name, (_, places, _) in drawn.items() for place in places.tolist())
    images, annotations = [], []
    for number, (name, (_, _, corners)) in enumerate(drawn.items()):
        images.append({"id": number, "file_name": name, "width": sizes[name][0], "height": sizes[name][1]})
        annotations.append({"id": number, "image_id": number, "segmentation": [np.ravel(corners).tolist()]})
    outlines = json.dumps({"images": images, "annotations": annotations, "categories": []}).encode()
    contents: dict[str, tuple[Json, bytes]] = {
        "arrays": ({"kind": "other"}, arrays.getvalue()),
        "gaze": ({"kind": "gaze", "sigma": SIGMA}, zipped({"fixations.csv": table.getvalue().encode()})),
        "outlines": ({"kind": "human"}, zipped({"instances.json": outlines})),
    }
    made = {
        name: upload(service, "map-sets", {"name": name, "dataset_id": dataset["id"]} | described, content)
        for name, (described, content) in contents.items()
    }
    told = {name: (one["status"], one["map_count"], one["unreadable_count"]) for name, one in made.items()}
    assert told == dict.fromkeys(contents, ("ready", len(drawn), 0)), made
    return made


@pytest.fixture(scope="module")
def audit(start: Callable[..., Json], map_sets: dict[str, Json]) -> Json:
    ids = [one["id"] for one in map_sets.values()]
    ended = start(RUN, protocol=PROTOCOL, sample_limit=SAMPLES, map_set_ids=ids)
    assert ended["status"] == "succeeded", ended
    return ended


@pytest.fixture(scope="module")
def scores(service: httpx.Client, audit: Json) -> Scores:
    return scores_of(service, audit)


@pytest.fixture(scope="module")
def own_maps(service: httpx.Client, audit: Json) -> dict[str, Map]:
    """The model's, by sample, as the API shows them."""
    path = f"/v1/audits/{audit['id']}/samples"
    rows = service.get(path, params={"view": "cc@1", "subject": audit["model_ids"][0]}).json()["items"]
    assert len(rows) == SAMPLES
    return {row["sample"]: np.array(service.get(f"{path}/{row['sample_id']}/map").json()["values"]) for row in rows}


def stretched(values: Map) -> Map:
    return np.asarray((values - values.min()) / (values.max() - values.min()))


def given_maps(name: str, drawn: Json, sizes: dict[str, tuple[int, int]]) -> dict[str, Map]:
    """As other tools make them, in [0, 1]."""
    (width, height), (array, places, corners) = sizes[name], drawn[name]
    rows, columns = np.mgrid[:height, :width] + 0.5
    bells = [np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * SIGMA**2)) for x, y in places]
    outline = polygon2mask((height, width), np.array(corners)[:, ::-1] - 0.5).astype(float)
    return {"arrays": stretched(array), "gaze": stretched(np.sum(bells, axis=0)), "outlines": outline}


def similar(one: Map, other: Map) -> float:
    """Pearson's correlation at the smaller height and width of both, by area."""
    size = min(one.shape[0], other.shape[0]), min(one.shape[1], other.shape[1])
    small = (np.asarray(resize_local_mean(values, size)).ravel() for values in (one, other))
    return float(pearsonr(*small).statistic)


def test_gaussians_are_scipys(drawn: Json, sizes: dict[str, tuple[int, int]]) -> None:
    """What this file holds the service to, against a filter of one impulse away from the border."""
    name = min(sizes)
    width, height = sizes[name]
    impulse = np.zeros((height, width))
    impulse[height // 2, width // 2] = 1
    middle = {name: (np.eye(2), np.array([[width // 2 + 0.5, height // 2 + 0.5]]), drawn[name][2])}
    theirs = stretched(gaussian_filter(impulse, SIGMA, truncate=6))
    assert given_maps(name, middle, sizes)["gaze"] == pytest.approx(theirs, abs=1e-3)


def test_entropies_are_those_of_the_maps_that_came(
    map_sets: dict[str, Json], scores: Scores, own_maps: dict[str, Map], drawn: Json, sizes: dict[str, tuple[int, int]]
) -> None:
    for sample in own_maps:
        for name, values in given_maps(sample, drawn, sizes).items():
            key = sample, f"map_set:{map_sets[name]['id']}", "spatial"
            # An outline may take or leave the pixels that its edge goes through.
            assert scores[key] == pytest.approx(spatial(values), abs=2e-2 if name == "outlines" else 1e-4), name


def test_fixations_judge_a_map_as_other_tools_say(
    audit: Json, scores: Scores, own_maps: dict[str, Map], drawn: Json, sizes: dict[str, tuple[int, int]]
) -> None:
    """NSS by SciPy's zscore, AUC-Judd by scikit-learn: every fixation a hit, every cell without one a false alarm."""
    [model] = audit["model_ids"]
    for sample, own in own_maps.items():
        shares = drawn[sample][1] / sizes[sample]
        cells = [tuple(one) for one in np.floor(shares[:, ::-1] * own.shape).astype(int).tolist()]
        standard = zscore(own, axis=None)
        nss = np.mean([standard[cell] for cell in cells])
        others = [own[cell] for cell in np.ndindex(own.shape) if cell not in cells]
        hits = [own[cell] for cell in cells]
        auc = roc_auc_score([1] * len(hits) + [0] * len(others), hits + others)
        assert scores[sample, model, "nss@2"] == pytest.approx(nss, abs=1e-5)
        assert scores[sample, model, "auc_judd@2"] == pytest.approx(auc, abs=1e-9)
    assert not {view for _, _, view in scores} & {"nss@1", "nss@3", "auc_judd@1"}, "they have no fixations"


def test_the_rest_is_the_mean_of_all_other_annotators(
    audit: Json,
    map_sets: dict[str, Json],
    scores: Scores,
    own_maps: dict[str, Map],
    drawn: Json,
    sizes: dict[str, tuple[int, int]],
) -> None:
    """Of a model of all three; of a map set of the two others, which is the ceiling: at the smallest size of those."""
    subjects = {f"map_set:{one['id']}": name for name, one in map_sets.items()} | {audit["model_ids"][0]: None}
    for sample, own in own_maps.items():
        given = given_maps(sample, drawn, sizes)
        for subject, name in subjects.items():
            others = [values for other, values in given.items() if other != name]
            size = min(one.shape[0] for one in others), min(one.shape[1] for one in others)
            mean = np.mean([np.asarray(resize_local_mean(one, size)) for one in others], axis=0)
            expected = similar(own if name is None else given[name], mean)
            assert scores[sample, subject, "cc@rest"] == pytest.approx(expected, abs=1e-2), name


def test_what_cannot_stand_together_is_refused(
    service: httpx.Client, dataset: Json, models: dict[str, Json], map_sets: dict[str, Json]
) -> None:
    gaze, [first, *_] = map_sets["gaze"]["id"], [*named_images().items()]
    ids = [models[RUN]["id"]]

    def refused(status: int, code: str, **asked: Any) -> str:
        body = {"dataset_id": dataset["id"], "model_ids": ids, "map_set_ids": [gaze], "protocol": PROTOCOL} | asked
        return check_problem(service.post("/v1/audits", json=body), status, code)

    waiting = service.post("/v1/map-sets", json={"name": "later", "dataset_id": dataset["id"], "kind": "human"}).json()
    assert waiting["id"] in refused(409, "map-set-not-ready", map_set_ids=[waiting["id"]])
    other = upload(service, "datasets", {"name": "one face"}, zipped({first[0]: png(first[1])}))
    assert gaze in refused(422, "map-set-of-another-dataset", dataset_id=other["id"])
    handed_out = {"name": "small", "dataset_id": dataset["id"], "kind": "other", "input_size": 96}
    small = service.post("/v1/map-sets", json=handed_out).json()
    assert f"the map set {small['id']}" in refused(422, "input-sizes-differ", map_set_ids=[small["id"]])


def test_models_that_see_other_parts_of_an_image_are_refused(
    service: httpx.Client, dataset: Json, models: dict[str, Json], map_sets: dict[str, Json]
) -> None:
    """Of a map that fits one of them the other would see a part."""
    described = {"name": "cropped", "preprocessing": RECIPE["preprocessing"] | {"resize": "shorter_side_crop"}}
    cropped = upload(service, "models", RECIPE | described, (WEIGHTS / f"{RUN}.safetensors").read_bytes())
    assert cropped["status"] == "ready", cropped
    body = {"dataset_id": dataset["id"], "map_set_ids": [map_sets["gaze"]["id"]], "protocol": PROTOCOL}
    both = [models[RUN]["id"], cropped["id"]]
    told = check_problem(service.post("/v1/audits", json=body | {"model_ids": both}), 422, "frames-differ")
    assert "audit them one by one" in told
