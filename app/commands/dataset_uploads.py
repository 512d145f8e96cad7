"""``salience-audit datasets``."""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from app.commands.bundles import with_bundles
from app.commands.connecting import Link
from app.commands.documents import LABEL_MAP_HELP, label_map_of, read_document
from app.commands.group import ClientGroup
from app.commands.model_uploads import Limit
from app.commands.named import add_commands, show_sent
from app.commands.progress import upload_bar
from app.commands.tables import Columns, table
from salience_audit.errors import Json

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


@dataclass(frozen=True)
class DatasetDescription:
    """What is said of a data set beside its archive."""

    name: Annotated[str | None, typer.Option(help="Unset: the file's name.")] = None
    columns: Annotated[
        Path | None, typer.Option(help="JSON: which columns of the manifest are what, as in POST /v1/datasets.")
    ] = None
    label_map: Annotated[str | None, typer.Option(help=LABEL_MAP_HELP)] = None
    name_encoding: Annotated[str | None, typer.Option(help="Of names in the archive that do not say theirs.")] = None

    def document(self) -> Json:
        """Raises UnreadableFile."""
        columns = None if self.columns is None else read_document(self.columns)
        said = {"columns": columns, "label_map": label_map_of(self.label_map), "name_encoding": self.name_encoding}
        return {name: value for name, value in said.items() if value is not None}


@datasets.command()
@with_bundles
def push(
    source: Annotated[Path, typer.Argument(help="A zip, tar or tar.gz file, or a folder.", metavar="FILE|FOLDER")],
    link: Link,
    description: DatasetDescription,
) -> None:
    """Register a data set, send its archive (a folder is zipped on the way), and wait until it is indexed.

    Folders are labels: label/file or label/source/file. Where something in the folder could not be sent, the exit
    status is 3.
    """
    with link.client() as client, upload_bar(source.name) as progress:
        said, name = description.document(), description.name or source.resolve().stem
        dataset = client.push_dataset(source, name=name, progress=progress, description=said)
    show_sent(link, dataset, COLUMNS)


@datasets.command("list")
@with_bundles
def show_all(link: Link, limit: Limit = 50) -> None:
    """List data sets."""
    with link.client() as client:
        found = list(islice(client.datasets(), limit))
    link.show(found, table("Data sets", found, COLUMNS))


add_commands(datasets, "datasets", COLUMNS)
