"""From a picture to the rectangle of 8-bit RGB that a model sees: how it is read, resized and cut."""

from enum import StrEnum
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from app.domain.models.input_size import Size, size_of
from app.domain.vocabulary import Resize

Side = Annotated[int, Field(ge=16, le=2048)]
InputSide = Annotated[int, Field(ge=16, le=1024)]
Colour = tuple[int, int, int]


class Interpolation(StrEnum):
    """How pixels are mixed where an image is resized."""

    BILINEAR = "bilinear"
    BICUBIC = "bicubic"
    NEAREST = "nearest"
    LANCZOS = "lanczos"


class CropOffset(StrEnum):
    """Where the middle begins if that is half a pixel: `rounded` to the even one, as torchvision and timm have it, or
    `floored`, as transformers and ``(height - size) // 2`` do."""

    ROUNDED = "rounded"
    FLOORED = "floored"


class Alpha(StrEnum):
    """What is behind transparent pixels; `dropped` shows their own colours."""

    BLACK = "black"
    WHITE = "white"
    DROPPED = "dropped"


class SixteenBit(StrEnum):
    """How levels of 16 bits become 8: divided by 257, or as Pillow's ``convert("RGB")`` has them."""

    SCALED = "scaled"
    PILLOW = "pillow"


class Frozen(BaseModel):
    """Of a model's description."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ShorterSideResizing(Frozen):
    """The shorter side becomes so long, then the middle is cut out; of two, the picture just covers that height and
    width."""

    shorter_side: Side | tuple[Side, Side]


class StretchResizing(Frozen):
    """Both sides become so long (of two: height, width), whatever the aspect, then the middle is cut out."""

    stretch: Side | tuple[Side, Side]


class PadResizing(Frozen):
    """The picture becomes as large as it fits in; what is missing is filled, with `mean` by the colour that becomes
    zero."""

    pad: Literal["black", "white", "mean"]


Resizing = Resize | ShorterSideResizing | StretchResizing | PadResizing


class PixelReading(NamedTuple):
    """How pixels of a file become 8-bit RGB."""

    alpha: Alpha = Alpha.BLACK
    sixteen_bit: SixteenBit = SixteenBit.SCALED


class InputSpec(NamedTuple):
    """How a picture becomes the rectangle that views act on: its size in pixels, and how it gets there.

    ``padding`` is the colour beside the picture, None where nothing is beside it.
    """

    size: Size
    resize: Resizing = Resize.STRETCH
    interpolation: Interpolation = Interpolation.BILINEAR
    antialias: bool = True
    crop_offset: CropOffset = CropOffset.ROUNDED
    padding: Colour | None = None
    reading: PixelReading = PixelReading()

    @property
    def size_before_crop(self) -> Size:
        """The least that a picture has then."""
        if isinstance(self.resize, ShorterSideResizing):
            return size_of(self.resize.shorter_side)
        return size_of(self.resize.stretch) if isinstance(self.resize, StretchResizing) else self.size
