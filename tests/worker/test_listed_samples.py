"""What the parent of a shard's child reads for it out of a listing: its samples, fetched ahead, and no others."""

import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

import worker.shards.listed_samples as module
from app.errors import InputFailure
from app.registries.folder import FolderRegistry
from app.registries.folder_place import FolderPlace
from app.registries.listed import Listed
from app.settings import Settings
from app.sources.addresses import listing_of, object_at, start_of
from app.sources.reach import Reach
from app.storage.blobs import BlobStore
from worker.shards.listed_samples import ListedSamples, Wanted

DATASET, TENANT = UUID(int=1), UUID(int=2)
LISTING = listing_of(DATASET)
COUNT = 40


@pytest.fixture
def wanted(tmp_path: Path) -> dict[int, Wanted]:
    """Every second object of a folder, by its offset; of the last one, a part."""
    folder = tmp_path / "images"
    folder.mkdir()
    for number in range(COUNT):
        (folder / f"{number:02}.png").write_bytes(bytes([number]) * 100)
    place = FolderRegistry([str(tmp_path)]).place(f"file://{folder}")
    listed = sorted((one for page in place.pages(None) for one in page.objects), key=lambda one: one.key)
    found = {start_of(number): Wanted(listed[number], 0, 100, None) for number in range(0, COUNT, 2)}
    return found | {start_of(COUNT - 1) + 10: Wanted(listed[COUNT - 1], 10, 5, None)}


@pytest.fixture
def samples(tmp_path: Path, wanted: dict[int, Wanted]) -> Iterator[ListedSamples]:
    settings = Settings(blob_store=str(tmp_path / "blobs"), import_roots=frozenset({str(tmp_path)}))
    reach = Reach(TENANT, f"file://{tmp_path}/images", None)
    with ListedSamples(BlobStore.from_settings(settings), settings, reach, wanted) as made:
        yield made


def test_each_sample_once_and_ahead(
    samples: ListedSamples, wanted: dict[int, Wanted], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every object is opened once, and no more bytes are held than may be."""
    monkeypatch.setattr(module, "AHEAD_BYTES", 500)
    read, opened, lock = FolderPlace.read, list[str](), threading.Lock()

    def noting(place: FolderPlace, listed: Listed, offset: int, length: int) -> bytes:
        with lock:
            opened.append(listed.key)
        return read(place, listed, offset, length)

    monkeypatch.setattr(FolderPlace, "read", noting)
    for done, (offset, one) in enumerate(wanted.items(), 1):
        data = samples.read_range(LISTING, offset, one.size)
        assert data == bytes([object_at(offset)[0]]) * one.size
        assert samples.digests[offset] == hashlib.sha256(data).digest()
        assert len(opened) <= done + 6
    assert sorted(opened) == sorted(one.listed.key for one in wanted.values())
    # Asked again, and in another order, all of it is there as well.
    for offset, one in reversed(wanted.items()):
        assert len(samples.read_range(LISTING, offset, one.size)) == one.size


@pytest.mark.parametrize(("offset", "length"), [(start_of(1), 100), (0, 99), (0, 101), (1, 99), (start_of(COUNT), 1)])
def test_nothing_but_the_shards_samples(samples: ListedSamples, offset: int, length: int) -> None:
    """Whatever runs in the child asks for: other samples of the data set are not its business."""
    with pytest.raises(InputFailure, match="Something else"):
        samples.read_range(LISTING, offset, length)


def test_other_bytes_than_before(samples: ListedSamples, wanted: dict[int, Wanted]) -> None:
    known = Wanted(*wanted[0][:3], hashlib.sha256(b"as it was").digest())
    with ListedSamples(samples._blobs, samples._settings, samples._reach, {0: known}) as again:
        with pytest.raises(InputFailure, match=r"00\.png.*other bytes") as caught:
            again.read_range(LISTING, 0, 100)
        assert caught.value.code == "artifact-corrupted"
