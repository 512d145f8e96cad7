"""Which service a command speaks to, and how it answers."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from app.commands.output import refuse, show
from salience_audit import Client, ClientError

PANEL = "Service"
FOUND = "else SALIENCE_AUDIT_URL, the configuration file, or the service that runs in data/serve."


@dataclass(frozen=True)
class Link:
    """The options of every command that speaks to a service."""

    url: Annotated[str | None, typer.Option(help=f"Its address; {FOUND}", rich_help_panel=PANEL)] = None
    api_key: Annotated[
        str | None, typer.Option(help="Else SALIENCE_AUDIT_API_KEY, or the file's.", rich_help_panel=PANEL)
    ] = None
    config: Annotated[
        Path | None,
        typer.Option(
            help="TOML with url and api_key; else SALIENCE_AUDIT_CONFIG, or ~/.config/salience-audit/config.toml.",
            rich_help_panel=PANEL,
        ),
    ] = None
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False

    @contextmanager
    def client(self) -> Iterator[Client]:
        """A refusal is told, and the exit status is 3."""
        try:
            with Client(self.url, self.api_key, config=self.config) as client:
                yield client
        except ClientError as error:
            raise refuse(error, as_json=self.as_json) from None

    def show(self, document: Any, *tables: RenderableType) -> None:
        show(document, list(tables), as_json=self.as_json)
