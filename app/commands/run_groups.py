"""``salience-audit run-groups``."""

from itertools import islice
from typing import Annotated

import typer

from app.commands.bundles import with_bundles
from app.commands.connecting import Link
from app.commands.group import ClientGroup
from app.commands.model_uploads import Limit
from app.commands.named import add_commands
from app.commands.tables import Columns, record, table

run_groups = typer.Typer(cls=ClientGroup, no_args_is_help=True, help="Run groups: models of one recipe.")

COLUMNS: Columns = {
    "id": lambda group: group["id"],
    "name": lambda group: group["name"],
    "models": lambda group: "\n".join(group["model_ids"]),
    "created": lambda group: group["created_at"][:19],
}


@run_groups.command()
@with_bundles
def create(
    name: Annotated[str, typer.Argument(help="Its name.")],
    model: Annotated[list[str], typer.Option(help="A model's id or name; two or more.")],
    link: Link,
) -> None:
    """Group models of one recipe that were trained independently: an audit of them measures stability."""
    with link.client() as client:
        group = client.create_run_group(name, [client.find("models", one) for one in model])
    link.show(group, record(group, COLUMNS))


@run_groups.command("list")
@with_bundles
def show_all(link: Link, limit: Limit = 50) -> None:
    """List run groups."""
    with link.client() as client:
        found = list(islice(client.run_groups(), limit))
    link.show(found, table("Run groups", found, COLUMNS))


add_commands(run_groups, "run-groups", COLUMNS)
