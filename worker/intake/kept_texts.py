"""Texts beside listed images that may say labels: fetched before the data set is indexed, batch by batch, and kept with
their objects until it is. So no transaction waits for a source, and nothing is fetched twice.
"""

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait

from sqlalchemy import ColumnElement, and_

from app.db.tables import DatasetObjectRow
from app.domain.samples.table_columns import Columns
from app.settings import MEBIBYTE
from app.sources.addresses import start_of
from app.sources.objects import keep_contents
from app.sources.reach import Reach
from app.sources.reader import ListedReader
from worker.intake.coco_layout import COCO_NAMES
from worker.intake.listed_objects import Numbered, own_objects
from worker.intake.opening_log import OpeningLog, refused
from worker.intake.sidecar_labels import CLASS_NAMES, MOST_BYTES, SIDECARS
from worker.intake.tables import MANIFEST_NAMES, METADATA_NAMES

FETCHING = 8
AT_ONCE = 128
"""Of small files; a table is fetched alone."""
MOST_OF_A_TABLE = 16 * MEBIBYTE
"""One that is longer is read where it lies, when its turn comes."""
KEEP_SECONDS = 1.0


def keep_texts(log: OpeningLog, reach: Reach, asked: Columns | None) -> None:
    """Goes on behind what was kept before. Raises InputFailure, TransientFailure, LeaseLost, WorkerStopping."""
    wanted = _wanted(asked)
    if wanted is None:
        return
    with log.held() as (_, row):
        first = row.opened
    for batch in own_objects(log.context.engine, log.dataset_id, first, wanted=wanted):
        for part in _parts(batch):
            contents = _fetched(log, reach, part)
            with log.held() as (session, row), refused():
                keep_contents(session, row, contents, log.context.settings)
                row.opened = part[-1].number + 1
            log.check_turn()


def _wanted(asked: Columns | None) -> ColumnElement[bool] | None:
    """Of the objects, those that the look into the data set is going to read; None where it reads none."""
    row = DatasetObjectRow
    if asked is not None and asked.names is not None:
        return None
    if asked is not None and asked.beside is not None:
        endings = "|".join(map(re.escape, SIDECARS[asked.beside]))
        return and_(row.key.regexp_match(f"({endings})$|{_named(CLASS_NAMES)}"), row.size <= MOST_BYTES)
    named = _named((*MANIFEST_NAMES, *METADATA_NAMES)) + f"|(^|/){COCO_NAMES}$"
    if asked is not None and asked.file is not None:
        named = _named((asked.file,))
    return and_(row.key.regexp_match(named, flags="i"), row.size <= MOST_OF_A_TABLE)


def _named(files: Sequence[str]) -> str:
    return f"(^|/)({'|'.join(map(re.escape, files))})$"


def _parts(batch: list[Numbered]) -> list[list[Numbered]]:
    """That are fetched at once: each has no more bytes than a table may have, or is one object."""
    parts: list[list[Numbered]] = [[]]
    for one in batch:
        held = sum(other.listed.size for other in parts[-1])
        if parts[-1] and (held + one.listed.size > MOST_OF_A_TABLE or len(parts[-1]) >= AT_ONCE):
            parts.append([])
        parts[-1].append(one)
    return parts


def _fetched(log: OpeningLog, reach: Reach, part: list[Numbered]) -> dict[int, bytes]:
    """By number."""
    lines = [part[start::FETCHING] for start in range(min(FETCHING, len(part)))]
    settings = log.context.settings

    def fetch(line: list[Numbered]) -> dict[int, bytes]:
        with ListedReader(reach, settings, dict(line)) as reader:
            return {number: reader.read_range("", start_of(number), listed.size) for number, listed in line}

    with ThreadPoolExecutor(FETCHING, thread_name_prefix="texts") as pool:
        begun = [pool.submit(fetch, line) for line in lines]
        while wait(begun, KEEP_SECONDS).not_done:
            log.keep()
        return {number: content for line in begun for number, content in line.result().items()}
