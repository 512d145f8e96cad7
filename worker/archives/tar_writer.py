"""Writes files into a tar that is kept as a blob."""

import tarfile
from collections.abc import Iterable

from app.errors import InputFailure, TooLarge
from app.imaging.containers import BLOCK
from app.storage.writing import BlobWriter


def add_file(writer: BlobWriter, name: str, size: int, pieces: Iterable[bytes]) -> None:
    """``pieces`` are its ``size`` bytes. Raises InputFailure ``archive-expansion-limit`` past the writer's limit."""
    header = tarfile.TarInfo(name)
    header.size = size
    try:
        writer.write(header.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape"))
        for piece in pieces:
            writer.write(piece)
        writer.write(bytes(-size % BLOCK))
    except TooLarge as error:
        detail = "Its files hold more than MAX_INFLATED_BYTES allows: send them as several data sets."
        raise InputFailure("archive-expansion-limit", detail) from error
