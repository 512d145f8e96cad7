"""The pictures of a report: its gallery, mean images, and evidence of shortcuts."""

from pydantic import Field

from app.reports.part import Base64, Part


class Tile(Part):
    """A picture of the gallery."""

    caption: str
    jpeg: Base64


class TileRow(Part):
    """The maps of one series, its clean map first; the name is empty where there is one series only."""

    name: str
    tiles: list[Tile]


class GallerySample(Part):
    """A sample of the gallery: its image, and its maps over the image. An unreadable image is None."""

    measure: str
    rank: str = ""
    title: str
    sample: str
    facts: str
    image: Tile | None
    rows: list[TileRow]
    printed: int = 0
    """So many maps of each row are on paper, which has room for few pictures that can be looked at."""

    @property
    def most_tiles(self) -> int:
        """In a row: for that many there should be room."""
        return max((len(row.tiles) for row in self.rows), default=1)


class Gallery(Part):
    """``note`` says what is shown, or why nothing is; ``paper`` is what a comparison prints instead of it."""

    exhibits: list[GallerySample] = Field(default_factory=list)
    paper: GallerySample | None = None
    note: str


class MeanImage(Part):
    """The mean of ``n`` images that a model gives one class, a grey PNG; ``contrast`` in [0, 1] tells how alike they
    are laid out."""

    predicted: str
    n: int
    png: Base64
    contrast: float


class EvidenceRow(Part):
    """Pictures that show one sign of a shortcut."""

    title: str
    note: str
    tiles: list[Tile]
