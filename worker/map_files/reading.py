"""Any file of an upload, by its name: the maps in it."""

from collections.abc import Iterator

from app.domain.refusals.maps import NO_MAP_FILE, PICTURE_UNREADABLE
from app.errors import InputFailure
from app.imaging.greys import GreyPicture, decode_grey
from app.settings import Settings
from worker.map_files.arrays import read_array
from worker.map_files.documents import maps_of_document
from worker.map_files.endings import ending, speaks_of_many
from worker.map_files.found import Found, FoundMap, NoMap, Setting


def maps_in(name: str, data: bytes, setting: Setting, limits: Settings) -> Iterator[Found]:
    """What is wrong with one map is its own problem; raises MemoryError."""
    try:
        if speaks_of_many(name):
            yield from maps_of_document(name, data, setting, limits.max_pixels)
        else:
            picture = _one(name, data, limits)
            yield FoundMap(name, picture.values, doubt=picture.doubt)
    except InputFailure as failure:
        yield NoMap(name, failure.code, failure.detail)


def _one(name: str, data: bytes, limits: Settings) -> GreyPicture:
    if data.startswith(b"\x93NUMPY") or ending(name) == "npy":
        return GreyPicture(read_array(data))
    try:
        return decode_grey(data, limits)
    except InputFailure as failure:
        if failure.code == "sample-unsupported-type":
            raise NO_MAP_FILE.failure(what=failure.detail.rstrip(".")) from failure
        raise PICTURE_UNREADABLE.failure(what=failure.detail) from failure
