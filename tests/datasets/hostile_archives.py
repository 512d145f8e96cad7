"""Archives that nobody should be able to send, and some that everybody may: made here, byte by byte."""

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
from collections.abc import Callable
from functools import partial

import zstandard

from tests.datasets.packing import GOOD, make_tar, make_zip, picture


def patched(data: bytes, old: bytes, new: bytes, count: int = -1) -> bytes:
    assert old in data
    return data.replace(old, new, count)


def renamed(name: str) -> bytes:
    """zipfile would tidy some names; a placeholder of the same length is replaced in both headers."""
    encoded = name.encode()
    placeholder = b"Q" * len(encoded)
    return patched(make_zip({**GOOD, placeholder.decode(): picture()}), placeholder, encoded)


def _special(kind: bytes, target: str = "a/1.png") -> bytes:
    def change(info: tarfile.TarInfo) -> None:
        if info.name == "odd":
            info.type, info.linkname, info.size = kind, target, 0

    return make_tar({**GOOD, "odd": b""}, change)


def _device_zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a/1.png", picture())
        info = zipfile.ZipInfo("dev.png")
        info.create_system, info.external_attr = 3, 0o020666 << 16
        archive.writestr(info, b"")
    return file.getvalue()


def _flagged(position: int, value: bytes) -> bytes:
    """The same two bytes in the first local header (at 6 flags, 8 method) and its directory record."""
    data = bytearray(make_zip(GOOD))
    central = data.index(b"PK\x01\x02")
    data[position : position + 2] = value
    data[central + position + 2 : central + position + 4] = value
    return bytes(data)


def _overlap() -> bytes:
    """A second directory record for the first entry."""
    data = make_zip({"a/1.png": picture()}, zipfile.ZIP_STORED)
    central, end = data.index(b"PK\x01\x02"), data.index(b"PK\x05\x06")
    record = data[central:end]
    both = record + record.replace(b"a/1.png", b"a/2.png")
    tail = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 2, 2, len(both), central, 0)
    return data[:central] + both + tail


def _local_name_differs() -> bytes:
    return patched(make_zip(GOOD), b"a/1.png", b"x/1.png", 1)


def _negative_tar() -> bytes:
    data = bytearray(make_tar(GOOD))
    data[124:136] = b"\xff" * 8 + struct.pack(">i", -512)
    data[148:156] = b" " * 8
    data[148:156] = f"{sum(data[:512]):06o}\0 ".encode()
    return bytes(data)


def _twice() -> bytes:
    """One name, two contents."""
    return patched(make_zip({**GOOD, "a/Q.png": picture(3)}), b"a/Q.png", b"a/1.png")


def _symlink_then_write() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        link = tarfile.TarInfo("way")
        link.type, link.linkname = tarfile.SYMTYPE, "/tmp"
        archive.addfile(link)
        info = tarfile.TarInfo("way/out.png")
        info.size = len(picture())
        archive.addfile(info, io.BytesIO(picture()))
    return file.getvalue()


def tar_member(name: str, data: bytes, kind: bytes = tarfile.REGTYPE) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.type = len(data), kind
    return info.tobuf(tarfile.USTAR_FORMAT) + data + bytes(-len(data) % 512)


def pax(*fields: tuple[bytes, bytes]) -> bytes:
    """An extension header."""
    data = b""
    for key, value in fields:
        rest = len(key) + len(value) + 3
        length = rest + len(str(rest + len(str(rest))))
        data += b"%d %b=%b\n" % (length, key, value)
    return tar_member("pax", data, tarfile.XHDTYPE)


def tar(*parts: bytes) -> bytes:
    """And a good member, and its end."""
    return b"".join(parts) + tar_member("b/2.png", GOOD["b/2.png"]) + bytes(1024)


def tar_of_here() -> bytes:
    """As ``tar -C folder -c .`` makes it."""
    folders = (tar_member(name, b"", tarfile.DIRTYPE) for name in ("./", "./a/"))
    return tar(*folders, tar_member("./a/1.png", GOOD["a/1.png"]))


def _pax_size_for_a_long_name() -> bytes:
    """The size is the file's, not that of the header between them."""
    size, name = (b"size", b"%d" % len(GOOD["a/1.png"])), b"a/" + b"n" * 150 + b".png\0"
    long_name = tar_member("././@LongLink", name, tarfile.GNUTYPE_LONGNAME)
    return tar(pax(size), long_name, tar_member("short", GOOD["a/1.png"]))


def _crc_mismatch(*, local: bool = True, central: bool = True) -> bytes:
    """Wrong in one place or both."""
    data = bytearray(make_zip(GOOD, zipfile.ZIP_STORED))
    data[14] ^= 0xFF * local
    data[data.index(b"PK\x01\x02") + 16] ^= 0xFF * central
    return bytes(data)


def _halves(data: bytes) -> tuple[bytes, bytes]:
    return data[: len(data) // 2], data[len(data) // 2 :]


def _tar_v7() -> bytes:
    """Of the time before there was a mark."""
    members = []
    for name, data in GOOD.items():
        member = bytearray(tar_member(name, data))
        member[257:512] = bytes(255)
        member[148:156] = b" " * 8
        member[148:156] = b"%06o\0 " % sum(member[:512])
        members.append(bytes(member))
    return b"".join(members) + bytes(1024)


ARCHIVES: dict[str, tuple[Callable[[], bytes], str]] = {
    "ok.zip": (lambda: make_zip(GOOD), "ready"),
    "ok.tar": (lambda: make_tar(GOOD), "ready"),
    "ok.tar.gz": (lambda: gzip.compress(make_tar(GOOD)), "ready"),
    "ok_utf8_names": (lambda: make_zip({"ä/1.png": picture(), "日本/2.png": picture(3)}), "ready"),
    "ok_tar_of_here": (tar_of_here, "ready"),
    "here_twice": (lambda: make_zip({**GOOD, "././a/3.png": picture()}), "archive-unsafe-path"),
    "here_and_there": (lambda: make_zip({**GOOD, "./a/1.png": picture()}), "archive-duplicate-entry"),
    "ok_long_tar_name": (lambda: make_tar({**GOOD, f"a/{'n' * 200}.png": picture()}), "ready"),
    "name_percent": (lambda: make_zip({**GOOD, "%2e%2e%2fevil.png": picture()}), "ready"),
    "zipslip_dotdot": (lambda: make_zip({**GOOD, "../../evil.png": picture()}), "archive-unsafe-path"),
    "zipslip_backslash": (lambda: renamed("..\\..\\evil.png"), "archive-unsafe-path"),
    "ok_backslash": (lambda: renamed("c\\d\\3.png"), "ready"),
    "zipslip_drive": (lambda: make_zip({**GOOD, "C:/evil.png": picture()}), "archive-unsafe-path"),
    "zipslip_unc": (lambda: renamed("\\\\host\\share\\e.png"), "archive-unsafe-path"),
    "dup_names": (_twice, "archive-duplicate-entry"),
    "absolute": (lambda: make_zip({**GOOD, "/evil.png": picture()}), "archive-unsafe-path"),
    "name_nul": (lambda: renamed("a\0b.png"), "archive-unsafe-path"),
    "name_rtl": (lambda: make_zip({**GOOD, "gnp.\u202eexe.png": picture()}), "archive-unsafe-path"),
    "name_stream": (lambda: make_zip({**GOOD, "a/x.png:stream": picture()}), "ready"),
    "name_empty_part": (lambda: make_zip({**GOOD, "a//b.png": picture()}), "archive-unsafe-path"),
    "name_reserved": (lambda: make_zip({**GOOD, "CON.png": picture()}), "ready"),
    "name_trailing_dot": (lambda: make_zip({**GOOD, "a./b.png": picture()}), "ready"),
    "name_deep": (lambda: make_zip({**GOOD, "d/" * 20 + "x.png": picture()}), "ready"),
    "device_mode": (_device_zip, "archive-special-entry"),
    "dup_nfc_nfd": (
        lambda: make_zip({**GOOD, "a/\u00e9.png": picture(), "a/e\u0301.png": picture()}),
        "archive-duplicate-entry",
    ),
    "dup_case": (lambda: make_zip({**GOOD, "A/1.PNG": picture()}), "ready"),
    "file_and_dir": (lambda: make_zip({**GOOD, "a": picture()}), "archive-duplicate-entry"),
    "only_dirs": (lambda: make_zip({"a/": b"", "b/": b""}), "dataset-empty"),
    "no_images": (lambda: make_zip({"a/readme.txt": b"hello"}), "dataset-empty"),
    "truncated": (lambda: make_zip(GOOD)[:-22], "archive-malformed"),
    "truncated_half": (lambda: make_zip(GOOD)[: len(make_zip(GOOD)) // 2], "archive-malformed"),
    "two_eocd": (lambda: make_zip(GOOD) + make_zip(GOOD), "archive-ambiguous"),
    "trailing_data": (lambda: make_zip(GOOD) + b"more", "archive-ambiguous"),
    "name_mismatch": (_local_name_differs, "archive-ambiguous"),
    "overlap_bomb": (_overlap, "archive-ambiguous"),
    "one_entry_too_large": (lambda: make_zip({**GOOD, "z.png": bytes(65 * 1024**2)}), "ready"),
    "bomb_honest": (
        lambda: make_zip({**GOOD, **{f"a/{n}.png": bytes(30 * 1024**2) for n in range(2, 5)}}),
        "archive-expansion-limit",
    ),
    "ok_bzip2": (lambda: make_zip(GOOD, zipfile.ZIP_BZIP2), "ready"),
    "ok_lzma": (lambda: make_zip(GOOD, zipfile.ZIP_LZMA), "ready"),
    "method_99": (lambda: _flagged(8, b"\x63\0"), "archive-encrypted"),
    "encrypted": (lambda: _flagged(6, b"\x01\0"), "archive-encrypted"),
    "bad_utf8_name": (
        lambda: patched(make_zip({**GOOD, "a/ä.png": picture()}), "ä".encode(), b"\xff\xfe"),
        "archive-malformed",
    ),
    "tar_slip": (lambda: make_tar({**GOOD, "../x.png": picture()}), "archive-unsafe-path"),
    "tar_abs": (lambda: make_tar({**GOOD, "/x.png": picture()}), "archive-unsafe-path"),
    "tar_hardlink": (lambda: _special(tarfile.LNKTYPE), "ready"),
    "tar_hardlink_out": (lambda: _special(tarfile.LNKTYPE, "../../etc/passwd"), "archive-unsafe-path"),
    "tar_hardlink_to_nothing": (lambda: _special(tarfile.LNKTYPE, "a/9.png"), "ready"),
    "tar_symlink": (lambda: _special(tarfile.SYMTYPE), "ready"),
    "tar_symlink_then_write": (_symlink_then_write, "archive-special-entry"),
    "tar_fifo": (lambda: _special(tarfile.FIFOTYPE), "archive-special-entry"),
    "tar_blkdev": (lambda: _special(tarfile.BLKTYPE), "archive-special-entry"),
    "tar_bad_checksum": (lambda: patched(make_tar(GOOD), b"a/1.png", b"x/1.png", 1), "archive-malformed"),
    "tar_negative_size": (_negative_tar, "archive-malformed"),
    "ok_tar_attributes": (
        lambda: tar(pax((b"SCHILY.xattr.user.x", b"\xff\0\xfe")), tar_member("a/1.png", GOOD["a/1.png"])),
        "ready",
    ),
    "ok_tar_size_before_name": (_pax_size_for_a_long_name, "ready"),
    "tar_pax_nul": (
        lambda: tar(pax((b"path", b"a/1.png\0.exe")), tar_member("x", GOOD["a/1.png"])),
        "archive-unsafe-path",
    ),
    "tar_pax_flood": (lambda: tar(*[pax((b"comment", b"x"))] * 9), "archive-malformed"),
    "tar_pax_long": (lambda: tar(pax((b"comment", b"x" * 70_000))), "archive-malformed"),
    "tar_truncated": (lambda: make_tar(GOOD)[:700], "archive-malformed"),
    "tar_gz_bomb": (lambda: gzip.compress(bytes(256 * 1024**2)), "archive-expansion-limit"),
    "tar_gz_truncated": (lambda: gzip.compress(make_tar(GOOD))[:-20], "archive-malformed"),
    "tar_gz_of_a_bad_tar": (lambda: gzip.compress(_special(tarfile.FIFOTYPE)), "archive-special-entry"),
    "tar_gz_of_a_zip": (lambda: gzip.compress(make_zip(GOOD)), "unsupported-media-type"),
    "tar_folder_with_content": (lambda: tar(tar_member("a/x", b"hidden", tarfile.DIRTYPE)), "archive-ambiguous"),
    "tar_sparse": (
        lambda: tar(pax((b"GNU.sparse.major", b"1")), tar_member("a/1.png", GOOD["a/1.png"])),
        "archive-special-entry",
    ),
    "ok.tar.bz2": (lambda: bz2.compress(make_tar(GOOD)), "ready"),
    "ok.tar.xz": (lambda: lzma.compress(make_tar(GOOD)), "ready"),
    "ok.tar.zst": (lambda: zstandard.compress(make_tar(GOOD)), "ready"),
    "ok_tar_gz_of_members": (lambda: b"".join(map(gzip.compress, _halves(make_tar(GOOD)))), "ready"),
    "tar_bz2_bomb": (lambda: bz2.compress(bytes(256 * 1024**2)), "archive-expansion-limit"),
    "tar_xz_bomb": (lambda: lzma.compress(bytes(256 * 1024**2), preset=0), "archive-expansion-limit"),
    "tar_zst_bomb": (lambda: zstandard.compress(bytes(256 * 1024**2)), "archive-expansion-limit"),
    "tar_xz_truncated": (lambda: lzma.compress(make_tar(GOOD))[:-20], "archive-malformed"),
    "tar_zst_truncated": (lambda: zstandard.compress(make_tar(GOOD))[:-20], "archive-malformed"),
    "tar_zst_trailing": (lambda: zstandard.compress(make_tar(GOOD)) + b"more", "archive-ambiguous"),
    "ok_tar_v7": (_tar_v7, "ready"),
    "tar_gz_trailing": (lambda: gzip.compress(make_tar(GOOD)) + b"more", "archive-ambiguous"),
}
"""Name -> how it is made, and the problem code of the data set (or ``ready``)."""

NOT_TAKEN: dict[str, bytes] = {
    "not_zip": b"This is a text, whatever its name says.",
    "sevenzip": b"7z\xbc\xaf\x27\x1c" + bytes(60),
    "rar": b"Rar!\x1a\x07\x01\x00" + bytes(60),
    "prefix_data": b"MZ" + bytes(100) + make_zip(GOOD),
}
"""What the upload itself refuses, as ``unsupported-media-type``."""

SAMPLES_OF_ARCHIVES = {
    "crc_mismatch": _crc_mismatch,
    "crc_of_the_local_header": partial(_crc_mismatch, central=False),
    "crc_of_the_directory": partial(_crc_mismatch, local=False),
}
"""Whose first image cannot be read."""
