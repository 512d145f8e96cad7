"""The worker process: its Celery application and what it holds from start to end."""

import os
import socket
from functools import lru_cache

from celery import Celery

from app.queue import configure
from app.settings import get_settings
from worker.context import WorkerContext
from worker.runtime.device import keep_heap, use_threads

celery_app = configure(Celery("salience_audit"), get_settings().broker_url)
celery_app.conf.include = ["worker.tasks", "worker.celery_signals"]


@lru_cache(maxsize=1)
def worker_context() -> WorkerContext:
    """Made at the first task, kept to the end of the process."""
    settings = get_settings()
    keep_heap()
    use_threads(settings.threads)
    return WorkerContext.from_settings(settings, f"{socket.gethostname()}/{os.getpid()}")
