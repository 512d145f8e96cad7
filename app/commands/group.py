"""Exit statuses: what a job reads of a verdict must never come of anything else."""

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

EXIT_STATUS = (
    "Exit status: 0 the gate passed, or the audit succeeded and names no gate; 1 the gate failed; 2 it is inconclusive;"
    " 3 there is no verdict: the audit failed or was cancelled, the service refused or could not be reached, or the"
    " command was misused; 130 Ctrl-C, and the audit goes on."
)


class ExitStatus(IntEnum):
    """Of every command that speaks to a service."""

    DONE = 0
    GATE_FAILED = 1
    GATE_INCONCLUSIVE = 2
    NO_VERDICT = 3
    INTERRUPTED = 130


class CarefulGroup(TyperGroup):
    """A misuse exits with 3, where Typer would say 2."""

    def make_context(self, *arguments: Any, **options: Any) -> Any:
        with _misuse():
            return super().make_context(*arguments, **options)

    def invoke(self, ctx: Any) -> Any:
        with _misuse():
            return super().invoke(ctx)


class ClientGroup(CarefulGroup):
    """So does a bug of ours, where Python would say 1."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (TyperException, typer.Exit, typer.Abort):
            raise
        except Exception:  # noqa: BLE001 - whatever it is, it is no verdict
            sys.stderr.write(traceback.format_exc())
            raise typer.Exit(ExitStatus.NO_VERDICT) from None


@contextmanager
def _misuse() -> Iterator[None]:
    try:
        yield
    except TyperException as error:
        error.exit_code = ExitStatus.NO_VERDICT
        raise
