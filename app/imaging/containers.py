"""Which container some bytes begin: archives, compressed tar files, Parquet tables."""

from enum import StrEnum

BLOCK = 512


class Container(StrEnum):
    """What an upload of images may be."""

    ZIP = "zip"
    TAR = "tar"
    GZIP = "gzip"
    BZIP2 = "bzip2"
    XZ = "xz"
    ZSTANDARD = "zstd"
    PARQUET = "parquet"


COMPRESSED = frozenset({Container.GZIP, Container.BZIP2, Container.XZ, Container.ZSTANDARD})
_STARTS = {
    b"PK\x03\x04": Container.ZIP,
    b"PK\x05\x06": Container.ZIP,
    b"\x1f\x8b\x08": Container.GZIP,
    b"BZh": Container.BZIP2,
    b"\xfd7zXZ\0": Container.XZ,
    b"\x28\xb5\x2f\xfd": Container.ZSTANDARD,
    b"PAR1": Container.PARQUET,
}


def container_of(start: bytes) -> Container | None:
    """By the first 512 bytes."""
    for mark, container in _STARTS.items():
        if start.startswith(mark):
            return container
    return Container.TAR if is_tar_header(start[:BLOCK].ljust(BLOCK, b"\0")) else None


def is_tar_header(block: bytes) -> bool:
    """Whether 512 bytes are the header of a tar's entry, by their mark or (tar v7 has none) their checksum."""
    return block[257:262] == b"ustar" or block[148:156].strip(b" \0").lstrip(b"0") == b"%o" % tar_checksum(block)


def tar_checksum(block: bytes) -> int:
    """Of a header's 512 bytes, with blanks where it stands itself."""
    return sum(block[:148]) + sum(block[156:]) + 8 * 32
