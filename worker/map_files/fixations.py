"""Lists of fixations, and the density that Gaussians make of them."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.domain.maps.sizes import fitting_size
from app.domain.refusals.maps import FIXATIONS_INVALID, FIXATIONS_WITHOUT_SIGMA, SIZE_UNKNOWN
from worker.map_files.found import Found, FoundMap, InVain, NoMap, Setting, Size, Values, check_length

Fixation = tuple[float, float, float]
"""x and y in pixels of the image, and how long it took: what is not told counts as 1."""

IMAGE = ("image", "sample", "path", "file", "filename", "file_name", "stimulus", "image_name")
_X, _Y, _DURATION = ("x", "fixation_x", "fix_x"), ("y", "fixation_y", "fix_y"), ("duration", "fixation_duration")
MOST_ROWS = 5_000_000


def of_table(data: bytes, setting: Setting) -> Iterator[Found]:
    """CSV or TSV, a fixation a row: image, x, y and, if there is one, duration. Raises InputFailure."""
    try:
        text = data.decode("utf-8-sig")
        first = text.split("\n", 1)[0]
        delimiter = max(",;\t", key=first.count)
        rows = csv.DictReader(io.StringIO(text), delimiter=delimiter)
        names = {name.strip().casefold(): name for name in rows.fieldnames or [] if name}
        columns = [next((names[one] for one in known if one in names), None) for known in (IMAGE, _X, _Y, _DURATION)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise FIXATIONS_INVALID.failure(what="it is no table in UTF-8") from error
    if None in columns[:3]:
        raise FIXATIONS_INVALID.failure(what=f"its columns are {', '.join(names)[:150]}")
    yield from of_lists(_by_image(rows, columns), setting)


def _by_image(rows: Iterable[Mapping[str, Any]], columns: Sequence[str | None]) -> dict[str, list[Fixation]]:
    image, x, y, duration = columns
    found: dict[str, list[Fixation]] = {}
    for number, row in enumerate(rows, start=2):
        if number > MOST_ROWS:
            raise FIXATIONS_INVALID.failure(what=f"it has more than {MOST_ROWS} rows")
        try:
            told = float(row[duration]) if duration is not None and row[duration] not in {None, ""} else 1.0
            found.setdefault(str(row[image or ""]), []).append((float(row[x or ""]), float(row[y or ""]), told))
        except (TypeError, ValueError) as error:
            raise FIXATIONS_INVALID.failure(what=f"line {number} has no numbers for x and y") from error
    return found


def of_document(document: Any, setting: Setting) -> Iterator[Found]:
    """JSON: a list of objects as the rows of a table, or an object from image to ``[[x, y], ...]`` or ``[[x, y,
    duration], ...]``. Raises InputFailure."""
    if isinstance(document, list):
        known = [
            {str(name).casefold(): value for name, value in row.items()} for row in document if isinstance(row, dict)
        ]
        names = {name for row in known for name in row}
        columns = [next((one for one in wanted if one in names), None) for wanted in (IMAGE, _X, _Y, _DURATION)]
        if len(known) < len(document) or None in columns[:3]:
            raise FIXATIONS_INVALID.failure(what="its objects have no image, x and y")
        rows = ({"": None, **{name: row.get(name) for name in names}} for row in known)
        yield from of_lists(_by_image(rows, columns), setting)
        return
    lists: dict[str, list[Fixation]] = {}
    for image, points in document.items():
        try:
            lists[image] = [(float(one[0]), float(one[1]), float(one[2]) if len(one) > 2 else 1.0) for one in points]
        except (TypeError, ValueError, IndexError) as error:
            raise FIXATIONS_INVALID.failure(what=f"{image[:100]!r} has no list of [x, y]") from error
    yield from of_lists(lists, setting)


def of_lists(lists: Mapping[str, Sequence[Fixation]], setting: Setting) -> Iterator[Found]:
    """A map an image. Raises InputFailure where no Gaussian is stated."""
    if setting.sigma is None:
        raise FIXATIONS_WITHOUT_SIGMA.failure()
    check_length(len(lists))
    for name, fixations in lists.items():
        size = setting.size_of(name)
        if setting.is_in_vain(name, size):
            yield InVain(name, size)
            continue
        if size is None:
            yield NoMap(name, SIZE_UNKNOWN.code, SIZE_UNKNOWN.detail(name=repr(name)))
            continue
        told = np.array(fixations, np.float64).reshape(-1, 3)
        inside = ((told[:, :2] >= 0) & (told[:, :2] < size)).all(1) & (told[:, 2] > 0) & np.isfinite(told).all(1)
        yield FoundMap(name, density(told[inside], size, setting.sigma), told[inside, :2] / size)


def density(fixations: NDArray[np.float64], size: Size, sigma: float) -> Values:
    """The sum of Gaussians around ``fixations`` (F, 3), x, y and weight, at the middles of an image's pixels; of images
    that are larger than maps may be, at those of the larger cells."""
    (width, height), (rows, columns) = size, fitting_size(size[1], size[0])
    x, y, weight = fixations.T
    down = _bells((np.arange(rows) + 0.5) * height / rows, y, sigma)
    right = _bells((np.arange(columns) + 0.5) * width / columns, x, sigma)
    made: Values = ((down * weight) @ right.T).astype(np.float32)
    return made


def _bells(places: NDArray[np.float64], middles: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    """(places, middles)."""
    found: NDArray[np.float64] = np.exp(-((places[:, None] - middles) ** 2) / (2 * sigma**2))
    return found
