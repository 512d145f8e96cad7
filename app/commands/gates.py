"""``salience-audit gates``."""

from itertools import islice
from typing import Annotated

import typer

from app.commands.bundles import with_bundles
from app.commands.connecting import Link
from app.commands.group import ClientGroup
from app.commands.model_uploads import Limit
from app.commands.named import add_commands
from app.commands.tables import Columns, record, table

gates = typer.Typer(cls=ClientGroup, no_args_is_help=True, help="Gates: what an audit's numbers must be.")

COLUMNS: Columns = {
    "id": lambda gate: gate["id"],
    "name": lambda gate: gate["name"],
    "version": lambda gate: gate["version"],
    "conditions": lambda gate: "\n".join(gate["conditions"]),
    "created": lambda gate: gate["created_at"][:19],
}


@gates.command()
@with_bundles
def create(
    name: Annotated[str, typer.Argument(help="Its name.")],
    condition: Annotated[list[str], typer.Option(help="Such as 'entropy.spatial.mean <= 0.85'; several times.")],
    link: Link,
) -> None:
    """Define a gate by conditions that must all be met."""
    with link.client() as client:
        gate = client.create_gate(name, condition)
    link.show(gate, record(gate, COLUMNS))


@gates.command("list")
@with_bundles
def show_all(link: Link, limit: Limit = 50) -> None:
    """List gates."""
    with link.client() as client:
        found = list(islice(client.gates(), limit))
    link.show(found, table("Gates", found, COLUMNS))


add_commands(gates, "gates", COLUMNS)
