"""Sends work by task name; the only Celery import in app.

Postgres is the truth and the broker only wakes workers: a message that is lost is sent again by the reconciler.
"""

from enum import StrEnum
from typing import Any
from uuid import UUID

from celery import Celery
from kombu.entity import Exchange, Queue
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from app.broker import Broker
from app.domain.problems.service import BROKER_AWAY
from app.domain.vocabulary import DeviceClass
from app.observability.log_context import current_ids
from app.observability.tracing import trace_headers

QUEUE_NAME = "salience_audit"
"""What any worker can do; shards have a queue per device class."""

MAX_WAKE_UPS = 1000
"""Messages that wait for one queue's shards at most; the reconciler sends the rest as they are answered."""


PING_SECONDS = 5.0


class TaskName(StrEnum):
    """The worker's Celery tasks, by their names."""

    VALIDATE_MODEL = "validate_model"
    INDEX_DATASET = "index_dataset"
    RUN_SHARD = "run_shard"
    REDUCE_AUDIT = "reduce_audit"
    COMPARE_AUDITS = "compare_audits"
    CHECK_REFERENCE = "check_reference"
    RESCORE_AUDIT = "rescore_audit"
    ARCHIVE_VIEWS = "archive_views"
    READ_MAP_SET = "read_map_set"


# Lower comes first: somebody waits for an upload to become ready, and a finished audit is better than a begun one.
PRIORITIES = {
    TaskName.REDUCE_AUDIT: 0,
    TaskName.VALIDATE_MODEL: 0,
    TaskName.INDEX_DATASET: 3,
    TaskName.COMPARE_AUDITS: 3,
    TaskName.CHECK_REFERENCE: 3,
    TaskName.RESCORE_AUDIT: 3,
    TaskName.ARCHIVE_VIEWS: 3,
    TaskName.READ_MAP_SET: 3,
    TaskName.RUN_SHARD: 6,
}
PRIORITY_STEPS = sorted(set(PRIORITIES.values()))


def shard_queue(device_class: DeviceClass) -> str:
    """Where the shards of audits on that device class are announced."""
    return f"{QUEUE_NAME}.{device_class}"


QUEUES = (QUEUE_NAME, *map(shard_queue, DeviceClass))


def configure(celery: Celery, broker_url: str, ca_file: str | None = None) -> Celery:
    """The settings that sender and worker must agree on: JSON only, late acks, no results, quick redelivery.

    Raises BrokerUrlInvalid.
    """
    broker = Broker.read(broker_url, ca_file)
    celery.conf.update(
        broker_url=broker.url,
        broker_use_ssl=dict(broker.tls) or None,
        broker_connection_retry_on_startup=True,
        broker_transport_options={
            "visibility_timeout": 3600,
            "queue_order_strategy": "priority",
            "priority_steps": PRIORITY_STEPS,
            "sep": ":",
            "unacked_restore_interval": 1,
            "unacked_restore_throttle": 1,
            "socket_timeout": 10,
            "socket_connect_timeout": 5,
            # Read by nobody: kombu shares connections between senders whose addresses and options are equal, and
            # forgets TLS when it compares.
            "tls": dict(broker.tls),
            # No retry_on_timeout: redis-py would reconnect to a broker that came back within the moment, and the
            # worker would wait for ever on a new line for the rest of an old answer.
        },
        task_default_queue=QUEUE_NAME,
        task_serializer="json",
        accept_content=["json"],
        task_acks_late=True,
        task_reject_on_worker_lost=False,
        task_ignore_result=True,
        result_backend=None,
        worker_prefetch_multiplier=1,
        worker_pool="solo",
        worker_hijack_root_logger=False,
        task_publish_retry_policy={"max_retries": 2, "interval_start": 0.1, "interval_step": 0.2},
    )
    return celery


def listen_to(celery: Celery, device_class: DeviceClass) -> None:
    """A worker's queues: what any worker can do, and the shards of its device class."""
    names = (QUEUE_NAME, shard_queue(device_class))
    celery.conf.task_queues = [_queue(name) for name in names]


def _queue(name: str) -> Any:
    # Spelt out, or Celery would bind both queues to its default key and every message would go to both.
    exchange = Exchange(name)  # type: ignore[no-untyped-call]
    return Queue(name, exchange, routing_key=name)  # type: ignore[no-untyped-call]


class TaskQueue:
    """The sending end of the broker."""

    def __init__(self, broker_url: str, ca_file: str | None = None) -> None:
        """Raises BrokerUrlInvalid."""
        self._celery = configure(Celery("salience_audit", set_as_current=False), broker_url, ca_file)
        self._redis = Broker.read(broker_url, ca_file).client(PING_SECONDS)

    def send(self, task: TaskName, resource_id: UUID) -> None:
        """Wake a worker. Raises Unavailable while the broker is away."""
        self._send(task, QUEUE_NAME, [str(resource_id)])

    def wake_for_shards(self, device_class: DeviceClass, count: int) -> None:
        """Say so many times that there is a shard to run: the worker finds the next one in fair order itself.

        Raises Unavailable while the broker is away.
        """
        for _ in range(min(count, MAX_WAKE_UPS)):
            self._send(TaskName.RUN_SHARD, shard_queue(device_class), [])

    def _send(self, task: TaskName, queue: str, arguments: list[str]) -> None:
        """The sender's ids and trace go along."""
        options = {"queue": queue, "priority": PRIORITIES[task], "headers": current_ids() | trace_headers()}
        try:
            self._celery.send_task(task.value, args=arguments, **options)
        except (OperationalError, RedisError, OSError) as error:
            raise BROKER_AWAY.error() from error

    def ping(self) -> None:
        """Raises Unavailable while the broker is away."""
        try:
            self._redis.ping()
        except (RedisError, OSError) as error:
            raise BROKER_AWAY.error() from error

    def depth(self) -> int:
        """Messages that wait, in all queues. Raises Unavailable while the broker is away."""
        return sum(self.depths().values())

    def depths(self) -> dict[str, int]:
        """Messages that wait, by queue. Raises Unavailable while the broker is away."""
        return {queue: self.depth_of(queue) for queue in QUEUES}

    def depth_of(self, queue: str) -> int:
        """Messages that wait there, in all priorities. Raises Unavailable while the broker is away."""
        names = [queue if step == 0 else f"{queue}:{step}" for step in PRIORITY_STEPS]
        try:
            return sum(int(self._redis.llen(name)) for name in names)
        except (RedisError, OSError) as error:
            raise BROKER_AWAY.error() from error

    def close(self) -> None:
        self._celery.close()
        self._redis.close()
