"""Every row of the tables in docs/datasets.md is made and taken as the row says."""

import bz2
import gzip
import io
import lzma
import re
import tarfile
from collections.abc import Callable

import numpy as np
import pytest
import zstandard
from PIL import Image

from app.errors import InputFailure
from app.imaging.decoding import decode
from app.settings import Settings
from tests.datasets.coco_files import CAT, DOG, coco
from tests.datasets.conftest import Archives
from tests.datasets.hostile_archives import ARCHIVES
from tests.datasets.image_tables import SHARD, written
from tests.datasets.indexing import index
from tests.datasets.packing import GOOD, make_tar, make_zip, picture
from tests.docs.pages import ROOT
from worker.lifecycle.context import WorkerContext

FILES = ROOT / "tests" / "datasets" / "files"
PAGE = (ROOT / "docs" / "datasets.md").read_text(encoding="utf-8")


def rows_of(heading: str) -> dict[str, str]:
    """First cell -> second cell of the table under a heading."""
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    found = re.findall(r"^\| (.*?) \| (.*?) \|$", section, re.MULTILINE)
    return {first: second for first, second in found if not first.startswith("---")}


LAYOUTS = list(rows_of("Layouts"))[1:]
TABLES = {"labels.csv": b"path,label\nimages/1.png,cat\n", "manifest.csv": b"path,label\na.png,cat\n"}
METADATA = {"train/metadata.csv": b"file_name,label\na.png,cat\n", "test/metadata.csv": b"file_name,label\nb.png,dog\n"}
FOUND = [
    {"labels": ["cat", "dog"]},
    {"labels": ["cat", "dog"], "sources": ["web", "zoo"]},
    {"labels": ["cat", "dog"], "sources": []},
    {"labels": ["cat", "dog"], "splits": ["test", "train"]},
    {"labels": [], "skipped": {}},
    {"labels": [], "splits": ["train"]},
    {"labels": [], "skipped": {"not-an-image": 1}},
    {"labels": ["cat", "dog"], "skipped": {"not-an-image": 2}},
    {"labels": ["cat", "dog"], "skipped": {"hidden": 1, "tool-file": 2}},
    {"labels": ["cat", "dog"], "skipped": {"archive": 1}},
    {"labels": ["cat"], "skipped": {}},
    {"labels": ["cat", "dog"], "splits": ["test", "train"]},
    {"labels": ["cat", "dog"], "splits": ["test", "train"], "skipped": {"not-an-image": 1}},
    {"labels": ["a", "b"], "skipped": {"not-an-image": 1}},
    {"labels": ["cat", "dog"], "skipped": {"not-an-image": 3}},
    {"labels": [], "skipped": {"not-an-image": 2}},
    {"labels": [], "skipped": {"not-an-image": 2}},
    {"labels": ["cat", "dog"], "splits": ["test", "training"]},
    {"labels": ["cat", "dog"], "sources": [], "splits": ["test", "train"]},
    {"labels": ["cat", "dog"], "splits": ["fold1", "fold2"]},
    {"labels": ["cat", "dog"], "skipped": {}},
    {"labels": [], "splits": ["train", "valid"], "skipped": {"not-an-image": 1}},
    {"labels": [], "skipped": {"not-an-image": 1}},
    {"labels": ["bus", "train"], "sources": ["car"], "splits": []},
]


@pytest.mark.parametrize(("row", "expected"), list(zip(LAYOUTS, FOUND, strict=True)), ids=LAYOUTS)
def test_layouts(context: WorkerContext, row: str, expected: dict[str, object]) -> None:
    names = re.findall("`([^`]*)`", row)
    made = {name: TABLES.get(name) or METADATA.get(name) or _content(number, name) for number, name in enumerate(names)}
    dataset, _ = index(context, make_zip(made))
    assert dataset.status == "ready", dataset.problem
    assert {name: getattr(dataset, name) for name in expected} == expected
    if "offers" in rows_of("Layouts")[row]:
        assert any("columns: {" in note for note in dataset.notes)
    if "CSV" in rows_of("Layouts")[row]:
        assert any("manifest.csv" in note for note in dataset.notes)


def _content(number: int, name: str) -> bytes:
    if "instances" in name or "coco" in name:
        return coco({"1.png": (CAT,), "2.png": (DOG,)} if "instances" in name else {"2.png": (DOG,)})
    if name.endswith(".parquet"):
        return written(SHARD)
    return picture(number * 9) if name.endswith((".png", ".jpg")) else b"no image"


def _in_tar(change: Callable[[tarfile.TarInfo], None]) -> bytes:
    return make_tar({**GOOD, "b/3.png": b""}, lambda info: change(info) if info.name == "b/3.png" else None)


def _hard(info: tarfile.TarInfo) -> None:
    info.type, info.linkname, info.size = tarfile.LNKTYPE, "a/1.png", 0


def _symbolic(info: tarfile.TarInfo) -> None:
    info.type, info.linkname, info.size = tarfile.SYMTYPE, "../a/1.png", 0


def _method(number: int) -> bytes:
    data = bytearray(make_zip(GOOD))
    central = data.index(b"PK\x01\x02")
    data[8:10] = data[central + 10 : central + 12] = number.to_bytes(2, "little")
    return bytes(data)


BOTH: list[str | None] = [None, None]
ROWS: dict[str, list[tuple[bytes, list[str | None]]]] = {
    "ZIP: stored, deflate": [(make_zip(GOOD), [None, None]), (make_zip(GOOD, 0), [None, None])],
    "ZIP: Deflate64, bzip2, LZMA, XZ, Zstandard": [
        (make_zip(GOOD, 12), [None, None]),
        (make_zip(GOOD, 14), [None, None]),
        *(((FILES / f"{name}.zip").read_bytes(), BOTH * 2) for name in ("7z_Deflate64", "7z_XZ")),
        ((FILES / "python_ZSTD.zip").read_bytes(), BOTH),
    ],
    "ZIP: PPMd and other methods": [
        (_method(98), ["sample-unsupported-compression", None]),
        ((FILES / "7z_PPMd.zip").read_bytes(), [None, "sample-unsupported-compression"] * 2),
    ],
    "tar: v7, ustar, pax, GNU": [
        (make_tar(GOOD), [None, None]),
        (ARCHIVES["ok_tar_v7"][0](), [None, None]),
    ],
    "tar.gz, tar.bz2, tar.xz, tar.zst": [
        (pack(make_tar(GOOD)), [None, None])
        for pack in (gzip.compress, bz2.compress, lzma.compress, zstandard.compress)
    ],
    "hard link": [(_in_tar(_hard), [None, None, "same as a/1.png"])],
    "symbolic link": [(_in_tar(_symbolic), [None, None, "symbolic-link"])],
    "backslashes": [(ARCHIVES["ok_backslash"][0](), [None, None, None])],
}


def test_archives(archives: Archives) -> None:
    assert {*ROWS, "archive", "7z, RAR", "Parquet"} == set(rows_of("Archives"))
    for row, cases in ROWS.items():
        for content, expected in cases:
            found = [
                entry.skip or (entry.fault and entry.fault.code) or (entry.same_as and f"same as {entry.same_as}")
                for entry in archives.entries(content)
            ]
            assert found == expected, row


def _saved(kind: str, mode: str = "RGB") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (24, 16), (200, 100, 50)).convert(mode).save(file, kind)
    return file.getvalue()


KINDS = {
    "PNG, JPEG, WebP, BMP": ("PNG", "JPEG", "WEBP", "BMP"),
    "GIF, TIFF, PPM, JPEG 2000": ("GIF", "TIFF", "PPM", "JPEG2000"),
    "AVIF": ("AVIF",),
}
OTHERS = {"kind", "HEIC", "several frames or pages", "TIFF of 32-bit numbers"}


def test_images() -> None:
    """Of one colour, which loses nothing worth a level or three; HEIC's own test has a file of an iPhone's encoder."""
    assert KINDS.keys() | OTHERS == rows_of("Images").keys()
    for kind in (kind for kinds in KINDS.values() for kind in kinds):
        found = np.asarray(decode(_saved(kind), Settings()).image).astype(int)
        assert np.abs(found - (200, 100, 50)).max() <= 4, kind
    with pytest.raises(InputFailure, match="white"):
        decode(_saved("TIFF", "F"), Settings())
