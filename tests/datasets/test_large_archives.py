"""Archives with many entries, and with more bytes than 32 bits can count, are looked through without reading them."""

import io
import itertools
import zipfile
import zlib
from pathlib import Path

import numpy as np
import psutil
import pytest

from app.errors import InputFailure
from app.imaging.compression import DEFLATED
from app.imaging.entries import ArchiveEntry, max_stored_bytes, read_entry
from app.settings import MEBIBYTE, Settings
from app.storage.blobs import BlobStore
from tests.datasets.large_archives import Stored, store
from tests.datasets.packing import GOOD, picture
from tests.stored import put
from worker.archives.listing import list_entries

PICTURE = picture()


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore.from_settings(Settings(blob_store=str(tmp_path)))


def entries_of(blobs: BlobStore, digest: str, **limits: int) -> list[ArchiveEntry]:
    return list(list_entries(blobs, digest, Settings(**limits)).entries)  # type: ignore[arg-type]


class Counting(BlobStore):
    """Says how much was read."""

    taken = 0

    def read_range(self, digest: str, offset: int, length: int) -> bytes:
        data = super().read_range(digest, offset, length)
        self.taken += len(data)
        return data


def test_two_hundred_thousand_entries(tmp_path: Path) -> None:
    """In constant memory, and read about once: directory and entries in turn do not drive each other out."""
    digest = store(tmp_path, [Stored(f"a/{number}", b"") for number in range(200_000)])
    blobs = Counting.from_settings(Settings(blob_store=str(tmp_path)))
    size, before = blobs.size(digest), psutil.Process().memory_info().rss
    assert sum(1 for _ in list_entries(blobs, digest, Settings()).entries) == 200_000
    assert psutil.Process().memory_info().rss - before < 30 * MEBIBYTE
    assert blobs.taken < 2 * size


def test_more_entries_than_the_setting_allows(tmp_path: Path, blobs: BlobStore) -> None:
    for count in (20_000, 20_001):
        digest = store(tmp_path, [Stored(f"a/{number}", b"") for number in range(count)])
        if count == 20_000:
            assert len(entries_of(blobs, digest, max_entries=20_000)) == count
            continue
        with pytest.raises(InputFailure) as refused:
            entries_of(blobs, digest, max_entries=20_000)
        assert refused.value.code == "archive-too-many-entries"


def test_beyond_four_gibibytes(tmp_path: Path, blobs: BlobStore) -> None:
    """Entries and directory behind what 32 bits reach; the file is mostly holes."""
    fillers = [Stored(f"a/{number}.bin", b"", 63 * MEBIBYTE) for number in range(67)]
    digest = store(tmp_path, [*fillers, Stored("b/last.png", PICTURE)])
    assert blobs.size(digest) > 2**32
    assert sum(path.stat().st_blocks for path in tmp_path.rglob("*")) * 512 < 10 * MEBIBYTE
    *_, last = entries_of(blobs, digest)
    assert last.offset > 2**32
    assert read_entry(blobs, digest, last, MEBIBYTE) == PICTURE


def test_wide_fields_in_a_small_archive(tmp_path: Path, blobs: BlobStore) -> None:
    digest = store(tmp_path, [Stored("a/1.png", PICTURE, wide=True), Stored("a/2.png", PICTURE)])
    assert [read_entry(blobs, digest, entry, MEBIBYTE) for entry in entries_of(blobs, digest)] == [PICTURE] * 2


def test_wide_fields_as_python_writes_them(blobs: BlobStore) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive, archive.open("a/1.png", "w", force_zip64=True) as entry:
        entry.write(PICTURE)
    assert [entry.size for entry in entries_of(blobs, put(blobs, file.getvalue()))] == [len(PICTURE)]


@pytest.mark.parametrize(("offset", "code"), [(0, "archive-malformed"), (4, "archive-ambiguous")])
def test_wide_fields_of_the_two_headers_must_agree(tmp_path: Path, blobs: BlobStore, offset: int, code: str) -> None:
    """The local header has no such field, or another size in it."""
    digest = store(tmp_path, [Stored("a/1.png", PICTURE, wide=True)])
    content = bytearray(b"".join(blobs.read(digest)))
    content[content.index(b"a/1.png") + len("a/1.png") + offset] ^= 1
    with pytest.raises(InputFailure) as refused:
        entries_of(blobs, put(blobs, bytes(content)))
    assert refused.value.code == code


def test_nothing_hides_before_the_locator(tmp_path: Path, blobs: BlobStore) -> None:
    with pytest.raises(InputFailure) as refused:
        entries_of(blobs, store(tmp_path, [Stored("a/1.png", PICTURE)], gap=100))
    assert refused.value.code == "archive-ambiguous"


def test_a_second_end_record_in_the_comment(blobs: BlobStore) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a/1.png", GOOD["a/1.png"])
        archive.comment = b"PK\x05\x06" + bytes(30)
    with pytest.raises(InputFailure) as refused:
        entries_of(blobs, put(blobs, file.getvalue()))
    assert refused.value.code == "archive-ambiguous"
    content = file.getvalue().replace(b"PK\x05\x06" + bytes(30), b"a comment" + bytes(25))
    assert len(entries_of(blobs, put(blobs, content))) == 1


def test_stored_bytes_have_a_limit_of_their_own(tmp_path: Path, blobs: BlobStore) -> None:
    """A deflate stream of little content may be long: it would be read whole before anybody knew."""
    limit = max_stored_bytes(MEBIBYTE)
    for length in (limit, limit + 1):
        digest = store(tmp_path, [Stored("a/1.png", b"", length, claimed=100)])
        if length == limit:
            assert [entry.stored_size for entry in entries_of(blobs, digest, max_entry_bytes=MEBIBYTE)] == [limit]
            continue
        (entry,) = entries_of(blobs, digest, max_entry_bytes=MEBIBYTE)
        assert entry.fault is not None
        with pytest.raises(InputFailure, match="sample-corrupt"):
            read_entry(blobs, digest, ArchiveEntry("a/1.png", 0, length, 100, DEFLATED), MEBIBYTE)


def test_what_cannot_be_deflated_stays_within_the_limit() -> None:
    noise = np.random.default_rng(0).bytes(MEBIBYTE)
    for level, memory in itertools.product((0, 1, 9), (1, 8)):
        deflate = zlib.compressobj(level, zlib.DEFLATED, -15, memory)
        length = len(deflate.compress(noise) + deflate.flush())
        assert length <= max_stored_bytes(MEBIBYTE)
