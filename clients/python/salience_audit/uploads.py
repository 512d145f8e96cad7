"""What is sent: a file, a folder of images as a zip file, or bytes."""

import hashlib
import io
import tempfile
import zipfile
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from salience_audit.errors import UnreadableFile

Source = str | PathLike[str] | bytes
Progress = Callable[[int, int], None]
"""Is told the bytes that were sent and those that there are; begins anew where an upload does."""

CHUNK_BYTES = 1024**2
EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Upload:
    """Bytes that can be read several times, with their length and SHA-256."""

    file: io.BufferedIOBase
    size: int
    sha256: bytes
    left_out: tuple[str, ...] = ()
    """What lies in the folder and was not sent: why, and which."""

    @property
    def headers(self) -> dict[str, str]:
        """Content-Digest as RFC 9530 writes it."""
        digest = f"sha-256=:{b64encode(self.sha256).decode()}:"
        kind = "application/octet-stream"
        return {"Content-Digest": digest, "Content-Length": str(self.size), "Content-Type": kind}

    def chunks(self, progress: Progress | None) -> Iterator[bytes]:
        """From the beginning."""
        self.file.seek(0)
        sent = 0
        while chunk := self.file.read(CHUNK_BYTES):
            yield chunk
            sent += len(chunk)
            if progress is not None:
                progress(sent, self.size)


@contextmanager
def opened(source: Source) -> Iterator[Upload]:
    """Raises UnreadableFile."""
    if isinstance(source, bytes):
        yield Upload(io.BytesIO(source), len(source), hashlib.sha256(source).digest())
        return
    path = Path(source)
    left_out: tuple[str, ...] = ()
    try:
        if path.is_dir():
            file, left_out = _zipped(path), _left_out(path)
        else:
            file = path.open("rb")
    except OSError as error:
        raise UnreadableFile("unreadable-file", f"{path} cannot be read: {error.strerror}.") from error
    with file:
        digest = hashlib.file_digest(file, "sha256").digest()
        yield Upload(file, file.seek(0, io.SEEK_END), digest, left_out)


def _zipped(folder: Path) -> io.BufferedIOBase:
    """A temporary zip of the folder's files but the hidden ones; the same files give the same bytes."""
    names = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    shown = [name for name in names if not any(part.startswith(".") for part in name.parts)]
    if not shown:
        raise UnreadableFile("empty-folder", f"{folder} holds no files.")
    file = tempfile.TemporaryFile()  # noqa: SIM115 - whoever asked for it closes it
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name in shown:
            entry = zipfile.ZipInfo(name.as_posix(), EPOCH)
            entry.file_size = (folder / name).stat().st_size  # whether it needs the long form
            with (folder / name).open("rb") as image, archive.open(entry, "w") as target:
                while chunk := image.read(CHUNK_BYTES):
                    target.write(chunk)
    file.seek(0)
    return file


def _left_out(folder: Path) -> tuple[str, ...]:
    """Folders behind symbolic links, which might lead anywhere or in a circle, and links that lead to nothing."""
    links = sorted(path for path in folder.rglob("*") if path.is_symlink() and not path.is_file())
    return tuple(
        f"{link.relative_to(folder)}: a symbolic link to {'a folder' if link.is_dir() else 'nothing'}" for link in links
    )
