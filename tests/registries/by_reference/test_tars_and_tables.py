"""Folders of tars and of Parquet tables by reference, held against the same images uploaded."""

import os
from operator import itemgetter
from pathlib import Path

import httpx
import pytest

from tests.registries.by_reference.rounds import Json, audit, is_listed, listed, put, samples, scores


@pytest.fixture(params=["folder", "bucket"])
def of_shards(service: httpx.Client, request: pytest.FixtureRequest, shards: dict[str, bytes]) -> Json:
    return listed(service, put(request, request.param, "shards", shards))


@pytest.fixture(params=["folder", "bucket"])
def of_tables(service: httpx.Client, request: pytest.FixtureRequest, tables: dict[str, bytes]) -> Json:
    return listed(service, put(request, request.param, "tables", tables))


def test_images_within_tars_are_audited_where_they_lie(
    service: httpx.Client, of_shards: Json, model: Json, images: dict[str, bytes], uploaded_scores: list[Json]
) -> None:
    """With the scores, bit for bit, of the same images uploaded."""
    is_listed(of_shards)
    some = sorted(images)[4]
    assert service.get(f"/v1/datasets/{of_shards['id']}/samples/{some}/image").content == images[some]
    assert scores(service, audit(service, model, of_shards)) == uploaded_scores
    assert {one["status"] for one in samples(service, of_shards)} == {"ready"}


def test_images_within_tables_are_audited_where_they_lie(
    service: httpx.Client, of_tables: Json, model: Json, images: dict[str, bytes], uploaded_scores: list[Json]
) -> None:
    """With the scores, bit for bit, of the same images uploaded; the names are those of a copy's."""
    is_listed(of_tables)
    found = samples(service, of_tables)
    assert (of_tables["splits"], {one["split"] for one in found}) == (["train"], {"train"})
    assert [one["label"] for one in found] == [name.split("/")[0] for name in sorted(images)]
    assert [one["sample"] for one in found[3:5]] == [
        "train-00000-of-00002/000003.png",
        "train-00001-of-00002/000000.png",
    ]
    shown = service.get(f"/v1/datasets/{of_tables['id']}/samples/{found[7]['sample']}/image")
    assert shown.content == images[sorted(images)[7]]
    audited = audit(service, model, of_tables)
    named = {one["sample"]: name for one, name in zip(found, sorted(images), strict=True)}
    ours = [one | {"sample": named[one["sample"]]} for one in scores(service, audited)]
    by_sample = ("sample", "measure", "view")
    assert sorted(ours, key=itemgetter(*by_sample)) == sorted(uploaded_scores, key=itemgetter(*by_sample))
    one_map = service.get(f"/v1/audits/{audited['id']}/samples/{found[7]['id']}/map", headers={"Accept": "image/png"})
    assert one_map.content[:4] == b"\x89PNG"


@pytest.mark.parametrize("kind", ["shards", "tables"])
def test_a_tar_or_a_table_that_changes(
    kind: str, service: httpx.Client, request: pytest.FixtureRequest, open_folder: Path, model: Json
) -> None:
    files: dict[str, bytes] = request.getfixturevalue(kind)
    source = put(request, "folder", f"changing-{kind}", files)
    dataset = listed(service, source)
    changed = max(files)
    (open_folder / "imports" / f"changing-{kind}" / changed).write_bytes(files[changed] + b"!")
    failed = audit(service, model, dataset, status="failed", measures={"entropy": {}}, seed=7)
    assert failed["problem"]["code"] == "artifact-corrupted"
    assert changed in failed["problem"]["detail"]
    # Behind the same size and time, other bytes: of an image that was read before, or of a table's, the sum tells.
    if kind == "tables":
        path = open_folder / "imports" / f"changing-{kind}" / changed
        path.write_bytes(files[changed])
        dataset = listed(service, source)
        seen = path.stat()
        place = files[changed].index(b"IDAT") + 40
        path.write_bytes(files[changed][:place] + b"!!!!" + files[changed][place + 4 :])
        os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns))
        failed = audit(service, model, dataset, status="failed", measures={"entropy": {}}, seed=8)
        assert failed["problem"]["code"] == "artifact-corrupted"
