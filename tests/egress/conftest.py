"""Two servers that listen on loopback, and a client that may call one of them."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from app.egress.addresses import AddressGuard
from app.egress.client import EgressClient
from tests.egress.callers import CLOSED, OPEN, QUICK, resolve
from tests.egress.hosts import Host, serving


@pytest.fixture(scope="module")
def hosts() -> Iterator[tuple[Host, Host]]:
    """One that may be called, and one that may not."""
    with ExitStack() as ending:
        made = (Host(OPEN), Host(CLOSED))
        for host in made:
            ending.enter_context(serving(host))
        yield made


@pytest.fixture
def client() -> Iterator[EgressClient]:
    with EgressClient(AddressGuard.of([f"{OPEN}/32"]), QUICK, resolve=resolve) as made:
        yield made
