"""What the tests of deliveries share: a courier on a database of its own, and a receiver."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from tests.waiting import lanes_ended
from tests.webhooks.posting import Post
from tests.webhooks.receiver import Receiver, receiving


@pytest.fixture
def post(engine: Engine) -> Iterator[Post]:
    yield Post(engine)
    lanes_ended()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver
