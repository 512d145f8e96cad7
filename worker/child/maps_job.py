"""Reads the files of a map set: every map as float32 from 0 to 1, no larger than maps may be."""

import zlib
from collections.abc import Hashable, Iterator
from uuid import UUID

import numpy as np

from app.domain.maps.sizes import fitting_size
from app.domain.refusals.maps import NOT_FINITE, PICTURE_UNREADABLE
from app.errors import InputFailure
from app.imaging.entries import entry_of, read_entry
from app.settings import Settings
from worker.map_files.found import Found, InVain, NoMap, Setting, Values
from worker.map_files.reading import maps_in
from worker.map_files.sample_names import Named, SampleNames
from worker.wire.contents import Inputs
from worker.wire.facts import MapFacts
from worker.wire.jobs import MapsJob
from worker.wire.replies import Progress, Reply

NOBODY = UUID(int=0)
"""Which row a sample has is not the child's to know."""


def run_maps_job(job: MapsJob, settings: Settings, inputs: Inputs) -> Iterator[tuple[Reply, bytes]]:
    """What each file holds, in order: facts with the map behind them, and a progress after every file."""
    named = (Named(one.name, NOBODY, one.width, one.height) for one in job.sizes)
    mapped: set[Hashable] = {*job.mapped}
    setting = Setting(SampleNames(named), job.sigma, job.folder, mapped)
    for number, entry in enumerate(job.entries):
        try:
            data = read_entry(inputs, job.archive_digest, entry_of(entry), settings.max_entry_bytes)
        except InputFailure as failure:
            yield _problem(number, NoMap(entry.name, PICTURE_UNREADABLE.code, failure.detail)), b""
        else:
            for found in maps_in(entry.name, data, setting, settings):
                yield _told(number, found, setting)
        yield Progress(done=number + 1), b""


def _told(number: int, found: Found, setting: Setting) -> tuple[Reply, bytes]:
    if isinstance(found, NoMap):
        return _problem(number, found), b""
    if isinstance(found, InVain):
        return _in_vain(number, found), b""
    finite = np.isfinite(found.values)
    if not finite.all():
        detail = NOT_FINITE.detail(count=int((~finite).sum()))
        return _problem(number, NoMap(found.name, NOT_FINITE.code, detail)), b""
    setting.note(found)
    content, (height, width) = _stretched(found.values)
    facts = MapFacts(
        number=number,
        name=found.name,
        height=height,
        width=width,
        crc32=zlib.crc32(content),
        fixations=None if found.fixations is None else tuple(found.fixations.ravel().tolist()),
        was_negative=bool((found.values < 0).any()),
        was_larger=(height, width) != found.values.shape,
        doubt=found.doubt,
    )
    return facts, content


def _stretched(values: Values) -> tuple[bytes, tuple[int, int]]:
    """As maps that are made here: what is below 0 is none, then from 0 to 1; a constant one is zero all over."""
    height, width = values.shape
    size = fitting_size(height, width)
    own = np.maximum(values, 0)
    if size != values.shape:
        import cv2  # noqa: PLC0415 - 15 MB that most workers never need

        own = np.asarray(cv2.resize(own, size[::-1], interpolation=cv2.INTER_AREA))
    low, high = own.min(), own.max()
    if high > low:
        own -= low
        own /= high - low
    else:
        own.fill(0)
    return own.astype("<f4", copy=False).tobytes(), size


def _in_vain(number: int, found: InVain) -> MapFacts:
    height, width = (None, None) if found.size is None else fitting_size(found.size[1], found.size[0])
    return MapFacts(number=number, name=found.name, height=height, width=width, is_in_vain=True)


def _problem(number: int, found: NoMap) -> MapFacts:
    return MapFacts(number=number, name=found.name, code=found.code, detail=found.detail[:1000])
