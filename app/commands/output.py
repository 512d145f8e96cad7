"""What a command says: one JSON document or tables on standard output, everything else on standard error."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import typer
from rich.console import Console, RenderableType

from app.commands.group import ExitStatus
from salience_audit.errors import ApiError, ClientError, UnreadableFile

PIPE_COLUMNS = 200

HINTS = {
    "unreachable": "Start it with `salience-audit serve`, or ask `salience-audit doctor` what is wrong.",
    "unauthenticated": "Name a key: --api-key, SALIENCE_AUDIT_API_KEY, or api_key in the configuration file.",
    "insufficient-scope": "Make a key that may: `salience-audit keys create --scope audit:write ...`.",
}


class _Console(Console):
    """Rich would end the program with 1 where nobody reads any more, and 1 is a verdict."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def show(document: Any, tables: list[RenderableType], *, as_json: bool) -> None:
    """The document, or the tables that tell the same to people; whoever stops reading changes no exit status."""
    try:
        _write(document, tables, as_json=as_json)
        sys.stdout.flush()
    except BrokenPipeError:
        # Python's own flush at the end would fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _write(document: Any, tables: list[RenderableType], *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
        return
    console = _Console(width=None if sys.stdout.isatty() else PIPE_COLUMNS)
    for table in tables:
        console.print(table)


def write_file(path: Path, content: bytes, *, append: bool = False) -> None:
    """Raises UnreadableFile."""
    try:
        with path.open("ab" if append else "wb") as file:
            file.write(content)
    except OSError as error:
        raise UnreadableFile("unwritable-file", f"{path} cannot be written: {error.strerror}.") from None


def note(text: str) -> None:
    """A line for people."""
    Console(stderr=True).print(printable(text), markup=False, highlight=False, soft_wrap=True)


def refuse(error: ClientError, *, as_json: bool) -> typer.Exit:
    """Say what is wrong, where, and what to do; the exit to raise."""
    if as_json:
        show({"error": error.to_json()}, [], as_json=True)
    note(error.detail)
    if isinstance(error, ApiError):
        for fault in error.errors:
            note(f"  {'.'.join(map(str, fault['loc']))}: {fault['msg']}")
        if error.status >= 500:
            note(f"  {error.code}, request {error.request_id}")
    if error.code in HINTS:
        note(HINTS[error.code])
    return typer.Exit(ExitStatus.NO_VERDICT)


def printable(text: str) -> str:
    """Without what a terminal would obey: names are other people's text."""
    return "".join(letter if letter.isprintable() or letter == "\n" else "�" for letter in text)
