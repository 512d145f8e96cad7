"""A worker's context in the test's own process, and one whose data set and models are there already."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from app.embedded.postgres import EmbeddedPostgres
from app.settings import Settings
from tests.children import open_context
from tests.databases import new_database
from tests.worker.workplace import Ids, prepare
from worker.lifecycle.context import WorkerContext
from worker.supervision.forkserver import Forkserver


class Furnished(NamedTuple):
    """A data set and two models, looked into and ready: the database and the blobs that hold them, their ids."""

    database: str
    blobs: Path
    ids: Ids


@contextmanager
def _open(url: str, broker_url: str, blobs: Path, forkserver: Forkserver) -> Iterator[WorkerContext]:
    """Every map is made anew, or runs that are to be compared would share them."""
    settings = Settings(
        database_url=url, broker_url=broker_url, blob_store=str(blobs), device="cpu", reuse_clean_maps=False
    )
    with open_context(settings, forkserver) as context:
        yield context


@pytest.fixture
def context(database_url: str, broker_url: str, tmp_path: Path, forkserver: Forkserver) -> Iterator[WorkerContext]:
    with _open(database_url, broker_url, tmp_path / "blobs", forkserver) as context:
        yield context


@pytest.fixture(scope="session")
def furnished(
    postgres: EmbeddedPostgres, broker_url: str, forkserver: Forkserver, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Furnished]:
    blobs = tmp_path_factory.mktemp("furnished")
    with new_database(postgres) as url:
        with _open(url, broker_url, blobs, forkserver) as context:
            ids = prepare(context)
        yield Furnished(url.rpartition("/")[2], blobs, ids)


@pytest.fixture
def at_work(
    postgres: EmbeddedPostgres, broker_url: str, forkserver: Forkserver, furnished: Furnished
) -> Iterator[WorkerContext]:
    """On a copy of that database; blobs are told by their digests, so that tests may share them."""
    with (
        new_database(postgres, furnished.database) as url,
        _open(url, broker_url, furnished.blobs, forkserver) as context,
    ):
        yield context


@pytest.fixture
def ids(furnished: Furnished) -> Ids:
    """Of the data set, and of the models."""
    return furnished.ids
