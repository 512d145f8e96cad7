"""BROKER_URL is read once: whoever verifies a certificate, all do; whoever reaches the broker, all do."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from celery import Celery

from app.access.rate_limits import RateLimiter
from app.broker import Broker, BrokerUrlInvalid
from app.errors import Unavailable
from app.queue import QUEUE_NAME, TaskName, TaskQueue, configure
from app.settings import Settings
from app.windows import Charge
from tests.broker.certificates import Certificates, make_certificates
from tests.broker.tls_door import tls_door


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def secure_url(broker_url: str, certificates: Certificates) -> Iterator[Callable[[str, str], str]]:
    """Of the tests' broker behind TLS, by scheme and host."""
    clear = urlsplit(broker_url)
    with tls_door(certificates, clear.port or 0) as port:
        yield lambda scheme, host: f"{scheme}://:{clear.password}@{host}:{port}/0"


def use_all_parts(url: str, ca_file: str | None = None) -> list[bool]:
    """Whether each gets through: readiness, sender, worker, rate limits."""
    queue = TaskQueue(url, ca_file)
    before = queue.depth_of(QUEUE_NAME) if _works(queue.ping) else 0
    reached = [_works(queue.ping), _works(lambda: queue.send(TaskName.COMPARE_AUDITS, uuid4()))]
    assert not reached[1] or queue.depth_of(QUEUE_NAME) == before + 1
    queue.close()
    worker = configure(Celery("worker", set_as_current=False), url, ca_file)
    connect = {"max_retries": 1, "interval_start": 0, "timeout": 4}
    reached.append(_works(lambda: worker.connection().ensure_connection(**connect)))
    settings = Settings(broker_url=url, broker_ca_file=ca_file, rate_limit_patience_seconds=5)
    with ThreadPoolExecutor(1) as thread:
        limiter = RateLimiter(thread, settings)
        reached.append(_works(lambda: limiter._windows.add_shared([Charge(f"test:{uuid4()}", (1,))])))
        limiter.close()
    return reached


def _works(use: Callable[[], object]) -> bool:
    try:
        use()
    except (Unavailable, OSError, Exception):  # noqa: BLE001 - each part has an error of its own
        return False
    return True


@pytest.mark.parametrize("scheme", ["rediss", "valkeys"])
def test_certificates_are_verified(
    scheme: str, secure_url: Callable[[str, str], str], certificates: Certificates, tmp_path: Path
) -> None:
    url, authority = secure_url(scheme, "localhost"), str(certificates.authority)
    assert use_all_parts(url) == [False] * 4
    assert use_all_parts(url, authority) == [True] * 4
    assert use_all_parts(f"{url}?ssl_cert_reqs=CERT_REQUIRED&ssl_ca_certs={authority}") == [True] * 4
    assert use_all_parts(f"{url}?ssl_cert_reqs=none") == [True] * 4
    other_name = secure_url(scheme, "127.0.0.1")
    assert use_all_parts(other_name, authority) == [False] * 4
    assert use_all_parts(f"{other_name}?ssl_check_hostname=false", authority) == [True] * 4
    with pytest.raises(BrokerUrlInvalid, match="name the authority that signed it in BROKER_CA_FILE"):
        Broker.read(url).check()


def test_valkey_is_another_word_for_redis(broker_url: str) -> None:
    assert use_all_parts(broker_url.replace("redis://", "valkey://")) == [True] * 4


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("nonsense", "BROKER_URL has the form"),
        ("amqp://localhost", "BROKER_URL has the form"),
        ("redis://localhost:port/0", "BROKER_URL has the form"),
        ("rediss://localhost?ssl_cert_reqs=maybe", "one of none, optional, required"),
        ("rediss://localhost?ssl_ca_certs=/nowhere.pem", "no file /nowhere.pem"),
        ("rediss://localhost?ssl_magic=1", "unknown option ssl_magic"),
    ],
)
def test_what_cannot_be_read_is_told(url: str, why: str) -> None:
    with pytest.raises(BrokerUrlInvalid, match=why):
        TaskQueue(url)


def test_what_waiting_does_not_mend(broker_url: str) -> None:
    with pytest.raises(BrokerUrlInvalid, match="the user or the password"):
        Broker.read(broker_url.replace("redis://:", "redis://:wrong")).check()
    Broker.read("redis://127.0.0.1:1/0").check()
