"""Bars for uploads and audits, on standard error; where that is no terminal, a line now and then."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TransferSpeedColumn

from app.commands.output import note
from salience_audit import Event


@contextmanager
def upload_bar(name: str) -> Iterator[Callable[[int, int], None]]:
    """Is told the bytes sent and to be sent; then the worker looks into them."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(f"Sending {name}", total=None)

        def show(sent: int, total: int) -> None:
            doing = "Sending" if sent < total else "Sent, the worker looks into"
            progress.update(task, completed=sent, total=total, description=f"{doing} {name}")

        yield show


@contextmanager
def audit_bar(audit_id: str) -> Iterator[Callable[[Event], None]]:
    """Is told the audit's events."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda event: _line(audit_id, event)
        return
    note(f"Audit {audit_id}")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[speed]}"))
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("queued", total=None, speed="")

        def show(event: Event) -> None:
            if event.name == "progress":
                done, total = event.data["done"], event.data["total"]
                progress.update(task, completed=done, total=total, speed=_speed(event))
            elif event.name == "note":
                progress.console.print(_told(event), markup=False, highlight=False)
            else:
                progress.update(task, description=event.data["status"])

        yield show


def _line(audit_id: str, event: Event) -> None:
    if event.name == "status":
        note(f"Audit {audit_id} {event.data['status']}")
    elif event.name == "note":
        note(_told(event))
    elif event.name == "progress":
        note(f"{event.data['done']} of {event.data['total']} samples {_speed(event)}".rstrip())


def _told(event: Event) -> str:
    """Of workers that were lost while the audit waited or ran."""
    return event.data["note"] or "A worker is there again."


def _speed(event: Event) -> str:
    speed, left = event.data["samples_per_second"], event.data["eta_seconds"]
    words = [] if speed is None else [f"{speed:.1f} samples/s"]
    return ", ".join(words if left is None else [*words, f"{timedelta(seconds=round(left))} left"])
