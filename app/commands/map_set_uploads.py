"""``salience-audit map-sets``."""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from app.commands.bundles import with_bundles
from app.commands.connecting import Link
from app.commands.group import ClientGroup, ExitStatus
from app.commands.model_uploads import Limit
from app.commands.named import add_commands
from app.commands.output import note
from app.commands.progress import upload_bar
from app.commands.tables import Columns, record, table
from app.domain.vocabulary import MapSetKind
from salience_audit.errors import Json

map_sets = typer.Typer(
    cls=ClientGroup, no_args_is_help=True, help="Map sets: maps of people, of their gaze, or of another tool."
)

COLUMNS: Columns = {
    "id": lambda map_set: map_set["id"],
    "name": lambda map_set: map_set["name"],
    "version": lambda map_set: map_set["version"],
    "kind": lambda map_set: map_set["kind"],
    "status": lambda map_set: map_set["status"],
    "maps": lambda map_set: map_set["map_count"],
    "without": lambda map_set: map_set["unreadable_count"],
    "created": lambda map_set: map_set["created_at"][:19],
}


@dataclass(frozen=True)
class MapSetDescription:
    """What is said of a map set beside its maps."""

    dataset: Annotated[str, typer.Option(help="Id or name of the data set whose samples they are of.")]
    kind: Annotated[MapSetKind, typer.Option(help="Whose maps they are.")]
    name: Annotated[str | None, typer.Option(help="Unset: the file's name.")] = None
    sigma: Annotated[
        float | None, typer.Option(min=0, help="Of the Gaussian that a fixation becomes, in pixels of the image.")
    ] = None

    def document(self, source: Path) -> Json:
        said = {"name": self.name or source.resolve().stem, "kind": self.kind.value, "sigma": self.sigma}
        return {name: value for name, value in said.items() if value is not None}


@map_sets.command()
@with_bundles
def push(
    source: Annotated[Path, typer.Argument(help="A zip, tar or npz file, or a folder.", metavar="FILE|FOLDER")],
    link: Link,
    description: MapSetDescription,
) -> None:
    """Register a map set, send its maps (a folder is zipped on the way), and wait until they are read.

    One map a sample, by the sample's name with or without its ending. Where something in the folder could not be sent,
    the exit status is 3.
    """
    with link.client() as client, upload_bar(source.name) as progress:
        dataset_id = client.find("datasets", description.dataset)
        said = description.document(source)
        made = client.push_map_set(source, dataset_id=dataset_id, description=said, progress=progress)
    link.show(made, record(made, COLUMNS))
    for told in made["notes"]:
        note(told)
    if made.get("left_out"):
        raise typer.Exit(ExitStatus.NO_VERDICT)


@map_sets.command("list")
@with_bundles
def show_all(link: Link, limit: Limit = 50) -> None:
    """List map sets."""
    with link.client() as client:
        found = list(islice(client.map_sets(), limit))
    link.show(found, table("Map sets", found, COLUMNS))


add_commands(map_sets, "map-sets", COLUMNS)
