"""The worker process: its Celery application and what it holds from start to end."""

import os
import socket
from functools import lru_cache

from celery import Celery, signals

from app.queue import configure, listen_to
from app.settings import get_settings
from worker.context import WorkerContext
from worker.presence import Presence
from worker.runtime.device import device_class_of, keep_heap, pick_device, use_threads

celery_app = configure(Celery("salience_audit"), get_settings().broker_url)
celery_app.conf.include = ["worker.tasks"]
listen_to(celery_app, device_class_of(pick_device(get_settings().device)))


@lru_cache(maxsize=1)
def worker_context() -> WorkerContext:
    """Made once, kept to the end of the process."""
    settings = get_settings()
    keep_heap()
    use_threads(settings.threads)
    return WorkerContext.from_settings(settings, f"{socket.gethostname()}/{os.getpid()}")


@lru_cache(maxsize=1)
def _presence() -> Presence:
    return Presence(worker_context())


@signals.worker_ready.connect
def _come(**_facts: object) -> None:
    _presence().start()


@signals.worker_shutdown.connect
def _go(**_facts: object) -> None:
    _presence().stop()
