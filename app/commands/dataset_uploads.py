"""``salience-audit datasets``."""

from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from app.commands.bundles import with_bundles
from app.commands.connecting import Link
from app.commands.group import ClientGroup
from app.commands.model_uploads import Limit
from app.commands.named import add_commands
from app.commands.progress import upload_bar
from app.commands.tables import Columns, record, table

datasets = typer.Typer(cls=ClientGroup, no_args_is_help=True, help="Data sets: labelled images.")

COLUMNS: Columns = {
    "id": lambda dataset: dataset["id"],
    "name": lambda dataset: dataset["name"],
    "version": lambda dataset: dataset["version"],
    "status": lambda dataset: dataset["status"],
    "samples": lambda dataset: dataset["sample_count"],
    "unreadable": lambda dataset: dataset["unreadable_count"],
    "labels": lambda dataset: ", ".join(dataset["labels"]),
    "created": lambda dataset: dataset["created_at"][:19],
}


@datasets.command()
@with_bundles
def push(
    source: Annotated[Path, typer.Argument(help="A zip, tar or tar.gz file, or a folder.", metavar="FILE|FOLDER")],
    link: Link,
    name: Annotated[str | None, typer.Option(help="Unset: the file's name.")] = None,
) -> None:
    """Register a data set, send its archive (a folder is zipped on the way), and wait until it is indexed.

    Folders are labels: label/file or label/source/file.
    """
    with link.client() as client, upload_bar(source.name) as progress:
        dataset = client.push_dataset(source, name=name or source.resolve().stem, progress=progress)
    link.show(dataset, record(dataset, COLUMNS))


@datasets.command("list")
@with_bundles
def show_all(link: Link, limit: Limit = 50) -> None:
    """List data sets."""
    with link.client() as client:
        found = list(islice(client.datasets(), limit))
    link.show(found, table("Data sets", found, COLUMNS))


add_commands(datasets, "datasets", COLUMNS)
