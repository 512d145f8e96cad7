"""So many requests in a window and no more, by key and by tenant, with and without the broker.

No window ends while a test runs, however slow the machine: its end is made, not waited for.
"""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import SimpleNamespace
from uuid import uuid4

import httpx
import pytest
from redis import Redis

from app import windows
from app.embedded.ports import free_port
from app.windows import Charge, Counted, LocalWindows
from tests.api.running_api import Api, check_problem
from tests.keys import make_key
from tests.waiting import PATIENCE_SECONDS, until

WINDOW = 3600
FIELD = re.compile(r'"key";r=(\d+);t=(\d+), "tenant";r=(\d+);t=(\d+)')
LIMITS = {"RATE_LIMIT_KEY": "6", "RATE_LIMIT_TENANT": "10", "RATE_WINDOW_SECONDS": str(WINDOW)}

Ask = Callable[[int], httpx.Response]


@pytest.fixture(scope="module")
def own_broker(broker_url: str) -> str:
    """A Valkey database that only this module's counts are in."""
    return broker_url.rpartition("/")[0] + "/6"


@pytest.fixture(scope="module")
def shared(start_api: Callable[..., Api], own_broker: str) -> Api:
    patient = {"RATE_LIMIT_PATIENCE_SECONDS": "30"}  # a stall would let more requests pass
    return start_api(own_broker, RECONCILE_SECONDS="3600", **LIMITS, **patient)


@pytest.fixture(scope="module")
def alone(start_api: Callable[..., Api]) -> Api:
    """Without any broker that answers."""
    return start_api(f"redis://127.0.0.1:{free_port()}/0", RECONCILE_SECONDS="3600", **LIMITS)


@pytest.fixture(params=["shared", "alone"])
def limited(request: pytest.FixtureRequest) -> Api:
    api: Api = request.getfixturevalue(request.param)
    return api


@contextmanager
def asking(api: Api) -> Iterator[Ask]:
    """With one of three keys that nobody has used: two of one tenant, one of another."""
    names = [f"{name} {uuid4()}" for name in "ab"]
    keys = [make_key(api.engine, names[place]) for place in (0, 0, 1)]
    with httpx.Client(base_url=api.client.base_url, timeout=PATIENCE_SECONDS) as client:
        yield lambda number: client.get("/v1/gates", headers={"Authorization": f"Bearer {keys[number]}"})


@pytest.fixture
def ask(limited: Api) -> Iterator[Ask]:
    with asking(limited) as send:
        yield send


def test_one_more_than_the_window_holds(ask: Ask) -> None:
    answers = [ask(0) for _ in range(8)]
    assert [answer.status_code for answer in answers] == [200] * 6 + [429] * 2
    for place, answer in enumerate(answers):
        assert answer.headers["ratelimit-policy"] == f'"key";q=6;w={WINDOW}, "tenant";q=10;w={WINDOW}'
        found = FIELD.fullmatch(answer.headers["ratelimit"])
        assert found
        assert (int(found[1]), int(found[3])) == (max(5 - place, 0), max(9 - place, 0))
        assert int(found[2]) <= WINDOW
    check_problem(answers[-1], 429, "rate-limited")
    assert 1 <= int(answers[-1].headers["retry-after"]) <= WINDOW


def test_a_burst(ask: Ask) -> None:
    with ThreadPoolExecutor(20) as pool:
        statuses = list(pool.map(ask, [0] * 20))
    assert sorted(statuses, key=lambda answer: answer.status_code)[5].status_code == 200
    assert sum(answer.status_code == 200 for answer in statuses) == 6


def test_many_keys_of_one_tenant(ask: Ask) -> None:
    answers = [ask(number) for number in (0, 1) * 6]
    assert sum(answer.status_code == 200 for answer in answers) == 10
    assert ask(2).status_code == 200


def test_who_has_no_key_is_told_nothing(limited: Api) -> None:
    with httpx.Client(base_url=limited.client.base_url, timeout=PATIENCE_SECONDS) as stranger:
        answer = stranger.get("/v1/gates")
        check_problem(answer, 401, "unauthenticated")
        assert "ratelimit" not in answer.headers
        assert "ratelimit" not in stranger.get("/livez").headers


def test_shared_counts_have_an_end(shared: Api, own_broker: str) -> None:
    """The broker forgets each of them at the time that the refused are told; then they start anew."""
    with Redis.from_url(own_broker) as redis, asking(shared) as ask:
        redis.flushdb()
        refused = [ask(0) for _ in range(7)][-1]
        assert refused.status_code == 429
        counts = redis.keys("salience_audit:window:requests:*")
        assert len(counts) == 2
        left = [redis.pttl(name) for name in counts]
        assert all(0 < milliseconds <= WINDOW * 1000 for milliseconds in left)
        assert min(left) <= int(refused.headers["retry-after"]) * 1000
        assert all(redis.pexpire(name, 1) for name in counts)
        until(lambda: not redis.keys("salience_audit:window:requests:*"))
        assert ask(0).status_code == 200


def counted(counts: LocalWindows, name: str) -> Counted:
    """With one request more."""
    (found,) = counts.add([Charge(name, (1,))])
    return found


def test_own_counts_have_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(windows, "time", SimpleNamespace(monotonic=lambda: now))
    own = LocalWindows(WINDOW)
    assert counted(own, "a") == Counted((1,), WINDOW)
    now += WINDOW - 1
    assert (counted(own, "a"), counted(own, "b")) == (Counted((2,), 1), Counted((1,), WINDOW))
    now += 1
    assert (counted(own, "a"), counted(own, "b")) == (Counted((1,), WINDOW), Counted((2,), WINDOW - 1))


def test_no_window_is_longer_than_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor by rounding: 12960.25... + 3600 - 12960.25... is more than 3600."""
    now = 12960.252973056418
    assert now + WINDOW - now > WINDOW
    monkeypatch.setattr(windows, "time", SimpleNamespace(monotonic=lambda: now))
    assert counted(LocalWindows(WINDOW), "a") == Counted((1,), WINDOW)


def test_own_counts_that_ended_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(windows, "time", SimpleNamespace(monotonic=lambda: now))
    monkeypatch.setattr(windows, "MOST_WINDOWS", 2)
    own = LocalWindows(WINDOW)
    for name in "ab":
        counted(own, name)
    now += WINDOW
    counted(own, "c")
    assert list(own._windows) == ["c"]
