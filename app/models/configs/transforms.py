"""Steps from an image to the input, in the words that a registration has for them."""

from app.domain.models.input_size import InputSize
from app.domain.refusals.architectures import CONFIG_FIELD
from app.models.configs.fields import Json, Unsaid

Place = tuple[str, ...]

_INTERPOLATIONS = frozenset({"bilinear", "bicubic", "nearest", "lanczos"})


def interpolated(name: object, place: Place) -> Json:
    """How images are resized."""
    if name in _INTERPOLATIONS:
        return {"interpolation": name}
    what = f"is {str(name)[:40]!r}; known are {', '.join(sorted(_INTERPOLATIONS))}"
    return {"interpolation": Unsaid(CONFIG_FIELD, place, {"what": what})}


def shorter_side(shorter: int | tuple[int, int], crop: tuple[int, int]) -> Json:
    """The shorter side becomes ``shorter`` (of two: the picture covers them); then the middle is cut out."""
    is_all = plain(crop) == shorter
    return {"input_size": plain(crop), "resize": "shorter_side_crop" if is_all else {"shorter_side": shorter}}


def stretched(sides: tuple[int, int], crop: tuple[int, int], place: Place) -> Json:
    """Height and width become those of ``sides``, whatever they were; then the middle is cut out."""
    if sides == crop:
        return {"input_size": plain(sides), "resize": "stretch"}
    if crop[0] <= sides[0] and crop[1] <= sides[1]:
        return {"input_size": plain(crop), "resize": {"stretch": plain(sides)}}
    return {"input_size": Unsaid(CONFIG_FIELD, place, {"what": "is not within the resized image"})}


def plain(sides: tuple[int, int]) -> InputSize:
    """A square's one number, else height and width."""
    return sides[0] if sides[0] == sides[1] else sides
