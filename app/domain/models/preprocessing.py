"""How a picture becomes a network's input: one description for the transforms of every library.

Views act on the rectangle of 8-bit RGB that an ``InputSpec`` tells of; grey, BGR and ranges are conversions after them.
"""

from typing import Any, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from app.domain.models.input_size import Size, size_of
from app.domain.models.input_spec import (
    Alpha,
    Colour,
    CropOffset,
    Frozen,
    InputSide,
    InputSpec,
    Interpolation,
    PadResizing,
    PixelReading,
    Resizing,
    SixteenBit,
)
from app.domain.models.levels import Channels, Deviation, Level, ValueRange, are_bytes, check_units
from app.domain.vocabulary import Resize

MID_GREY = 128


class Preprocessing(Frozen):
    """How an image becomes the model's input: a rectangle of 8-bit RGB, then channels, range, mean and deviation."""

    input_size: InputSide | tuple[InputSide, InputSide] = Field(
        description="Side of the square input in pixels, or `[height, width]`.", examples=[224, [96, 64]]
    )
    channels: Channels = Field(
        Channels.RGB,
        description="As the network gets them, in the order of `mean` and `std`; `grey`: one, or three times the same "
        "where the network takes three.",
    )
    value_range: ValueRange = Field(
        ValueRange.UNIT, description="Of levels before mean and std: 0 to 1, -1 to 1 (`signed`) or 0 to 255 (`byte`)."
    )
    mean: tuple[Level, ...] = Field(
        min_length=1,
        max_length=3,
        description="Of each channel, or one for all, in the units of `value_range`; may be left out where that is "
        "given, as may `std`. Levels of 0 to 255 set it to `byte`.",
        examples=[[0.485, 0.456, 0.406]],
    )
    std: tuple[Deviation, ...] = Field(min_length=1, max_length=3, examples=[[0.229, 0.224, 0.225]])
    resize: Resizing = Field(
        Resize.STRETCH,
        description="`stretch` does not keep the aspect; `shorter_side_crop` cuts out the middle. "
        '`{"shorter_side": 256}` and `{"stretch": 256}` resize to that before the middle is cut out (of two sides, '
        '`[height, width]`: to what just covers them, and to them), `{"pad": "black"}` (`white`, `mean`) fits the '
        "whole image into the input.",
    )
    interpolation: Interpolation = Field(Interpolation.BILINEAR, description="As Pillow does it.")
    antialias: bool = Field(
        default=True, description="false: as torch and OpenCV do it, which skip pixels; lanczos has no such way."
    )
    crop_offset: CropOffset = Field(
        CropOffset.ROUNDED,
        description="Where the middle begins if that is half a pixel: `rounded` to even (torchvision, timm) or "
        "`floored` (transformers).",
    )
    alpha: Alpha = Field(Alpha.BLACK, description="What is behind transparent pixels; `dropped`: their own colours.")
    sixteen_bit: SixteenBit = Field(
        SixteenBit.SCALED,
        description='Levels of 16 bits are divided by 257, or cut as `convert("RGB")` of Pillow does.',
    )

    @model_validator(mode="before")
    @classmethod
    def in_full(cls, value: Any) -> Any:
        """A range alone says mean 0 and std 1; numbers that are of 0 to 255 without any doubt say the range."""
        if not isinstance(value, dict):
            return value
        if "value_range" in value:
            return {"mean": [0.0], "std": [1.0]} | value
        return value | {"value_range": ValueRange.BYTE} if are_bytes(value.get("mean"), value.get("std")) else value

    @field_validator("input_size", mode="before")
    @classmethod
    def square(cls, value: object) -> object:
        """A pair of equal sides is a square."""
        if isinstance(value, list | tuple) and len(value) == 2 and value[0] == value[1]:
            return value[0]
        return value

    @field_validator("resize", mode="before")
    @classmethod
    def says_what_becomes_of_the_aspect(cls, value: object) -> object:
        """Libraries mean other things by one number."""
        if isinstance(value, int | list | tuple):
            raise ValueError(  # noqa: TRY004 - the request is wrong, not a call
                'of sides, {"shorter_side": 256} says that the aspect is kept and the middle cut out, {"stretch": 256} '
                "that it is not kept"
            )
        return value

    @field_validator("mean", "std", mode="before")
    @classmethod
    def one_for_all(cls, value: object, info: ValidationInfo) -> object:
        """One number stands for three channels; of grey it stays one."""
        numbers = [value] if isinstance(value, int | float) else value
        if isinstance(numbers, list | tuple) and len(numbers) == 1 and info.data.get("channels") != Channels.GREY:
            return [*numbers] * 3
        return numbers

    @field_validator("mean", "std")
    @classmethod
    def in_the_units_of_the_range(cls, value: tuple[float, ...], info: ValidationInfo) -> tuple[float, ...]:
        check_units(value, of_bytes=info.data.get("value_range") == ValueRange.BYTE)
        return value

    @model_validator(mode="after")
    def can_be_done(self) -> Self:
        if len(self.mean) != len(self.std):
            raise ValueError("as many numbers in mean as in std")
        before, own = self.spec.size_before_crop, self.size
        if before.height < own.height or before.width < own.width:
            raise ValueError(f"{own} pixels cannot be cut out of {before}")
        if not self.antialias and self.interpolation is Interpolation.LANCZOS:
            raise ValueError("there is no lanczos interpolation without antialias")
        return self

    @classmethod
    def of(cls, stored: dict[str, Any]) -> Self:
        """As a model's row has it."""
        return cls.model_validate(stored)

    def stored(self) -> dict[str, Any]:
        """As JSON, without what is as it was before there was a choice: digests of models stay what they were."""
        return {
            name: value
            for name, value in self.model_dump(mode="json").items()
            if name not in _LATER or value != _LATER[name]
        }

    @property
    def size(self) -> Size:
        """Height and width of the input."""
        return size_of(self.input_size)

    @property
    def spec(self) -> InputSpec:
        """What comes before the views."""
        colours = {"black": (0, 0, 0), "white": (255, 255, 255), "mean": self.mean_colour}
        return InputSpec(
            self.size,
            self.resize,
            self.interpolation,
            self.antialias,
            self.crop_offset,
            colours[self.resize.pad] if isinstance(self.resize, PadResizing) else None,
            PixelReading(self.alpha, self.sixteen_bit),
        )

    @property
    def in_unit_range(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Mean and deviation that make the same of levels from 0 to 1."""
        scale, least = self.scale
        whole = 255 / scale
        return tuple((one - least) / whole for one in self.mean), tuple(one / whole for one in self.std)

    @property
    def scale(self) -> tuple[float, float]:
        """By what an 8-bit level is divided, and what is added then, before mean and deviation."""
        return {ValueRange.UNIT: (255, 0), ValueRange.SIGNED: (127.5, -1), ValueRange.BYTE: (1, 0)}[self.value_range]

    @property
    def mean_colour(self) -> Colour:
        """The 8-bit RGB that becomes zero: the mean of the images that the model was trained on, or mid grey."""
        if not any(self.mean):
            return MID_GREY, MID_GREY, MID_GREY
        levels = [min(255, max(0, round(255 * level))) for level in self.in_unit_range[0]]
        first, second, third = levels if len(levels) == 3 else levels * 3
        return (third, second, first) if self.channels is Channels.BGR else (first, second, third)


_LATER = {
    name: Preprocessing.model_fields[name].default
    for name in ("channels", "value_range", "interpolation", "antialias", "crop_offset", "alpha", "sixteen_bit")
}
