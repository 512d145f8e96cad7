"""A worker's context in the test's own process."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.settings import Settings
from worker.context import WorkerContext


@pytest.fixture
def context(database_url: str, broker_url: str, tmp_path: Path) -> Iterator[WorkerContext]:
    """Every map is made anew, or runs that are to be compared would share them."""
    settings = Settings(
        database_url=database_url,
        broker_url=broker_url,
        blob_store=str(tmp_path / "blobs"),
        device="cpu",
        reuse_clean_maps=False,
    )
    context = WorkerContext.from_settings(settings, "test")
    yield context
    context.close()
