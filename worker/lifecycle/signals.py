"""What Celery tells about its worker and its tasks: when to set up logs and traces, and whose work it is."""

from contextlib import ExitStack
from typing import Any

from celery import Task
from celery.signals import celeryd_init, setup_logging, task_postrun, task_prerun, worker_shutdown

from app.observability.log_context import IDS, bind, bound, current_ids
from app.observability.logs import configure_logging
from app.observability.tracing import Span, span, start_tracing, stop_tracing
from app.queue import TaskName
from app.settings import get_settings

SUBJECTS = {
    TaskName.VALIDATE_MODEL: ("model_id", "validate"),
    TaskName.CHECK_REFERENCE: ("model_id", "reference"),
    TaskName.INDEX_DATASET: ("dataset_id", "index"),
    TaskName.REDUCE_AUDIT: ("audit_id", "reduce"),
    TaskName.COMPARE_AUDITS: ("comparison_id", "compare"),
}
"""What a task's argument identifies, and its span. A shard's message is a wake-up: see worker.shards.trace."""

OF_WAKE_UPS = ("request_id",)
"""What holds of a wake-up: who sent it. The shard that is next in fair order may be another audit's."""

_open: dict[str, tuple[ExitStack, Span | None]] = {}
"""By task id: what was opened before a task and is to be closed after it."""


@celeryd_init.connect
def _start(**_: Any) -> None:
    configure_logging(get_settings())
    start_tracing(get_settings(), "worker")


@setup_logging.connect
def _leave_logging(**_: Any) -> None:
    """Celery sets up no logging of its own as soon as anybody listens to this."""


@worker_shutdown.connect
def _stop(**_: Any) -> None:
    stop_tracing()


@task_prerun.connect
def _begin(task_id: str, task: Task, args: list[Any], **_: Any) -> None:
    """The request that caused the task is named in its message's headers."""
    headers = {name: value for name, value in (task.request.headers or {}).items() if isinstance(value, str)}
    stack = ExitStack()
    names = IDS if task.name in SUBJECTS else OF_WAKE_UPS
    stack.enter_context(bound(**{name: headers[name] for name in names if name in headers}))
    bind(task_id=task_id)
    traced = None
    if task.name in SUBJECTS:
        subject, work = SUBJECTS[TaskName(task.name)]
        bind(**{subject: args[0]})
        traced = stack.enter_context(span(work, current_ids(), parent=headers))
    _open[task_id] = (stack, traced)


@task_postrun.connect
def _end(task_id: str, state: str | None = None, **_: Any) -> None:
    stack, traced = _open.pop(task_id)
    if traced is not None and state not in {"SUCCESS", "RETRY", None}:
        traced.fail(str(state))
    stack.close()
