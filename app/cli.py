"""``salience-audit``: all its commands. Composition happens here, in main.py and in celery_app.py."""

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from app import __version__
from app.commands.nouns import NounsGroup
from app.errors import SalienceError
from app.observability.logs import configure_logging
from app.settings import SecretUnreadable, Settings, get_settings, settings_faults

HELP = "Tells whether what an image classifier looks at can be trusted: a service, and commands that speak to it."

cli = typer.Typer(cls=NounsGroup, no_args_is_help=True, add_completion=True, pretty_exceptions_enable=False, help=HELP)


def _tell_version(wanted: bool) -> None:  # noqa: FBT001 - what Typer calls
    if wanted:
        sys.stdout.write(f"salience-audit {__version__}\n")
        raise typer.Exit


@cli.callback()
def _options(
    version: Annotated[  # noqa: FBT002 - a flag
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    del version


class Part(StrEnum):
    """What ``serve --only`` can start."""

    API = "api"
    WORKER = "worker"


Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int, typer.Option(help="Port to listen on; 0 picks a free one.")]
Data = Annotated[Path, typer.Option(help="Folder of the embedded servers, the blobs and server.json.")]
Gpus = Annotated[
    str | None,
    typer.Option(help="One process for each GPU: all, how many (2), or which (0,1); ended ones are started again."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
OnlyPre = Annotated[
    bool, typer.Option("--pre", help="Only what processes of the version before go on running with; the rest later.")
]
Only = Annotated[Part | None, typer.Option(help="Start one part, against DATABASE_URL and BROKER_URL.")]


@cli.command()
def serve(host: Host = "127.0.0.1", port: Port = 8000, data: Data = Path("data/serve"), only: Only = None) -> None:
    """Start the service: its own Postgres and Valkey unless DATABASE_URL and BROKER_URL are set."""
    configure_logging(get_settings())
    if only is Part.WORKER:
        worker(None)
    elif only is Part.API:
        _serve_api(host, port, data)
    else:
        from app.embedded.service import run_service  # noqa: PLC0415 - the other parts need no embedded servers

        sys.exit(run_service(host, port, data.resolve()))


@cli.command()
def worker(gpus: Gpus = None) -> None:
    """Start one Celery worker against DATABASE_URL, BROKER_URL and BLOB_STORE, or one for each GPU."""
    from app.doctor.preflight import check_addresses  # noqa: PLC0415 - drivers of database and broker: half a second

    check_addresses(get_settings())
    if gpus is not None:
        from app.embedded.gpu_workers import run_gpu_workers  # noqa: PLC0415 - a single worker needs no supervisor

        configure_logging(get_settings())
        sys.exit(run_gpu_workers(gpus))
    # Several workers on a machine need names of their own to be told apart.
    named = ["--hostname", f"worker-{os.getpid()}@%h"]
    arguments = ["--loglevel", get_settings().log_level, "--pool", "solo", "--without-gossip", "--without-mingle"]
    # Quiet: no banner, so that a worker's output is its log and nothing else.
    program = [sys.executable, "-m", "celery", "--quiet", "--app", "worker.lifecycle.celery_app:celery_app"]
    command = [*program, "worker", *named, *arguments]
    os.execv(sys.executable, command)  # noqa: S606 - the same interpreter, fixed arguments


@cli.command()
def migrate(pre: OnlyPre = False) -> None:  # noqa: FBT002 - a flag
    """Bring the database at DATABASE_URL to the newest revision."""
    configure_logging(get_settings())
    from app.db.migrations import migrate as migrate_database  # noqa: PLC0415 - alembic is needed here alone
    from app.db.session import make_engine  # noqa: PLC0415

    engine = make_engine(get_settings().database_url)
    try:
        migrate_database(engine, only_pre=pre)
    finally:
        engine.dispose()


@cli.command()
def backup(
    folder: Annotated[Path, typer.Argument(help="Where to; a second backup there copies new blobs alone.")],
    data: Data = Path("data/serve"),
) -> None:
    """Save every row and every uploaded file of the service, while it runs or not."""
    from app.backup.commands import run_backup  # noqa: PLC0415 - needed by this command alone

    run_backup(data.resolve(), folder)


@cli.command()
def restore(
    folder: Annotated[Path, typer.Argument(help="A backup's.")],
    data: Data = Path("data/serve"),
) -> None:
    """Put a backup into an empty database and the blob store, and bring it to the newest revision."""
    from app.backup.commands import run_restore  # noqa: PLC0415 - needed by this command alone

    run_restore(data.resolve(), folder)


@cli.command()
def doctor(data: Data = Path("data/serve"), as_json: AsJson = False) -> None:  # noqa: FBT002 - a flag
    """Check every part that the service needs, and say what to do; exits with 1 where one fails."""
    from app.doctor.examination import run_doctor  # noqa: PLC0415 - its checks are needed by this command alone

    sys.exit(run_doctor(data.resolve(), as_json=as_json))


@cli.command()
def demo(data: Data = Path("data/demo"), as_json: AsJson = False) -> None:  # noqa: FBT002 - a flag
    """Audit two run groups of three models on real images, through the real API; print the table and the verdict."""
    from app.demo.runner import run_demo  # noqa: PLC0415 - HTTP client and tables are needed by this command alone

    sys.exit(run_demo(data.resolve(), as_json=as_json))


def _serve_api(host: str, port: int, data: Path) -> None:
    from app.access.startup import open_entrance  # noqa: PLC0415 - a worker has no keys
    from app.doctor.preflight import check_addresses  # noqa: PLC0415
    from app.http.server import run_server  # noqa: PLC0415 - a worker's image need not hold the API's packages
    from app.main import create_app  # noqa: PLC0415
    from app.server_file import ServerFile  # noqa: PLC0415

    file = ServerFile(data)
    try:
        check_addresses(get_settings())
        entrance = open_entrance(get_settings(), host, data)
        run_server(create_app(entrance.settings), host, port, lambda url: file.write(url, entrance.key))
    except SalienceError as error:
        sys.stderr.write(f"{error.detail}\n")
        sys.exit(1)
    finally:
        file.remove()


def main() -> None:
    """The entry point of the package."""
    try:
        cli()
    except ValidationError as error:
        if error.title != Settings.__name__:
            raise
        sys.stderr.write("".join(f"{fault}\n" for fault in settings_faults(error)))
        sys.exit(2)
    except SalienceError as error:
        sys.stderr.write(f"{error.detail}\n")
        sys.exit(1)
    except SecretUnreadable as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
    except Exception as error:
        if not (sentence := _database_fault(error)):
            raise
        sys.stderr.write(f"{sentence}\n")
        sys.exit(1)


def _database_fault(error: Exception) -> str | None:
    """In one sentence; None for what is no database's."""
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - most commands never load it

    from app.db.faults import told  # noqa: PLC0415

    return told(error) if isinstance(error, SQLAlchemyError) else None


if __name__ == "__main__":
    main()
