"""Looks into the objects of a listing before it is indexed: notes what lies within tars and tables, where it lies
there, and keeps the texts that say labels. Object by object, so that whoever goes on goes on behind the last.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.orm import Session

from app.db.session import transaction
from app.db.tables import DatasetImportRow, DatasetRow
from app.domain.samples.table_columns import Columns
from app.domain.vocabulary import ResourceStatus
from app.imaging.table_rows import MOST_GROUP_BYTES
from app.queue import TaskName
from app.sources.addresses import listed_dataset, listing_of
from app.sources.objects import COPIED, copy_instead
from app.sources.reach import Reach
from app.sources.reader import ListedReader
from worker.archives.entry_names import from_here
from worker.intake.kept_texts import keep_texts
from worker.intake.listed_objects import CopyInstead, Kind, Numbered, kind_of_listing, kind_within, own_objects
from worker.intake.opening_log import OpeningLog, OpeningPaused
from worker.intake.table_reading import TableReading, Unfolded
from worker.intake.unfolding import splits_of, table_objects
from worker.intake.webdataset import JoinedTar, folders_of_splits, tar_objects
from worker.lifecycle.context import WorkerContext
from worker.lifecycle.lease import LeaseLost, WorkerStopping

logger = logging.getLogger(__name__)


def open_listing(context: WorkerContext, dataset_id: UUID) -> bool:
    """Whether the data set can be indexed: not where another worker is at it. Of an archive there is nothing to open.

    Raises InputFailure where it is to be rejected, and TransientFailure.
    """
    listing = _listing(context, dataset_id)
    if listing is None:
        return True
    log = OpeningLog.begin(context, dataset_id)
    return log is not None and _opened(log, *listing)


class _Asked(NamedTuple):
    """What its owner said of a data set."""

    columns: Columns | None
    name_encoding: str | None


def _listing(context: WorkerContext, dataset_id: UUID) -> tuple[Reach, _Asked] | None:
    """How it is reached, and what was said of it; None where there is nothing to open."""
    with transaction(context.engine) as session:
        dataset = session.get(DatasetRow, dataset_id)
        if dataset is None or dataset.status != ResourceStatus.VALIDATING:
            return None
        if listed_dataset(dataset.stored_digest or "") is None:
            return None
        columns = None if dataset.columns is None else Columns.model_validate(dataset.columns)
        return Reach.of(session, dataset_id), _Asked(columns, dataset.name_encoding)


def _opened(log: OpeningLog, reach: Reach, asked: _Asked) -> bool:
    goes_on = False
    try:
        _open(log, reach, asked)
    except CopyInstead as why:
        logger.info("data set %s is copied: %s", log.dataset_id, why)
        _copy_instead(log, why)
    except LeaseLost:
        logger.info("data set %s: another worker looks into it", log.dataset_id)
    except (WorkerStopping, OpeningPaused):
        goes_on = True
    else:
        return True
    finally:
        with suppress(LeaseLost):
            log.end()
    if goes_on:
        log.context.queue.send(TaskName.INDEX_DATASET, log.dataset_id)
    return False


def found_within(session: Session, dataset_id: UUID) -> JoinedTar | Unfolded | None:
    """What was noted of a listing's tars or tables; None of a folder of images."""
    within = session.get_one(DatasetImportRow, dataset_id).within
    if within is None:
        return None
    return Unfolded.noted(within) if "tables" in within else JoinedTar.noted(within)


def _open(log: OpeningLog, reach: Reach, asked: _Asked) -> None:
    kind = kind_of_listing(log.context.engine, log.dataset_id)
    if kind == "tars":
        _open_tars(log, reach, asked)
    elif kind == "tables":
        _open_tables(log, reach)
    else:
        keep_texts(log, reach, asked.columns)


def _open_tars(log: OpeningLog, reach: Reach, asked: _Asked) -> None:
    joined, tars = JoinedTar.noted(_noted(log)), _containers(log, "tars")
    joined.encoding, joined.is_alone = asked.name_encoding, reach.is_one_file
    folder_of = folders_of_splits(one.listed.key for one in tars(0))
    for tar in tars(_first(log)):
        with ListedReader(reach, log.context.settings, dict([tar])) as reader:
            log.note_within(tar.number, tar_objects(reader, tar, folder_of(tar.listed.key), joined, asked.columns))
        joined.tars += 1
        _note_opened(log, tar, joined.note())


def _open_tables(log: OpeningLog, reach: Reach) -> None:
    unfolded, tables = Unfolded.noted(_noted(log)), _containers(log, "tables")
    split_of = splits_of(one.listed.key for one in tables(0))
    for table in tables(_first(log)):
        # What a reading that breaks off counted is counted again.
        found = replace(unfolded, tables=unfolded.tables + 1)
        with ListedReader(reach, log.context.settings, dict([table])) as reader:
            reading = TableReading(log.context, reader, listing_of(log.dataset_id), found, log.keep, MOST_GROUP_BYTES)
            log.note_within(table.number, table_objects(reading, table, split_of(from_here(table.listed.key))))
        unfolded = found
        _note_opened(log, table, unfolded.note())


def _containers(log: OpeningLog, kind: Kind) -> Callable[[int], Iterator[Numbered]]:
    """Objects of that kind, from a number on."""

    def objects(first: int) -> Iterator[Numbered]:
        for batch in own_objects(log.context.engine, log.dataset_id, first):
            yield from (one for one in batch if kind_within(one.listed.key) == kind)

    return objects


def _first(log: OpeningLog) -> int:
    with log.held() as (_, row):
        return row.opened


def _noted(log: OpeningLog) -> dict[str, Any]:
    with log.held() as (_, row):
        return row.within or {}


def _note_opened(log: OpeningLog, one: Numbered, within: dict[str, Any]) -> None:
    with log.held() as (_, row):
        row.opened, row.within = one.number + 1, within
    log.check_turn()


def _copy_instead(log: OpeningLog, why: CopyInstead) -> None:
    """Back to where it is fetched."""
    with log.held() as (session, row):
        dataset = session.get_one(DatasetRow, log.dataset_id, with_for_update=True)
        copy_instead(session, row, str(why))
        row.next_at = func.clock_timestamp()
        dataset.status, dataset.stored_digest = ResourceStatus.FETCHING, None


def why_copied(session: Session, dataset_id: UUID) -> str | None:
    """Where a data set that was to stay where it is did not."""
    imported = session.get(DatasetImportRow, dataset_id)
    return None if imported is None or imported.by_reference else (imported.within or {}).get(COPIED)
