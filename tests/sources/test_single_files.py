"""A tar or a table that is named itself is a folder of one; what cannot be read there is copied, and says why."""

import gzip
import hashlib
import tarfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from app.db.identifiers import new_id
from app.db.tables import ConnectionRow
from app.registries.folder_place import FolderPlace
from app.registries.places import dataset_kind, place_of
from app.sources.contents import Contents
from tests.datasets.image_tables import CLASSES, IMAGE, hugging, images, written
from tests.datasets.packing import make_tar, make_zip, picture
from tests.sources.listings import fetch_due, fetched, found, objects_of, put, taken, told
from worker.intake.datasets import index_dataset
from worker.lifecycle.context import WorkerContext

CONVERTED = "hf://datasets/o/r@refs/convert/parquet"
IMAGES = {f"{label}/{number}.png": picture(40 * number) for label in ("cat", "dog") for number in (1, 2)}


def test_a_tar_is_a_folder_of_one(context: WorkerContext, folder: Path) -> None:
    """And has the samples of the tar as an upload; what lies beside it is neither listed nor looked at."""
    put(
        folder, {"one/faces.tar": make_tar(IMAGES), "faces.tar": make_tar(IMAGES), "faces.tar.old": b"", "no.tar": b"!"}
    )
    (folder / b"\xff.png".decode(errors="surrogateescape")).touch()
    uri = f"file://{folder}/faces.tar"
    dataset, samples = taken(context, uri)
    assert (dataset.status, dataset.problem, dataset.content_digest) == ("ready", None, None)
    assert [one.key for one in objects_of(context, dataset) if one.container is None] == ["faces.tar"]
    for other in (taken(context, f"file://{folder}/one"), taken(context, uri, by_reference=False)):
        assert told(samples) == told(other[1])
    contents = Contents(context.engine, context.blobs, context.settings)
    for one in samples:
        assert contents.read_range(dataset.stored_digest or "", one.offset, one.size) == IMAGES[one.name]


def test_a_table_is_a_folder_of_one(with_children: WorkerContext, folder: Path) -> None:
    rows = {"image": images(*range(0, 50, 10)), "label": [0, 1, 0, 1, 0]}
    put(folder, {"pets.parquet": written(hugging(rows, image=IMAGE, label=CLASSES)), "other.parquet": b"PAR1"})
    dataset, samples = taken(with_children, f"file://{folder}/pets.parquet")
    assert (dataset.status, dataset.problem, dataset.content_digest) == ("ready", None, None)
    assert [(one.name, one.label) for one in samples][:2] == [("pets/000000.png", "cat"), ("pets/000001.png", "dog")]
    assert [one.key for one in objects_of(with_children, dataset) if one.container is None] == ["pets.parquet"]


def test_a_file_that_is_not_there(context: WorkerContext, folder: Path) -> None:
    put(folder, {"faces.tar.old": b""})
    row, _ = found(context, fetched(context, f"file://{folder}/faces.tar"))
    assert (row.status, (row.problem or {})["code"]) == ("rejected", "registry-not-found")
    assert "no faces.tar" in (row.problem or {})["detail"]


def linked() -> bytes:
    """With a hard link to its first image."""

    def change(info: tarfile.TarInfo) -> None:
        if info.name == "cat/3.png":
            info.type, info.linkname, info.size = tarfile.LNKTYPE, "cat/1.png", 0

    return make_tar(IMAGES | {"cat/3.png": b""}, change)


@pytest.mark.parametrize(
    ("file", "content", "count", "why"),
    [
        ("faces.zip", make_zip(IMAGES), 4, ".tar and .parquet alone"),
        ("faces.tar", gzip.compress(make_tar(IMAGES)), 4, "it is compressed"),
        ("faces.tar", make_zip(IMAGES), 4, "or no tar"),
        ("faces.tar", linked(), 5, "it has hard links"),
        ("faces.tar", make_tar({"1.tar": make_tar(IMAGES)}), 4, "no images but '1.tar'"),
    ],
)
def test_what_is_copied_says_why(
    file: str, content: bytes, count: int, why: str, context: WorkerContext, folder: Path
) -> None:
    put(folder, {file: content})
    dataset = fetched(context, f"file://{folder}/{file}")
    index_dataset(context, dataset.id)
    if found(context, dataset)[0].status == "fetching":
        fetch_due(context)
        index_dataset(context, dataset.id)
    row, samples = found(context, dataset)
    assert (row.status, row.problem, len(samples)) == ("ready", None, count)
    assert ((row.source or {})["by_reference"], objects_of(context, dataset)) == (False, [])
    [note] = [note for note in row.notes if "It was copied" in note]
    assert why in note


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


def test_a_file_of_a_web_server_is_copied(context: WorkerContext, folder: Path) -> None:
    content = make_tar(IMAGES)
    put(folder, {"faces.tar": content})
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        connection = ConnectionRow(id=new_id(), name="w", kind="http", url=url, auth_kind="none")
        uri = f"{url}/faces.tar#sha256={hashlib.sha256(content).hexdigest()}"
        row, samples = taken(context, uri, connection=connection)
        server.shutdown()
    assert (row.status, len(samples), (row.source or {})["by_reference"]) == ("ready", 4, False)
    assert [note for note in row.notes if "It was copied" in note and "digest of the whole" in note]


def test_no_other_folder_is_walked(folder: Path) -> None:
    put(folder, {"a/1.tar": b"1", "b/c/1.tar": b"1", "b/c/2.tar": b"1", "b.tar": b"1"})
    place = FolderPlace(str(folder), ())
    assert [one.key for page in place.pages(None, "b/c/1") for one in page.objects] == ["b/c/1.tar"]
    assert sorted(one.key for page in place.pages(None, "b") for one in page.objects) == [
        "b.tar",
        "b/c/1.tar",
        "b/c/2.tar",
    ]


@pytest.mark.parametrize(
    ("uri", "place", "file"),
    [
        ("s3://bucket/shard-000.tar", "s3://bucket", "shard-000.tar"),
        ("s3://bucket/a/b-{000..009}.tar", "s3://bucket/a", "b-{000..009}.tar"),
        ("s3://bucket/a", "s3://bucket/a", None),
        ("file:///srv/my%20shards.tar", "file:///srv", "my shards.tar"),
        ("hf://datasets/o/r@main/data/x.parquet", "hf://datasets/o/r@main", "data/x.parquet"),
        (f"{CONVERTED}/default/0.parquet", CONVERTED, "default/0.parquet"),
        ("hf://datasets/o/r@feature/x", "hf://datasets/o/r@feature/x", None),
        ("https://h/a.tar#sha256=" + "0" * 64, "https://h/a.tar#sha256=" + "0" * 64, "a.tar"),
    ],
)
def test_what_an_address_names(uri: str, place: str, file: str | None) -> None:
    assert place_of(uri) == (place, file)
    assert dataset_kind(uri) in {"s3", "folder", "huggingface", "http"}


@pytest.mark.parametrize(
    "uri", ["s3://bucket/../x.tar", "s3://bucket/a\nb.tar", "hf://datasets/o/r@main/../x.tar", "file:///../x.tar"]
)
def test_addresses_that_are_none(uri: str) -> None:
    with pytest.raises(ValueError, match=r"named as|cannot be"):
        dataset_kind(uri)
