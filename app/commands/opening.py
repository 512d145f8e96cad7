"""A transaction against the service that an operator means."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.orm import Session

from app.access.secret import with_secret
from app.access.service import Mint
from app.db.session import make_engine, transaction
from app.errors import SalienceError
from app.server_file import settings_of

Data = Annotated[Path, typer.Option(help="Folder of the service: where it runs, and its secret; or set DATABASE_URL.")]
SERVED = Path("data/serve")


@contextmanager
def opened(data: Path) -> Iterator[tuple[Session, Mint]]:
    """A transaction and what makes keys; a refusal is told in a line, and the exit status is 1."""
    engine = None
    try:
        settings = with_secret(settings_of(data), data)
        engine = make_engine(settings.database_url)
        with transaction(engine) as session:
            yield session, Mint.of(settings)
    except SalienceError as error:
        _refuse(error.detail)
    except (OperationalError, ProgrammingError) as error:
        _refuse(f"{type(error).__name__}: start the service, or set DATABASE_URL; see salience-audit doctor.")
    finally:
        if engine is not None:
            engine.dispose()


def _refuse(why: str) -> None:
    sys.stderr.write(f"{why}\n")
    raise typer.Exit(1)


def checked_name(tenant: str) -> str:
    """A tenant's. Raises SalienceError."""
    if not tenant.strip() or len(tenant) > 100 or not tenant.isprintable():
        raise SalienceError("bad-tenant", "A tenant's name has 1 to 100 printable characters.")
    return tenant
