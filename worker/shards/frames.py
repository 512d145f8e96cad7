"""What the models of an audit see of an image, which given maps are cut to."""

from collections.abc import Sequence

from app.db.tables import ModelRow
from app.domain.models.preprocessing import Preprocessing
from app.imaging.framing import WHOLE, Part, seen_part


def seen_frame(models: Sequence[ModelRow], size: tuple[int, int]) -> Part:
    """Of an image of so many pixels, width first; models of an audit with map sets frame images alike."""
    if not models:
        return WHOLE
    return seen_part(size, Preprocessing.of(models[0].preprocessing).spec)
