"""Maps that came from elsewhere."""

from enum import StrEnum


class MapDoubt(StrEnum):
    """Why a picture may have been meant otherwise than it was read as a map."""

    COLOURS = "colours"
    """A heat map in colours: how bright a colour is says nothing of its value."""
    DARK_ON_LIGHT = "dark-on-light"
    """Dark strokes on light paper: what is drawn became what shows no salience."""


class MapSetKind(StrEnum):
    """Whose maps: drawn by people, of where people looked, or of whatever else makes maps."""

    HUMAN = "human"
    GAZE = "gaze"
    OTHER = "other"
