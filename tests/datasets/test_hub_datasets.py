"""Data sets of a Hub: imagefolder, Parquet by the library `datasets` and WebDataset's shards, listed and fetched as the
project's own client does it; labels and splits are those of the same files uploaded.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import HfApi
from huggingface_hub.hf_api import RepoFile

from app.domain.vocabulary import ResourceStatus
from app.egress.addresses import AddressGuard
from app.egress.client import EgressClient
from app.errors import EgressFailure
from app.imports.packing import copy_dataset
from app.registries.folder import FolderRegistry
from app.registries.hub import HubRegistry
from app.settings import Settings
from app.storage.blobs import BlobStore
from tests.datasets.indexing import index
from tests.datasets.packing import make_tar, picture
from tests.registries.loopback_hub import COMMIT, LARGE_BYTES, LoopbackHub, loopback_hub
from worker.lifecycle.context import WorkerContext

TABLE = (Path(__file__).parent / "files" / "train-00000-of-00001.parquet").read_bytes()
CARDS = {"README.md": b"---\nlicense: mit\n---\n# Pets", ".gitattributes": b"*.parquet filter=lfs"}
FOLDERS = CARDS | {
    "train/metadata.csv": b"file_name,label,camera\n1.png,cat,A\nmore/2.png,dog,B\n",
    "train/1.png": picture(10),
    "train/more/2.png": picture(60),
    "test/metadata.jsonl": b'{"file_name": "3.png", "label": "dog", "camera": "A"}\n',
    "test/3.png": picture(110),
}
TABLES = CARDS | {
    "data/train-00000-of-00002.parquet": TABLE,
    "data/train-00001-of-00002.parquet": TABLE,
    "data/test-00000-of-00001.parquet": TABLE,
}
SHARDS = CARDS | {
    "pets-train-000000.tar": make_tar({"0.png": picture(10), "0.cls": b"1", "1.png": picture(60), "1.cls": b"0"}),
    "pets-train-000001.tar": make_tar({"2.png": picture(90), "2.cls": b"1"}),
    "pets-val-000000.tar": make_tar({"3.png": picture(110), "3.cls": b"0"}),
}
REPOSITORIES: dict[str, tuple[dict[str, bytes], list[str], dict[str, int]]] = {
    "ours/folders": (FOLDERS, ["cat", "dog"], {"train": 2, "test": 1}),
    "ours/tables": (TABLES, ["cat", "dog"], {"train": 6, "test": 3}),
    "ours/shards": (SHARDS, ["0", "1"], {"train": 3, "val": 1}),
}
SETTINGS = Settings()


@pytest.fixture(scope="module")
def hub() -> Iterator[LoopbackHub]:
    with loopback_hub() as server:
        for name, (files, _, _) in REPOSITORIES.items():
            server.files[f"datasets/{name}"] = files
        yield server


@pytest.fixture
def registry(hub: LoopbackHub) -> Iterator[HubRegistry]:
    with EgressClient(AddressGuard.of(["127.0.0.1/32"])) as client:
        yield HubRegistry(client, hub.url, {})


def copied(registry: Any, uri: str, blobs: BlobStore, settings: Settings = SETTINGS) -> bytes:
    fetched = copy_dataset(registry, uri, blobs, settings, lambda: None)
    assert fetched.blob is not None
    return b"".join(blobs.read(fetched.blob.digest))


@pytest.mark.parametrize("name", REPOSITORIES)
def test_listed_as_the_projects_own_client_lists(name: str, hub: LoopbackHub, registry: HubRegistry) -> None:
    api, uri = HfApi(endpoint=hub.url, token=False), f"hf://datasets/{name}@main"
    theirs = [one for one in api.list_repo_tree(name, repo_type="dataset", recursive=True) if isinstance(one, RepoFile)]
    pinned, version = registry.pinned(uri)
    assert (pinned, version.version) == (f"hf://datasets/{name}@{COMMIT}", COMMIT)
    place = registry.place(uri)
    ours = [listed for page in place.pages(None) for listed in page.objects]
    assert [(one.key, one.size) for one in ours] == [(one.path, one.size) for one in theirs]
    files = REPOSITORIES[name][0]
    assert all(place.read(listed, 0, listed.size) == files[listed.key] for listed in ours)
    assert registry.open(uri).names() == set(files)


def test_downloaded_as_the_projects_own_client_does(hub: LoopbackHub, registry: HubRegistry, tmp_path: Path) -> None:
    """A large file comes from another host, after two redirects."""
    files = {"data/train-00000-of-00001.parquet": TABLE * (LARGE_BYTES // len(TABLE) + 1)}
    hub.files["datasets/ours/large"] = files
    (name,) = files
    theirs = HfApi(endpoint=hub.url, token=False).hf_hub_download(
        "ours/large", name, repo_type="dataset", cache_dir=tmp_path
    )
    opened = registry.open("hf://datasets/ours/large")
    checksum = opened.checksum(name)
    assert checksum is not None
    with opened.fetch(name, 10_000_000) as download:
        assert b"".join(checksum.checked(download.pieces())) == Path(theirs).read_bytes() == files[name]


@pytest.mark.parametrize("name", REPOSITORIES)
def test_labels_and_splits_are_those_of_an_upload(name: str, registry: HubRegistry, context: WorkerContext) -> None:
    files, labels, splits = REPOSITORIES[name]
    dataset, samples = index(context, copied(registry, f"hf://datasets/{name}", context.blobs))
    assert dataset.status == ResourceStatus.READY, dataset.problem
    assert dataset.labels == labels
    found = [sample.split for sample in samples]
    assert {split: found.count(split) for split in splits} == splits
    assert len(found) == sum(splits.values())
    uploaded, _ = index(context, make_tar({key: value for key, value in files.items() if key not in CARDS}))
    assert dataset.digest == uploaded.digest


def test_tables_and_shards_may_be_longer_than_images(registry: HubRegistry, context: WorkerContext) -> None:
    """They stream through; an image is an entry, and has an entry's limit."""
    few = SETTINGS.model_copy(update={"max_entry_bytes": 300})
    assert len(TABLE) > few.max_entry_bytes
    for name in ("tables", "shards"):
        uri = f"hf://datasets/ours/{name}"
        assert copied(registry, uri, context.blobs, few) == copied(registry, uri, context.blobs)
    with pytest.raises(EgressFailure, match="answer-too-large"):
        copied(registry, "hf://datasets/ours/folders", context.blobs, few.model_copy(update={"max_entry_bytes": 30}))


def test_a_range_of_shards(tmp_path: Path, context: WorkerContext) -> None:
    folder = tmp_path / "pets"
    folder.mkdir()
    for name, content in SHARDS.items():
        (folder / name).write_bytes(content)
    registry = FolderRegistry([str(tmp_path)])
    content = copied(registry, f"file://{folder}/pets-train-{{000000..000001}}.tar", context.blobs)
    dataset, samples = index(context, content)
    assert (dataset.splits, len(samples)) == (["train"], 3)
    for wrong, told in (
        ("pets-train-{000000..000002}.tar", "no pets-train-000002.tar"),
        ("pets-{train,val}-000000.tar", "one range"),
        ("pets-train-{000001..000000}.tar", "one range"),
        ("pets-train-{0..999999999}.tar", "one range"),
    ):
        with pytest.raises(EgressFailure) as failed:
            copied(registry, f"file://{folder}/{wrong}", context.blobs)
        assert failed.value.code == "registry-not-found"
        assert told in failed.value.detail
