"""A worker that looks into listed folders."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.settings import Settings
from tests.children import BorrowedChildren
from worker.lifecycle.context import WorkerContext
from worker.supervision.forkserver import Forkserver


@pytest.fixture
def context(database_url: str, broker_url: str, tmp_path: Path) -> Iterator[WorkerContext]:
    settings = Settings(
        database_url=database_url,
        broker_url=broker_url,
        blob_store=str(tmp_path / "blobs"),
        import_roots=frozenset({str(tmp_path)}),
        allowed_networks=frozenset({"127.0.0.1/32"}),
        device="cpu",
    )
    context = WorkerContext.from_settings(settings, "test")
    yield context
    context.close()


@pytest.fixture
def with_children(context: WorkerContext, forkserver: Forkserver) -> Iterator[WorkerContext]:
    """As tables need them."""
    children = BorrowedChildren(context.settings, forkserver)
    yield replace(context, children=children)
    children.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    return tmp_path / "images"
