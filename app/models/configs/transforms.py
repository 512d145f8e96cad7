"""Steps from an image to the input, in the words that a registration has for them."""

from app.domain.refusals import CONFIG_FIELD
from app.models.configs.fields import Json, Unsaid

Place = tuple[str, ...]

_INTERPOLATIONS = frozenset({"bilinear", "bicubic", "nearest", "lanczos"})


def interpolated(name: object, place: Place) -> Json:
    """How images are resized."""
    if name in _INTERPOLATIONS:
        return {"interpolation": name}
    what = f"is {str(name)[:40]!r}; known are {', '.join(sorted(_INTERPOLATIONS))}"
    return {"interpolation": Unsaid(CONFIG_FIELD, place, {"what": what})}


def shorter_side(shorter: int, side: int) -> Json:
    """The shorter side becomes ``shorter``; then the middle of ``side`` pixels is cut out."""
    return {"input_size": side, "resize": "shorter_side_crop" if shorter == side else {"shorter_side": shorter}}


def stretched(sides: tuple[int, int], crop: tuple[int, int], place: Place) -> Json:
    """Height and width become those of ``sides``, whatever they were; then the middle is cut out."""
    (height, width), (down, right) = sides, crop
    if sides == crop:
        return {"input_size": height if height == width else [height, width], "resize": "stretch"}
    if height == width and down == right <= height:
        return {"input_size": down, "resize": {"stretch": height}}
    return {"input_size": Unsaid(CONFIG_FIELD, place, {"what": "is no square within the resized image"})}
