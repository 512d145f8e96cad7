"""What a map set makes is bounded: by the tenant's quota, by the images of one file, by the samples of the data set."""

import json
import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import select

from app.access.quotas import used_bytes
from app.db.identifiers import new_id
from app.db.session import transaction
from app.db.tables import DEFAULT_TENANT, MapRow, MapSetRow
from app.domain.vocabulary import MapSetKind, ResourceStatus
from app.embedded.postgres import EmbeddedPostgres
from app.settings import Settings
from tests.children import open_context
from tests.databases import new_database
from tests.datasets.indexing import index
from tests.map_sets.packing import npy, png, zipped
from worker.intake import map_reader
from worker.intake.map_sets import read_map_set
from worker.lifecycle.context import WorkerContext
from worker.map_files import found
from worker.supervision.forkserver import Forkserver

NAMES = [f"a/{number}.png" for number in range(3)]
VAST = {"width": 100_000, "height": 100_000}
"""Has a reason of its own, where it is looked at."""


@pytest.fixture(scope="module")
def context(
    postgres: EmbeddedPostgres, broker_url: str, tmp_path_factory: pytest.TempPathFactory, forkserver: Forkserver
) -> Iterator[WorkerContext]:
    blobs = str(tmp_path_factory.mktemp("blobs"))
    with new_database(postgres) as url:
        settings = Settings(database_url=url, broker_url=broker_url, blob_store=blobs)
        with open_context(settings, forkserver) as context:
            yield context


@pytest.fixture(scope="module")
def dataset_id(context: WorkerContext) -> UUID:
    pixels = np.random.default_rng(0).integers(0, 255, (3, 40, 60, 3), np.uint8)
    images = {name: png(one) for name, one in zip(NAMES, pixels, strict=True)}
    row, samples = index(context, zipped(images | {"b/0.png": png(pixels[0] // 2)}))
    assert len(samples) == 4, row.notes
    return row.id


def read(context: WorkerContext, dataset_id: UUID, files: dict[str, bytes]) -> tuple[MapSetRow, list[MapRow]]:
    content = zipped(files)
    with context.blobs.writer(len(content)) as writer:
        writer.write(content)
        digest = writer.commit().digest
    row = MapSetRow(id=new_id(), dataset_id=dataset_id, name="m", kind=MapSetKind.HUMAN, notes=[], views=[], extra={})
    row.status, row.content_digest, row.content_size = ResourceStatus.VALIDATING, digest, len(content)
    with transaction(context.engine) as session:
        session.add(row)
    read_map_set(context, row.id)
    with transaction(context.engine) as session:
        maps = session.scalars(select(MapRow).where(MapRow.map_set_id == row.id).order_by(MapRow.id)).all()
        return session.get_one(MapSetRow, row.id), list(maps)


def noise(seed: int) -> bytes:
    """A map that takes its whole 40,000 bytes."""
    return npy(np.random.default_rng(seed).random((100, 100), np.float32))


def test_the_maps_that_a_set_makes_count_in_the_quota(context: WorkerContext, dataset_id: UUID) -> None:
    made, _ = read(context, dataset_id, {name: noise(place) for place, name in enumerate(NAMES)})
    assert made.status == ResourceStatus.READY, made.problem
    assert 90_000 < made.stored_size < 130_000
    with transaction(context.engine) as session:
        used = used_bytes(session, DEFAULT_TENANT)
    assert used >= made.stored_size + (made.content_size or 0)
    # As much again fits its upload, but not what is made of it.
    narrow = replace(context, settings=context.settings.model_copy(update={"max_tenant_bytes": used + 130_000}))
    refused, _ = read(narrow, dataset_id, {name: noise(place + 9) for place, name in enumerate(NAMES)})
    assert (refused.status, refused.stored_digest, refused.stored_size) == (ResourceStatus.REJECTED, None, 0)
    assert refused.problem is not None
    assert refused.problem["code"] == "map-set-over-quota"
    assert f"The tenant may have {used + 130_000} bytes" in refused.problem["detail"]


def coco(names: list[str]) -> bytes:
    images = [{"id": place, "file_name": name, "width": 60, "height": 40} for place, name in enumerate(names)]
    outline: Any = [[10, 10, 40, 10, 40, 30, 10, 30]]
    return json.dumps(
        {"images": images, "annotations": [{"image_id": 0, "segmentation": outline}], "categories": []}
    ).encode()


def test_of_what_is_no_sample_nothing_is_drawn(context: WorkerContext, dataset_id: UUID) -> None:
    document = json.loads(coco(["set/a/0.png", "1.jpg", "train/0001.png"]))
    document["images"][2] |= VAST
    files = {"set/export/boxes.json": json.dumps(document).encode(), "set/a/2.npy": noise(3)}
    made, maps = read(context, dataset_id, files)
    reasons = {one.name: one.problem and one.problem["code"] for one in maps}
    assert reasons == {"set/a/0.png": None, "1.jpg": None, "train/0001.png": "map-of-no-sample", "set/a/2.npy": None}
    assert made.map_count == 3


def test_what_would_not_be_taken_is_not_drawn(
    context: WorkerContext, dataset_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a second map of an image, from the same file or another, nor one of a name that several samples have."""
    monkeypatch.setattr(map_reader, "FILES", 1)
    names = ["a/0.png", "a/0", "0.png", "a/1.png"]
    document = json.loads(coco(names))
    document["images"][1:3] = [one | VAST for one in document["images"][1:3]]
    vast = {"shapes": [], "imageWidth": VAST["width"], "imageHeight": VAST["height"]}
    files = {"boxes.json": document, "a/1.json": vast, "train/9.json": vast, "a/2.json": vast}
    pictures = {"b/0.png": png(np.eye(40, 60, dtype=np.uint8)), "train/8.png": bomb()}
    made, maps = read(context, dataset_id, {name: json.dumps(one).encode() for name, one in files.items()} | pictures)
    assert {one.name: one.problem and one.problem["code"] for one in maps} == {
        "train/8.png": "map-of-no-sample",
        "a/0.png": None,
        "a/0": "map-twice",
        "0.png": "map-name-ambiguous",
        "a/1.png": None,
        "a/1": "map-twice",
        "train/9": "map-of-no-sample",
        "a/2": "map-annotation-invalid",
        "b/0.png": None,
    }
    assert made.map_count == 3


def bomb() -> bytes:
    """A PNG of 50,000 x 50,000 greys in a few hundred bytes."""
    parts = [(b"IHDR", struct.pack(">IIBBBBB", 50_000, 50_000, 8, 0, 0, 0, 0)), (b"IDAT", zlib.compress(bytes(9)))]
    chunks = [kind + content for kind, content in [*parts, (b"IEND", b"")]]
    checked = [struct.pack(">I", len(one) - 4) + one + struct.pack(">I", zlib.crc32(one)) for one in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(checked)


def test_a_bomb_and_a_file_that_ends_its_process_cost_themselves_alone(
    context: WorkerContext, dataset_id: UUID, forkserver: Forkserver
) -> None:
    """The array takes 600 MB on its way to a map, of which its process may have less."""
    settings = context.settings.model_copy(update={"child_memory_bytes": 300 * 2**20})
    files = {NAMES[0]: bomb(), "a/1.npy": npy(np.zeros((7000, 7000), np.uint8)), "a/2.npy": noise(1)}
    with open_context(settings, forkserver, "narrow") as narrow:
        made, maps = read(narrow, dataset_id, files)
    assert (made.status, made.map_count, made.unreadable_count) == (ResourceStatus.READY, 1, 2), made.problem
    problems = {one.name: one.problem for one in maps if one.problem is not None}
    assert {problem["code"] for problem in problems.values()} == {"map-unreadable"}
    assert "pixels" in problems[NAMES[0]]["detail"]
    assert "The process that read it was lost" in problems["a/1.npy"]["detail"]


def test_a_file_of_too_many_images(context: WorkerContext, dataset_id: UUID) -> None:
    """Beside one that is short enough."""
    long = coco([f"{number}.png" for number in range(found.MOST_IMAGES + 1)])
    made, maps = read(context, dataset_id, {"long.json": long, "short.json": coco(NAMES[:1])})
    assert made.map_count == 1
    [problem] = [one.problem for one in maps if one.problem is not None]
    assert problem["code"] == "map-file-too-long"
    assert "speaks of 100001 images; the limit is 100000. Split it" in problem["detail"]
