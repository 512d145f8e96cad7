"""So many requests in a window and no more, by key and by tenant, with and without the broker."""

import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import pytest
from redis import Redis

from app.embedded.ports import free_port
from tests.api.running_api import Api, check_problem
from tests.keys import make_key

FIELD = re.compile(r'"key";r=(\d+);t=(\d+), "tenant";r=(\d+);t=(\d+)')
LIMITS = {"RATE_LIMIT_KEY": "6", "RATE_LIMIT_TENANT": "10", "RATE_WINDOW_SECONDS": "3", "RECONCILE_SECONDS": "3600"}


@pytest.fixture(scope="module", params=["broker", "no broker"])
def limited(request: pytest.FixtureRequest, start_api: Callable[..., Api], broker_url: str) -> Api:
    """With its own counts: a Valkey database of its own, or none that answers."""
    broker = broker_url.rpartition("/")[0] + "/6"
    return start_api(broker if request.param == "broker" else f"redis://127.0.0.1:{free_port()}/0", **LIMITS)


@pytest.fixture
def ask(limited: Api) -> Callable[[int], httpx.Response]:
    """With one of three keys that nobody has used: two of one tenant, one of another."""
    names = [f"{name} {uuid4()}" for name in "ab"]
    keys = [make_key(limited.engine, names[place]) for place in (0, 0, 1)]

    def send(number: int) -> httpx.Response:
        headers = {"Authorization": f"Bearer {keys[number]}"}
        return httpx.get(f"{limited.client.base_url}/v1/gates", headers=headers)

    return send


def test_one_more_than_the_window_holds(ask: Callable[[int], httpx.Response]) -> None:
    answers = [ask(0) for _ in range(8)]
    assert [answer.status_code for answer in answers] == [200] * 6 + [429] * 2
    for place, answer in enumerate(answers):
        assert answer.headers["ratelimit-policy"] == '"key";q=6;w=3, "tenant";q=10;w=3'
        found = FIELD.fullmatch(answer.headers["ratelimit"])
        assert found
        assert (int(found[1]), int(found[3])) == (max(5 - place, 0), max(9 - place, 0))
        assert int(found[2]) <= 3
    check_problem(answers[-1], 429, "rate-limited")
    wait = int(answers[-1].headers["retry-after"])
    assert 1 <= wait <= 3
    time.sleep(wait)
    assert ask(0).status_code == 200


def test_a_burst(ask: Callable[[int], httpx.Response]) -> None:
    with ThreadPoolExecutor(20) as pool:
        statuses = list(pool.map(ask, [0] * 20))
    assert sorted(statuses, key=lambda answer: answer.status_code)[5].status_code == 200
    assert sum(answer.status_code == 200 for answer in statuses) == 6


def test_many_keys_of_one_tenant(ask: Callable[[int], httpx.Response]) -> None:
    answers = [ask(number) for number in (0, 1) * 6]
    assert sum(answer.status_code == 200 for answer in answers) == 10
    assert ask(2).status_code == 200


def test_who_has_no_key_is_told_nothing(limited: Api) -> None:
    answer = httpx.get(f"{limited.client.base_url}/v1/gates")
    check_problem(answer, 401, "unauthenticated")
    assert "ratelimit" not in answer.headers
    assert "ratelimit" not in httpx.get(f"{limited.client.base_url}/livez").headers


def test_counts_have_an_end(limited: Api, ask: Callable[[int], httpx.Response], broker_url: str) -> None:
    assert ask(0).status_code == 200
    with Redis.from_url(broker_url.rpartition("/")[0] + "/6") as redis:
        counts = redis.keys("salience_audit:rate:*")
        assert all(0 < redis.pttl(name) <= 3000 for name in counts)
    time.sleep(3.1)
    with Redis.from_url(broker_url.rpartition("/")[0] + "/6") as redis:
        assert redis.keys("salience_audit:rate:*") == []
