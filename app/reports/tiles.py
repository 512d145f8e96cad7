"""Pictures of a report, and how they stand beside each other."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.reports.pictures import Tile, TileRow

TILE_SIDE = 224
TILE_QUALITY = 80


def beside(tiles_of: list[tuple[str, list[Tile]]]) -> tuple[Tile | None, list[TileRow]]:
    """The image once, then a row of maps for each series, so that a view stands beside its own clean map.

    Where a series has nothing but its clean map, all of them share a row.
    """
    image = next((tiles[0] for _, tiles in tiles_of if tiles), None)
    rows = [TileRow(name=name, tiles=tiles[1:]) for name, tiles in tiles_of if tiles[1:]]
    if len(rows) < 2 or any(len(row.tiles) > 1 for row in rows):
        return image, rows
    maps = [Tile(caption=f"{row.name}: {tile.caption}", jpeg=tile.jpeg) for row in rows for tile in row.tiles]
    return image, [TileRow(name="", tiles=maps)]


def jpeg_of(pixels: NDArray[np.uint8]) -> bytes:
    """A picture of the report."""
    file = io.BytesIO()
    Image.fromarray(pixels).resize((TILE_SIDE, TILE_SIDE), Image.Resampling.BILINEAR).save(
        file, "JPEG", quality=TILE_QUALITY
    )
    return file.getvalue()
