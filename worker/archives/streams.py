"""Compressed tar files, inflated chunk by chunk: gzip, bzip2, xz and Zstandard, of any number of members."""

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

import zstandard

from app.errors import InputFailure
from app.imaging.compression import MEMORY_BYTES
from app.imaging.containers import Container
from app.settings import MEBIBYTE, Settings

_MADE_AT_ONCE = MEBIBYTE
_STORED_AT_ONCE = 2048
"""Of Zstandard, whose library has no limit on what one call makes: as much becomes at most 64 MiB."""


class _Member(Protocol):
    """One stream, of those that may follow each other."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def parts(self, data: bytes) -> Iterator[bytes]: ...


def inflated(chunks: Iterator[bytes], container: Container, settings: Settings) -> Iterator[bytes]:
    """What the chunks hold. Raises InputFailure ``archive-malformed``, ``archive-ambiguous`` or
    ``archive-expansion-limit``."""
    member, taken, made = _MEMBERS[container](), 0, 0
    is_padded = False
    for chunk in chunks:
        taken += len(chunk)
        rest = chunk
        while rest:
            if member.eof:
                # What is written to tapes, or joined by xz, has zeros behind it.
                padded = rest.lstrip(b"\0")
                is_padded |= len(padded) < len(rest)
                if not padded:
                    break
                if is_padded or not padded.startswith(_MARKS[container][: len(padded)]):
                    raise InputFailure("archive-ambiguous", f"Data follows the {container} stream.")
                member = _MEMBERS[container]()
            try:
                for part in member.parts(rest):
                    made += len(part)
                    _check(made, taken, settings)
                    yield part
            except (zlib.error, lzma.LZMAError, zstandard.ZstdError, OSError, EOFError) as error:
                raise InputFailure("archive-malformed", f"The {container} stream is broken.") from error
            rest = member.unused_data if member.eof else b""
    if not member.eof:
        raise InputFailure("archive-malformed", f"The {container} stream is cut off.")


def _check(made: int, taken: int, settings: Settings) -> None:
    """One entry, as large as it may be, may be all zeros."""
    if made > settings.max_inflated_bytes:
        raise InputFailure("archive-expansion-limit", "The stream inflates to more than MAX_INFLATED_BYTES allows.")
    if made > settings.max_ratio * taken + settings.max_entry_bytes:
        detail = f"The stream inflates to more than {settings.max_ratio} times its size (MAX_RATIO)."
        raise InputFailure("archive-expansion-limit", f"{detail} Send the tar file itself, or a ZIP file.")


class _Zlib:
    def __init__(self) -> None:
        self._inflater = zlib.decompressobj(31)

    @property
    def eof(self) -> bool:
        return self._inflater.eof

    @property
    def unused_data(self) -> bytes:
        return self._inflater.unused_data

    def parts(self, data: bytes) -> Iterator[bytes]:
        while data:
            yield self._inflater.decompress(data, _MADE_AT_ONCE)
            data = b"" if self._inflater.eof else self._inflater.unconsumed_tail


class _Buffered:
    """bz2 and lzma keep what they have not yet inflated."""

    def __init__(self, decompressor: bz2.BZ2Decompressor | lzma.LZMADecompressor) -> None:
        self._decompressor = decompressor

    @property
    def eof(self) -> bool:
        return self._decompressor.eof

    @property
    def unused_data(self) -> bytes:
        return self._decompressor.unused_data

    def parts(self, data: bytes) -> Iterator[bytes]:
        yield self._decompressor.decompress(data, _MADE_AT_ONCE)
        while not (self._decompressor.eof or self._decompressor.needs_input):
            yield self._decompressor.decompress(b"", _MADE_AT_ONCE)


class _Zstd:
    def __init__(self) -> None:
        self._decompressor = zstandard.ZstdDecompressor(max_window_size=MEMORY_BYTES).decompressobj()

    @property
    def eof(self) -> bool:
        return self._decompressor.eof

    @property
    def unused_data(self) -> bytes:
        return self._decompressor.unused_data + self._unread

    _unread = b""

    def parts(self, data: bytes) -> Iterator[bytes]:
        for start in range(0, len(data), _STORED_AT_ONCE):
            yield self._decompressor.decompress(data[start : start + _STORED_AT_ONCE])
            if self._decompressor.eof:
                self._unread = data[start + _STORED_AT_ONCE :]
                return


_MEMBERS: dict[Container, Callable[[], _Member]] = {
    Container.GZIP: _Zlib,
    Container.BZIP2: lambda: _Buffered(bz2.BZ2Decompressor()),
    Container.XZ: lambda: _Buffered(lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MEMORY_BYTES)),
    Container.ZSTANDARD: _Zstd,
}
_MARKS = {
    Container.GZIP: b"\x1f\x8b\x08",
    Container.BZIP2: b"BZh",
    Container.XZ: b"\xfd7zXZ\0",
    Container.ZSTANDARD: b"\x28\xb5\x2f\xfd",
}
