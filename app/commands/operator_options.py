"""A transaction against the service that an operator means, and what is told of it."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.access.secret import with_secret
from app.access.service import KeySigner
from app.commands.output import show
from app.db.faults import told
from app.db.session import make_engine, transaction
from app.errors import SalienceError
from app.server_file import settings_of


@dataclass(frozen=True)
class OperatorOptions:
    """The options of every command of whoever runs the service."""

    data: Annotated[
        Path, typer.Option(help="Folder of the service: where it runs, and its secret; or set DATABASE_URL.")
    ] = Path("data/serve")
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False

    @contextmanager
    def opened(self) -> Iterator[tuple[Session, KeySigner]]:
        """A transaction and what makes keys; a refusal is told in a line, and the exit status is 1."""
        engine = None
        try:
            settings = with_secret(settings_of(self.data), self.data)
            engine = make_engine(settings.database_url)
            with transaction(engine) as session:
                yield session, KeySigner.of(settings)
        except SalienceError as error:
            raise self._refuse(error.code, error.detail) from None
        except SQLAlchemyError as error:
            raise self._refuse("database-unavailable", told(error)) from None
        finally:
            if engine is not None:
                engine.dispose()

    def show(self, document: Any, lines: Sequence[str] = ()) -> None:
        """The document, or the lines that tell the same to people and scripts, as they stand."""
        if self.as_json:
            show(document, [], as_json=True)
            return
        sys.stdout.write("".join(f"{line}\n" for line in lines))

    def _refuse(self, code: str, why: str) -> typer.Exit:
        if self.as_json:
            show({"error": {"code": code, "detail": why}}, [], as_json=True)
        sys.stderr.write(f"{why}\n")
        return typer.Exit(1)


def checked_name(tenant: str) -> str:
    """A tenant's. Raises SalienceError."""
    if not tenant.strip() or len(tenant) > 100 or not tenant.isprintable():
        raise SalienceError("bad-tenant", "A tenant's name has 1 to 100 printable characters.")
    return tenant
