"""``salience-audit map-sets``."""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from app.commands.bundles import with_bundles
from app.commands.connecting import Link
from app.commands.group import ClientGroup
from app.commands.model_uploads import Limit, given, read_size
from app.commands.named import add_commands, show_sent
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

    input_size: Annotated[
        str | None,
        typer.Option(help="Of maps of the images that audits hand out: their side, or HEIGHT,WIDTH.", metavar="SIZE"),
    ] = None

    def document(self, name: str) -> Json:
        said: Json = {"name": self.name or name, "kind": self.kind.value, "sigma": self.sigma}
        return given(said | {"input_size": read_size(self.input_size)})


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
        said = description.document(source.resolve().stem)
        made = client.push_map_set(source, dataset_id=dataset_id, description=said, progress=progress)
    show_sent(link, made, COLUMNS)


@map_sets.command()
@with_bundles
def register(link: Link, description: MapSetDescription) -> None:
    """Register a map set whose maps are still to be made: an audit of it hands out the images (audits views)."""
    with link.client() as client:
        dataset_id = client.find("datasets", description.dataset)
        made = client.register_map_set(dataset_id=dataset_id, description=description.document("maps"))
    link.show(made, record(made, COLUMNS))


@map_sets.command()
@with_bundles
def fill(
    map_set: Annotated[str, typer.Argument(help="Its id or name.")],
    source: Annotated[Path, typer.Argument(help="A zip, tar or npz file, or a folder.", metavar="FILE|FOLDER")],
    link: Link,
) -> None:
    """Send the maps of a registered map set, with the manifests that came with the images; wait until they are read."""
    with link.client() as client, upload_bar(source.name) as progress:
        filled = client.fill_map_set(client.find("map-sets", map_set), source, progress=progress)
    show_sent(link, filled, COLUMNS)


@map_sets.command("list")
@with_bundles
def show_all(link: Link, limit: Limit = 50) -> None:
    """List map sets."""
    with link.client() as client:
        found = list(islice(client.map_sets(), limit))
    link.show(found, table("Map sets", found, COLUMNS))


add_commands(map_sets, "map-sets", COLUMNS)
