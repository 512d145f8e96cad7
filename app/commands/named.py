"""What can be done with anything that has a name: ``show``, ``rename``, ``delete``."""

from typing import Annotated

import typer

from app.commands.bundles import with_bundles
from app.commands.connecting import Link
from app.commands.group import ExitStatus
from app.commands.output import note
from app.commands.tables import Columns, record
from salience_audit.errors import Json
from salience_audit.nouns import NOUNS, UPLOADED, VERSIONED, Collection

WORDS: Columns = {
    "description": lambda resource: resource["about"] if "about" in resource else resource["description"],
    "tags": lambda resource: ", ".join(resource["tags"]) or None,
}
VERSIONS: Columns = {
    "aliases": lambda resource: ", ".join(resource["aliases"]) or None,
}

Reference = Annotated[str, typer.Argument(help="Its id or name; NAME@3 or NAME@ALIAS where names have versions.")]


def show_sent(link: Link, made: Json, columns: Columns) -> None:
    """What was sent, with its notes. The exit status is 3 where something in the folder could not be."""
    link.show(made, record(made, columns))
    for told in made["notes"]:
        note(told)
    if made.get("left_out"):
        raise typer.Exit(ExitStatus.NO_VERDICT)


def add_commands(group: typer.Typer, collection: Collection, columns: Columns) -> None:
    """To the group of a collection."""
    noun = NOUNS[collection]
    shown: Columns = {**columns, **(VERSIONS if collection in VERSIONED else {}), **WORDS}

    @group.command("show", help=f"Show one {noun}; --json prints all that is known of it.")
    @with_bundles
    def show(reference: Reference, link: Link) -> None:
        with link.client() as client:
            found = client.resource(collection, client.find(collection, reference))
        link.show(found, record(found, shown))

    @group.command("rename", help=f"Give a {noun} another name, of which it may become the next version.")
    @with_bundles
    def rename(reference: Reference, name: Annotated[str, typer.Argument(help="The new name.")], link: Link) -> None:
        with link.client() as client:
            changed = client.change(collection, client.find(collection, reference), name=name)
        link.show(changed, record(changed, shown))

    @group.command("delete", help=f"Delete a {noun} for good.")
    @with_bundles
    def delete(
        reference: Reference,
        link: Link,
        *,
        cascade: Annotated[
            bool, typer.Option("--cascade", help="With the ended audits and run groups that refer to it.")
        ] = False,
    ) -> None:
        with link.client() as client:
            deleted = client.find(collection, reference)
            client.delete(collection, deleted, cascade=cascade and collection in UPLOADED)
        link.show({"id": deleted, "deleted": True})
        if not link.as_json:
            note(f"Deleted the {noun} {reference}.")
