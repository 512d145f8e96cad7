"""Which kind of image some bytes are, and which one a name promises."""

_STARTS = {b"\x89PNG\r\n\x1a\n": "PNG", b"\xff\xd8\xff": "JPEG", b"BM": "BMP"}
_EXTENSIONS = {"png": "PNG", "jpg": "JPEG", "jpeg": "JPEG", "webp": "WEBP", "bmp": "BMP"}


def kind_of(data: bytes) -> str | None:
    """``PNG``, ``JPEG``, ``WEBP`` or ``BMP`` by the first bytes; None for anything else."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    return next((kind for start, kind in _STARTS.items() if data.startswith(start)), None)


def is_misnamed(name: str, data: bytes) -> bool:
    """Whether the name's extension is that of another kind; a name without one of the known ones promises nothing."""
    _, dot, extension = name.rpartition("/")[2].rpartition(".")
    promised = _EXTENSIONS.get(extension.lower()) if dot else None
    return promised is not None and promised != kind_of(data)
