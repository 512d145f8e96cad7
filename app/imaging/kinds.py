"""Which kind of image some bytes are, and which one a name promises."""

_STARTS = {b"\x89PNG\r\n\x1a\n": "PNG", b"\xff\xd8\xff": "JPEG", b"BM": "BMP"}
_EXTENSIONS = {"png": "PNG", "jpg": "JPEG", "jpeg": "JPEG", "webp": "WEBP", "bmp": "BMP"}


def kind_of(data: bytes) -> str | None:
    """``PNG``, ``JPEG``, ``WEBP`` or ``BMP`` by the first bytes; None for anything else."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    return next((kind for start, kind in _STARTS.items() if data.startswith(start)), None)


def webp_size(data: bytes) -> tuple[int, int] | None:
    """Width and height of the canvas by the first header (RFC 9649); None where that is broken."""
    kind, header = data[12:16], data[20:30]
    if kind == b"VP8X" and len(header) == 10:
        width, height = (int.from_bytes(header[place : place + 3], "little") for place in (4, 7))
        return width + 1, height + 1
    if kind == b"VP8L" and header.startswith(b"\x2f") and len(header) >= 5:
        bits = int.from_bytes(header[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 " and header[3:6] == b"\x9d\x01\x2a" and len(header) == 10:
        width, height = (int.from_bytes(header[place : place + 2], "little") for place in (6, 8))
        return width & 0x3FFF, height & 0x3FFF
    return None


def is_misnamed(name: str, data: bytes) -> bool:
    """Whether the name's extension is that of another kind; a name without one of the known ones promises nothing."""
    _, dot, extension = name.rpartition("/")[2].rpartition(".")
    promised = _EXTENSIONS.get(extension.lower()) if dot else None
    return promised is not None and promised != kind_of(data)
