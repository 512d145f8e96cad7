"""Data sets by reference: listed where they lie, read by audits, held against the same images uploaded."""

import io
import os
from pathlib import Path

import httpx
import pytest
from PIL import Image

from tests.registries.by_reference.rounds import IMAGES, Json, audit, is_listed, listed, samples, scores


@pytest.fixture(scope="module")
def folder(open_folder: Path, images: dict[str, bytes]) -> Path:
    folder = open_folder / "imports" / "by-reference"
    for name, content in images.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


@pytest.mark.parametrize("kind", ["folder", "bucket", "hub"])
def test_images_are_audited_where_they_lie(
    kind: str,
    service: httpx.Client,
    request: pytest.FixtureRequest,
    model: Json,
    images: dict[str, bytes],
    uploaded_scores: list[Json],
) -> None:
    """With the scores, bit for bit, of the same images uploaded."""
    lies = request.getfixturevalue(kind)
    where = {"uri": f"file://{lies}"} if isinstance(lies, Path) else lies
    source = {name: value for name, value in where.items() if name in {"connection_id", "uri"}}
    dataset = listed(service, source)
    is_listed(dataset)
    assert dataset["digest"].startswith("listing:sha256:")
    assert dataset["labels"] == sorted({name.split("/")[0] for name in images})
    before = samples(service, dataset)
    assert {(one["status"], one["width"]) for one in before} == {("unexamined", None)}
    some = before[0]["sample"]
    assert service.get(f"/v1/datasets/{dataset['id']}/samples/{some}/image").content == images[some]
    assert scores(service, audit(service, model, dataset)) == uploaded_scores
    for one in samples(service, dataset):
        with Image.open(io.BytesIO(images[one["sample"]])) as image:
            assert (one["status"], one["width"], one["height"]) == ("ready", *image.size)
    assert listed(service, source)["digest"] == dataset["digest"]


def test_what_is_found_when_it_is_read(
    service: httpx.Client, open_folder: Path, images: dict[str, bytes], model: Json, uploaded_scores: list[Json]
) -> None:
    """An image that cannot be decoded is listed and has no scores; all others have those that they would have."""
    folder = open_folder / "imports" / "broken"
    for name, content in images.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    broken = sorted(images)[3]
    (folder / broken).write_bytes(images[broken][:40])
    (folder / "notes.txt").write_text("no image")
    dataset = listed(service, {"uri": f"file://{folder}"})
    assert (dataset["sample_count"], dataset["skipped"]) == (IMAGES, {"not-an-image": 1})
    found = scores(service, audit(service, model, dataset))
    assert [one for one in found if one["sample"] != broken] == [
        one for one in uploaded_scores if one["sample"] != broken
    ]
    of_broken = [one for one in found if one["sample"] == broken]
    assert {(one["score"], one["undefined_reason"], one["predicted_label"]) for one in of_broken} == {
        (None, "unreadable", None)
    }
    [told] = samples(service, dataset, status="unreadable")
    assert (told["sample"], told["problem"]["code"]) == (broken, "sample-corrupt")
    assert service.get(f"/v1/datasets/{dataset['id']}").json()["unreadable_count"] == 1
    # Another audit of the same data set finds the same.
    again = scores(service, audit(service, model, dataset, measures={"entropy": {}}))
    assert {one["sample"] for one in again if one["undefined_reason"] == "unreadable"} == {broken}


def test_an_image_that_changes(service: httpx.Client, open_folder: Path, images: dict[str, bytes], model: Json) -> None:
    folder = open_folder / "imports" / "changing"
    for name, content in images.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    dataset = listed(service, {"uri": f"file://{folder}"})
    changed = max(images)
    seen = (folder / changed).stat()
    (folder / changed).write_bytes(images[changed] + b"!")
    failed = audit(service, model, dataset, status="failed")
    assert failed["problem"]["code"] == "artifact-corrupted"
    assert changed in failed["problem"]["detail"]
    shown = service.get(f"/v1/datasets/{dataset['id']}/samples/{changed}/image")
    assert (shown.status_code, shown.json()["code"]) == (410, "artifact-corrupted")
    # Put back as it was, it is what was listed.
    (folder / changed).write_bytes(images[changed])
    os.utime(folder / changed, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    audit(service, model, dataset)
    # Behind the same size and time, other bytes: what was read before tells.
    (folder / changed).write_bytes(bytes(len(images[changed])))
    os.utime(folder / changed, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    failed = audit(service, model, dataset, status="failed", measures={"entropy": {}, "noise_reaction": {}})
    assert (failed["problem"]["code"], changed in failed["problem"]["detail"]) == ("artifact-corrupted", True)
