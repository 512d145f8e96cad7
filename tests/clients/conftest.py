"""Clients and servers that other people made, at their defaults."""

from pathlib import Path

import httpx
import pytest


@pytest.fixture(scope="session")
def address(service: httpx.Client) -> tuple[str, str]:
    """The running service's, and its key."""
    return str(service.base_url).rstrip("/"), service.headers["authorization"].removeprefix("Bearer ")


@pytest.fixture(scope="session")
def openapi(service: httpx.Client, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The document as the service tells it."""
    path = tmp_path_factory.mktemp("openapi") / "openapi.json"
    path.write_bytes(service.get("/openapi.json").content)
    return path
