"""Sweeps, now and then, in a thread of the API process; of several processes, one at a time."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from app.access.quotas import USAGE_WINDOW
from app.access.vault import Vault
from app.errors import SalienceError
from app.housekeeping.orphans import sweep_orphans
from app.housekeeping.resealing import reseal
from app.housekeeping.retention import (
    remove_awaiting,
    remove_deliveries,
    remove_keys,
    remove_maps,
    remove_scores,
    remove_usage,
    remove_view_archives,
)
from app.periodic import Periodic
from app.settings import Settings
from app.storage.blobs import BlobStore

logger = logging.getLogger(__name__)

LOCK = 7_326_511_902_116


class Housekeeper:
    """A round at the start, then one an interval. A part that is away costs its own step, until the next round."""

    def __init__(self, engine: Engine, blobs: BlobStore, settings: Settings) -> None:
        self._engine = engine
        self._blobs = blobs
        self._settings = settings
        self._thread = Periodic(
            "housekeeper", self.round, settings.housekeeping_seconds, (SQLAlchemyError, SalienceError)
        )

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends a round that is under way after its present step."""
        self._thread.stop()

    def round(self) -> dict[str, int]:
        """What was removed, by kind; nothing where another process is at it."""
        removed: dict[str, int] = {}
        with self._alone() as is_alone:
            for name, step in self._steps().items() if is_alone else ():
                if self._thread.is_stopped:
                    break
                try:
                    removed[name] = step()
                except (SQLAlchemyError, SalienceError) as error:
                    logger.warning("housekeeping: %s wait: %s", name, type(error).__name__)
        if any(removed.values()):
            logger.info("housekeeping removed %s", {name: count for name, count in removed.items() if count})
        return removed

    def _steps(self) -> dict[str, Callable[[], int]]:
        engine, blobs, settings = self._engine, self._blobs, self._settings
        grace = timedelta(seconds=settings.orphan_grace_seconds)
        steps: dict[str, Callable[[], int]] = {
            "half uploads": blobs.sweep,
            "idempotency keys": partial(remove_keys, engine, timedelta(days=settings.keep_idempotency_keys_days)),
            "old encryption": partial(reseal, engine, Vault.of(settings)),
            "deliveries": partial(remove_deliveries, engine, timedelta(days=settings.keep_deliveries_days)),
            "usage": partial(remove_usage, engine, USAGE_WINDOW),
            "changed images": partial(remove_view_archives, engine, timedelta(days=settings.keep_views_days)),
        }
        for name, days, remove in (
            ("registrations", settings.keep_awaiting_days, remove_awaiting),
            ("maps", settings.keep_maps_days, remove_maps),
            ("scores", settings.keep_scores_days, remove_scores),
        ):
            if days:  # 0: kept for ever
                steps[name] = partial(remove, engine, timedelta(days=days))
        return steps | {"orphaned blobs": partial(sweep_orphans, engine, blobs, grace)}

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        """A transaction's lock, for as long as a round takes: a pooler gives connections to transactions only.

        It reads and writes nothing, so that its age keeps nothing from being vacuumed.
        """
        with self._engine.begin() as connection:
            yield bool(connection.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": LOCK}))
