"""The gallery of a comparison: the samples in which its first two series differ most."""

from typing import NamedTuple
from uuid import UUID

from app.domain.results.comparisons import DifferingSample, DifferingSamples
from app.domain.results.radar import headline_views
from app.reports.gallery import GalleryMaker
from app.reports.pictures import Gallery, GallerySample, Tile, TileRow
from app.reports.tiles import beside
from app.reports.words import headline, number

MOST_DIFFERENT = 2
DIFFERENT = (
    "The samples in which the first two sides differ most, for each headline. Of a side of several runs the maps are "
    "those of its first run, while the scores are the mean over the runs. Where a side has a random twin, the best and "
    "the worst sample by how far the entropy of its maps rises under random weights."
)


class ShownSeries(NamedTuple):
    """A series of a comparison in the gallery: its name, whose maps stand for it, and who draws them."""

    name: str
    ordinal: int
    maker: GalleryMaker


def different(pair: list[ShownSeries], tables: list[DifferingSamples]) -> Gallery:
    """From a comparison: the samples in which its first two series differ most."""
    exhibits = [
        exhibit
        for table in tables
        if (table["first"], table["second"]) == (0, 1)
        for sample in table["samples"][:MOST_DIFFERENT]
        if (exhibit := _side_by_side(pair, table, sample)) is not None
    ]
    exhibits += [
        exhibit.model_copy(update={"title": f"{exhibit.title}, {series.name}", "printed": 0})
        for series in pair
        for exhibit in series.maker.beside_twin(series.ordinal)
    ]
    first = next((table["samples"][0] for table in tables if table["samples"]), None)
    return Gallery(exhibits=exhibits, paper=None if first is None else _of_all_measures(pair, first), note=DIFFERENT)


def _of_all_measures(pair: list[ShownSeries], sample: DifferingSample) -> GallerySample | None:
    """One sample with each series' clean map and, of every measure, one view: what paper has room for."""
    image: Tile | None = None
    columns: list[list[Tile]] = []
    for series in pair:
        shown = series.maker.of_sample(UUID(sample["sample_id"]), series.ordinal)
        views = [view for name in headline_views(series.maker.protocol) for view in series.maker.views(name)[:1]]
        tiles = [] if shown is None else series.maker.tiles(shown, views)
        if not tiles:
            return None
        image, *maps = tiles
        columns.append([tile.model_copy(update={"caption": f"{tile.caption}, {series.name}"}) for tile in maps])
    side_by_side = [tile for both in zip(*columns, strict=True) for tile in both]
    return GallerySample(
        measure="",
        title="The sample that differs most",
        sample=sample["sample"],
        facts="Its clean maps, and one view of every measure.",
        image=image,
        rows=[TileRow(name="", tiles=side_by_side)],
        printed=len(side_by_side),
    )


def _side_by_side(pair: list[ShownSeries], table: DifferingSamples, sample: DifferingSample) -> GallerySample | None:
    measure = table["measure"]
    own: list[tuple[str, list[Tile]]] = []
    for series in pair:
        shown = series.maker.of_sample(UUID(sample["sample_id"]), series.ordinal)
        if shown is None:
            return None
        own.append((series.name, series.maker.tiles(shown, series.maker.views(measure))))
    scores = f"{number(sample['score_first'])} against {number(sample['score_second'])}"
    image, rows = beside(own)
    return GallerySample(
        measure=measure,
        title=f"Most different in {headline(measure, table['view'])}",
        sample=sample["sample"],
        facts=f"{scores} ({pair[0].name} against {pair[1].name})",
        image=image,
        rows=rows,
    )
