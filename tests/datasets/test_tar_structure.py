"""Whatever two readers of a tar file could see differently is refused, and the problem names the entry."""

import gzip
import io
import tarfile
from collections.abc import Callable

import pytest

from tests.datasets.conftest import Archives
from tests.datasets.hostile_archives import pax, tar, tar_member
from tests.datasets.packing import GOOD, make_tar, make_zip

AMBIGUOUS, MALFORMED, SPECIAL = "archive-ambiguous", "archive-malformed", "archive-special-entry"
DATA = GOOD["a/1.png"]
LONG = "././@LongLink"


def long_name(name: str) -> bytes:
    return tar_member(LONG, name.encode() + b"\0", tarfile.GNUTYPE_LONGNAME)


def corrected(member: bytes, change: Callable[[bytearray], None]) -> bytes:
    """With another header, whose checksum is right."""
    data = bytearray(member)
    change(data)
    data[148:156] = b" " * 8
    data[148:156] = b"%06o\0 " % sum(data[:512])
    return bytes(data)


def sized(field: bytes) -> bytes:
    def change(data: bytearray) -> None:
        data[124:136] = field

    return corrected(tar_member("a/odd.png", DATA), change)


@pytest.mark.parametrize(
    "folder",
    [
        tar_member("a/x", DATA, tarfile.DIRTYPE),
        tar_member("a/x/", DATA),
        pax((b"size", b"512")) + tar_member("a/x", b"", tarfile.DIRTYPE) + bytes(512),
        pax((b"path", b"a/x/")) + tar_member("y", DATA),
    ],
)
def test_folders_with_content(archives: Archives, folder: bytes) -> None:
    assert archives.judge(tar(folder), "'a/x") == AMBIGUOUS
    assert archives.judge(tar(tar_member("a/x/", b"", tarfile.DIRTYPE))) == "ok"


@pytest.mark.parametrize("key", [b"GNU.sparse.major", b"GNU.sparse.name", b"GNU.sparse.map", b"GNU.sparse.realsize"])
def test_sparse_files(archives: Archives, key: bytes) -> None:
    """Other readers see zeros between the bytes, or another name."""
    content = tar(pax((b"path", b"a/x.png"), (key, b"1")), long_name("a/x.png"), tar_member("y", DATA))
    assert archives.judge(content, "'a/x.png'") == SPECIAL
    assert archives.judge(tar(tar_member("a/x.png", b"", tarfile.GNUTYPE_SPARSE)), "'a/x.png'") == SPECIAL
    everywhere = tar_member("all", pax((key, b"1"))[512:].rstrip(b"\0"), tarfile.XGLTYPE)
    assert archives.judge(tar(everywhere, tar_member("a/x.png", DATA))) == MALFORMED


def test_what_hides_behind_a_content(archives: Archives) -> None:
    for member, length in ((tar_member("a/x.png", DATA), len(DATA)), (long_name("a/x.png"), len("a/x.png\0"))):
        for place in (512 + length, len(member) - 1):
            changed = bytearray(member)
            assert changed[place] == 0
            changed[place] = 1
            assert archives.judge(tar(bytes(changed), tar_member("z", DATA)), "hide behind") == AMBIGUOUS
    assert archives.judge(make_tar({"a/1.png": DATA + bytes(-len(DATA) % 512), **GOOD})) == "ok"


def test_headers_that_contradict_each_other(archives: Archives) -> None:
    member = tar_member("z", DATA)
    path, size = pax((b"path", b"a/x.png")), pax((b"size", b"%d" % len(DATA)))
    assert archives.judge(tar(path, long_name("a/x.png"), size, size, member)) == "ok"
    assert archives.judge(tar(path, long_name("a/y.png"), member), "'a/y.png'") == AMBIGUOUS
    assert archives.judge(tar(long_name("a/y.png"), path, member), "'a/x.png'") == AMBIGUOUS
    assert archives.judge(tar(size, pax((b"size", b"1")), member), "'pax'") == AMBIGUOUS


@pytest.mark.parametrize("field", [b"\xff" * 12, b"\x81" + bytes(11), b"12345678 9\0 ", b"\x80" + b"\xff" * 11])
def test_sizes_that_are_none(archives: Archives, field: bytes) -> None:
    assert archives.judge(tar(sized(field)), "'a/odd.png'") == MALFORMED


def test_broken_headers_are_told_by_name_or_place(archives: Archives) -> None:
    first = tar_member("a/1.png", DATA)
    good = tar(first)
    changed = bytearray(good)
    changed[len(first)] ^= 1
    assert archives.judge(bytes(changed), f"at byte {len(first)} ") == MALFORMED
    assert archives.judge(good[: len(first) - 512], "'a/1.png'") == MALFORMED
    assert archives.judge(tar(pax((b"size", b"-1")), first), "'pax'") == MALFORMED
    assert archives.judge(tar(tar_member("odd", b"99 path=x\n", tarfile.XHDTYPE)), "'odd'") == MALFORMED


@pytest.mark.parametrize(
    "inner",
    [make_zip(GOOD), gzip.compress(make_tar(GOOD)), b"text", b"\x89PNG\r\n\x1a\n" + bytes(600), make_tar(GOOD)[1:]],
)
def test_a_gzip_of_something_else(archives: Archives, inner: bytes) -> None:
    assert archives.judge(gzip.compress(inner)) == "unsupported-media-type"


def test_a_gzip_of_a_tar(archives: Archives) -> None:
    """Of the oldest kind, too, which has no mark; and however its bytes come."""
    old = corrected(tar_member("a/1.png", DATA), lambda data: data.__setitem__(slice(257, 265), bytes(8)))
    for content in (make_tar(GOOD), tar(old), tar(), bytes(10_240)):
        assert archives.judge(gzip.compress(content)) == "ok"
    slow = io.BytesIO()
    with gzip.GzipFile("name" * 1000, "w", fileobj=slow) as file:
        for number in range(0, len(make_tar(GOOD)), 100):
            file.write(make_tar(GOOD)[number : number + 100])
            file.flush()
    assert archives.judge(slow.getvalue()) == "ok"


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("shift", range(3))
def test_long_names_whose_beginning_ends_within_a_letter(archives: Archives, form: int, shift: int) -> None:
    """The header holds the first hundred bytes, an extension the whole name."""
    name = f"cls/{'a' * shift}{'写真' * 20}.png"
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=form) as archive:
        info = tarfile.TarInfo(name)
        info.size = len(DATA)
        archive.addfile(info, io.BytesIO(DATA))
    assert archives.judge(file.getvalue()) == "ok"


def test_a_name_that_is_not_utf8(archives: Archives) -> None:
    member = corrected(tar_member("a/x.png", DATA), lambda data: data.__setitem__(slice(2, 3), b"\xe9"))
    assert archives.entries(tar(member))[0].name in {"a/é.png", "a/Θ.png", "a/Ú.png"}
