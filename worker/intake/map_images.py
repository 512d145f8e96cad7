"""Which images the maps of an upload are of: the samples' own, by name, or those that an audit handed out."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.tables import DatasetRow, MapSetRow, SampleRow
from app.domain.vocabulary import CLEAN, SampleStatus
from app.imaging.entries import ArchiveEntry
from worker.intake.handed_out import HandedOut, Place
from worker.intake.map_rows import Find
from worker.map_files.sample_names import Below, Named, SampleNames


class MapImages(NamedTuple):
    """``entries`` are the files that hold maps, ``find`` knows of which image each map is; ``folder`` is the upload's
    own, below which ``samples`` are named, None where maps are of handed out images, which were ``made`` so."""

    samples: SampleNames
    entries: Sequence[ArchiveEntry]
    find: Find
    folder: str | None
    made: str | None


def images_of(
    session: Session,
    row: MapSetRow,
    entries: list[ArchiveEntry],
    samples: SampleNames,
    content_of: Callable[[ArchiveEntry], bytes],
) -> MapImages:
    """Raises InputFailure where a manifest of handed out images is missing or wrong."""
    if row.input_size is None:
        below = samples.below(entry.name for entry in entries)
        return MapImages(samples, entries, partial(_clean_place, below), below.folder, row.made)
    dataset = session.get_one(DatasetRow, row.dataset_id)
    handed_out = HandedOut.read(entries, content_of, samples, dataset.digest or "")
    return MapImages(samples, [*filter(handed_out.is_map, entries)], handed_out.find, None, handed_out.made)


def readable_samples(session: Session, row: MapSetRow) -> SampleNames:
    """Those of its data set that a map can be of."""
    of_dataset = SampleRow.dataset_id == row.dataset_id
    query = select(SampleRow.name, SampleRow.id, SampleRow.width, SampleRow.height, SampleRow.status)
    ready, others = [], []
    for name, sample_id, width, height, status in session.execute(query.where(of_dataset)):
        if status != SampleStatus.UNREADABLE:
            ready.append(Named(name, sample_id, width or 0, height or 0))
        else:
            others.append(name)
    return SampleNames(ready, others)


def _clean_place(below: Below, name: str) -> Place | None:
    """Of a map of the samples' own images."""
    sample = below.find(name)
    return None if sample is None else Place(sample, CLEAN)
