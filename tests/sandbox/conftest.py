"""Networks that attack their process, in the child that the worker uses."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.settings import Settings
from app.storage.blobs import BlobStore
from tests.sandbox.attackers import HOSTILE


@pytest.fixture(scope="session")
def blobs(tmp_path_factory: pytest.TempPathFactory) -> BlobStore:
    return BlobStore.from_settings(Settings(blob_store=str(tmp_path_factory.mktemp("blobs"))))


@pytest.fixture(scope="module", autouse=True)
def _hostile_library() -> Iterator[None]:
    """First on the path that these tests' children are given; this process itself never imports it."""
    sys.path.insert(0, str(HOSTILE))
    yield
    sys.path.remove(str(HOSTILE))


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A file that is none of the child's business."""
    path = tmp_path / "secret"
    path.write_text("secret")
    return path
