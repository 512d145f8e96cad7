"""Maps from elsewhere come in through the service: what is a map of a sample is taken, all else is listed."""

from typing import Any

import httpx
import numpy as np
from prepare import named_images

from tests.map_sets.packing import npy, png, zipped
from tests.waiting import upload

Json = dict[str, Any]
NAMES = [*named_images()]


def described(dataset: Json, **more: Any) -> Json:
    return {"name": "masks", "dataset_id": dataset["id"], "kind": "human"} | more


def maps_of(service: httpx.Client, made: Json, **wanted: Any) -> list[Json]:
    items: list[Json] = service.get(f"/v1/map-sets/{made['id']}/maps", params=wanted | {"limit": 500}).json()["items"]
    return items


def test_pictures_and_arrays_by_any_name(service: httpx.Client, dataset: Json) -> None:
    """With the folders and the ending of the sample's name or without, below a folder of the upload's own."""
    mask, first = np.zeros((100, 80), np.uint8), NAMES[0]
    mask[20:60, 10:40] = 255
    files = {
        f"masks/{first}": png(mask),
        f"masks/{NAMES[1].removesuffix('.png')}.jpg": png(mask[::2, ::2]),
        f"masks/{NAMES[2]}.npy": npy(mask.astype(float)),
        f"masks/{NAMES[3].removesuffix('.png')}.npy": npy(mask.astype(bool)[:, :, None]),
        f"masks/{NAMES[4]}": png(mask.astype(np.uint16) * 100),
        "masks/.DS_Store": b"x",
    }
    made = upload(service, "map-sets", described(dataset), zipped(files))
    assert (made["status"], made["map_count"], made["unreadable_count"]) == ("ready", 5, 0), made
    assert made["views"] == ["clean"]
    assert made["digest"].startswith("sha256:")
    assert ["hidden" in note for note in made["notes"]] == [True]
    samples = service.get(f"/v1/datasets/{dataset['id']}/samples", params={"limit": 5}).json()["items"]
    found = sorted(maps_of(service, made), key=lambda one: str(one["name"]))
    assert [one["sample_id"] for one in found] == [one["id"] for one in samples]
    assert [(one["height"], one["width"]) for one in found] == [(100, 80), (50, 40), *[(100, 80)] * 3]


def test_what_is_no_map_is_listed_with_its_reason(service: httpx.Client, dataset: Json) -> None:
    whole = npy(np.eye(9))
    files = {
        NAMES[0]: png(np.eye(7, dtype=np.uint8)),
        NAMES[0].replace(".png", ".npy"): whole,
        "face/bright/nobody.png": png(np.eye(7, dtype=np.uint8)),
        f"{NAMES[1]}.npy": npy([{"an": "object"}]),
        f"{NAMES[2]}.npy": npy(np.zeros((3, 4, 5))),
        f"{NAMES[3]}.npy": npy(np.array([[1.0, np.nan], [0.0, np.inf]])),
        f"{NAMES[4]}.npy": whole[:-9],
        NAMES[5]: b"\x89PNG\r\n\x1a\n and nothing more",
        f"{NAMES[6]}.txt": b"here",
    }
    made = upload(service, "map-sets", described(dataset, name="odd"), zipped(files))
    assert (made["status"], made["map_count"], made["unreadable_count"]) == ("ready", 1, 8), made
    reasons = {one["name"]: one["problem"]["code"] for one in maps_of(service, made, status="unreadable")}
    array = "map-array-invalid"
    codes = ["map-twice", "map-of-no-sample", array, array, "map-not-finite", array]
    assert reasons == dict(zip([*files][1:], [*codes, "map-unreadable", "map-unsupported-type"], strict=True))


def test_a_set_without_any_map_is_rejected(service: httpx.Client, dataset: Json) -> None:
    made = upload(
        service, "map-sets", described(dataset, name="none"), zipped({"a/b.png": png(np.eye(9, dtype=np.uint8))})
    )
    assert (made["status"], made["problem"]["code"]) == ("rejected", "map-set-empty")
    assert "1 map-of-no-sample" in made["problem"]["detail"]
    assert service.delete(f"/v1/map-sets/{made['id']}").status_code == 204
    assert service.get(f"/v1/map-sets/{made['id']}").status_code == 404
