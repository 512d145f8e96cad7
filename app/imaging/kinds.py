"""Which kind of image some bytes are, and which one a name promises."""

_STARTS = {
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"BM": "BMP",
    **dict.fromkeys((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), "TIFF"),
    **dict.fromkeys((b"GIF87a", b"GIF89a"), "GIF"),
    **dict.fromkeys((b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51"), "JPEG2000"),
}
_BRANDS = {
    **dict.fromkeys((b"avif", b"avis"), "AVIF"),
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), "HEIF"),
}
"""Of the first box of an ISO base media file, the likelier first: AVIF names HEIF's brands too."""
_MOST_BRANDS = 16
EXTENSIONS = {
    "png": "PNG",
    "apng": "PNG",
    "jpg": "JPEG",
    "jpeg": "JPEG",
    "jpe": "JPEG",
    "jfif": "JPEG",
    "webp": "WEBP",
    "bmp": "BMP",
    "dib": "BMP",
    "tif": "TIFF",
    "tiff": "TIFF",
    "gif": "GIF",
    "avif": "AVIF",
    "heic": "HEIF",
    "heif": "HEIF",
    "hif": "HEIF",
    "jp2": "JPEG2000",
    "j2k": "JPEG2000",
    "jpf": "JPEG2000",
    "jpx": "JPEG2000",
    "j2c": "JPEG2000",
    "jpc": "JPEG2000",
    "ppm": "PPM",
    "pgm": "PPM",
    "pbm": "PPM",
    "pnm": "PPM",
}
"""The kind that a name promises by its extension."""


def kind_of(data: bytes) -> str | None:
    """The format's name by the first bytes, as Pillow says it; None for anything that is not read."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[4:8] == b"ftyp":
        return _kind_of_brands(data)
    if data[:1] == b"P" and data[1:2] in b"123456" and data[2:3].isspace():
        return "PPM"
    return next((kind for start, kind in _STARTS.items() if data.startswith(start)), None)


def _kind_of_brands(data: bytes) -> str | None:
    end = min(int.from_bytes(data[:4], "big"), 16 + 4 * _MOST_BRANDS)
    brands = {data[8:12], *(data[place : place + 4] for place in range(16, end, 4))}
    return next((kind for brand, kind in _BRANDS.items() if brand in brands), None)


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
    promised = promised_kind(name)
    return promised is not None and promised != kind_of(data)


def promised_kind(name: str) -> str | None:
    """The kind that a name's extension is of; None for a name that promises nothing, or no image."""
    _, dot, extension = name.rpartition("/")[2].rpartition(".")
    return EXTENSIONS.get(extension.lower()) if dot else None
