"""An audit's changed images as an archive, for systems that make their maps elsewhere."""

from enum import StrEnum

from app.domain.measures import view_families
from app.domain.protocol import Protocol
from app.domain.views import family_of
from app.domain.vocabulary import CLEAN

MANIFEST = "views.jsonl"
"""A line an image: its ``path`` in the archive, ``view``, ``sample``, ``label``, and ``map``, where its map belongs."""


class Needs(StrEnum):
    """What images are made of: of the sample's image alone, or of its clean map as well."""

    IMAGES = "images"
    MAPS = "maps"


def handed_out(protocol: Protocol, needs: Needs) -> tuple[str, ...]:
    """The views of an archive, in the order of each sample's images: with those of images alone comes the clean one."""
    wanted = tuple(name for name in protocol.conditions() if needs_of(name) == needs)
    return wanted if needs == Needs.MAPS else (CLEAN, *wanted)


def needs_of(view: str) -> Needs:
    """Of a view that changes images."""
    family = family_of(view, view_families())
    return Needs.MAPS if family is not None and family.follow_maps else Needs.IMAGES


def image_path(view: str, position: int) -> str:
    """Of the sample at that position of its data set: ``noise@0.05/000012.png``."""
    return f"{view}/{position:06}.png"


def map_path(view: str, position: int) -> str:
    """Where its map belongs in what is sent back."""
    return f"{view}/{position:06}.npy"
