"""Archives of a few pictures, as the usual tools pack them."""

import io
import tarfile
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image
from prepare import build_archive

Entries = dict[str, bytes]


def picture(shade: int = 100, size: tuple[int, int] = (16, 16), kind: str = "PNG") -> bytes:
    pixels = (np.indices((size[1], size[0])).sum(0) * 7 % 120 + shade).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(np.stack([pixels] * 3, -1)).save(file, kind)
    return file.getvalue()


GOOD: Entries = {"a/1.png": picture(10), "b/2.png": picture(90)}


def make_zip(entries: Entries, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in entries.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, method)
    return file.getvalue()


def make_tar(entries: Entries, change: Callable[[tarfile.TarInfo], None] = lambda _: None) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in entries.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            change(info)
            archive.addfile(info, io.BytesIO(data) if info.isreg() else None)
    return file.getvalue()


def shard(*samples: dict[str, Any]) -> bytes:
    """As ``webdataset.TarWriter`` writes it."""
    import webdataset

    file = io.BytesIO()
    with webdataset.TarWriter(file) as writer:
        for sample in samples:
            writer.write(sample)
    return file.getvalue()


def some_faces(count: int) -> dict[str, bytes]:
    """Images of each label, by their names."""
    with zipfile.ZipFile(io.BytesIO(build_archive())) as archive:
        names = sorted(name for name in archive.namelist() if not name.endswith("/"))
        return {name: archive.read(name) for name in names[:: len(names) // count][:count]}
