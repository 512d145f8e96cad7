"""The worker process: its Celery application and what it holds from start to end."""

import logging
import os
import socket
import threading
from functools import lru_cache
from typing import Any

from celery import Celery, signals

from app.periodic import Periodic
from app.queue import configure, listen_to
from app.settings import get_settings
from worker.lifecycle.context import WorkerContext
from worker.lifecycle.gpu_reports import GpuReporter
from worker.lifecycle.presence import presence_of
from worker.machine.device_class import device_class
from worker.sandbox.survey import SandboxUnavailable, require_layers

logger = logging.getLogger(__name__)

celery_app = configure(Celery("salience_audit"), get_settings().broker_url, get_settings().broker_ca_file)
celery_app.conf.include = ["worker.tasks", "worker.lifecycle.signals"]
listen_to(celery_app, device_class(get_settings().device))
_stopping = threading.Event()


@lru_cache(maxsize=1)
def worker_context() -> WorkerContext:
    """Made at the first use, kept to the end of the process."""
    return WorkerContext.from_settings(get_settings(), f"{socket.gethostname()}/{os.getpid()}", _stopping)


@lru_cache(maxsize=1)
def _presence() -> Periodic:
    return presence_of(worker_context())


@lru_cache(maxsize=1)
def _gpu_reporter() -> GpuReporter:
    return GpuReporter(worker_context())


def _check_sandbox(**_: Any) -> None:
    """Before anything is taken on. Ends the process where models could not be run in the sandbox."""
    try:
        missing = require_layers(get_settings().allow_missing_sandbox_layers)
    except SandboxUnavailable as error:
        logger.critical("%s", error)
        raise SystemExit(1) from error
    for layer, why in missing.items():
        logger.warning("models run without the sandbox layer %s, as ALLOW_MISSING_SANDBOX_LAYERS says (%s)", layer, why)


def _come(**_: Any) -> None:
    """The child imports torch while the first message is on its way."""
    worker_context().children.prepare()
    _presence().start()
    _gpu_reporter().start()


def _stop(**_: Any) -> None:
    """A signal handler, in the middle of whatever runs: it only leaves a note."""
    _stopping.set()


def _go(**_: Any) -> None:
    _presence().stop()
    _gpu_reporter().stop()
    worker_context().close()


signals.worker_init.connect(_check_sandbox)
signals.worker_ready.connect(_come)
signals.worker_shutting_down.connect(_stop)
signals.worker_shutdown.connect(_go)
