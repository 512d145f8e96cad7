"""The nouns of ``salience-audit``, each loaded when it is asked for: most commands need neither client nor database."""

from importlib import import_module
from typing import Any

from typer.main import get_group

from app.commands.group import CarefulGroup

_PLACES = {
    "models": "app.commands.model_uploads:models",
    "datasets": "app.commands.dataset_uploads:datasets",
    "map-sets": "app.commands.map_set_uploads:map_sets",
    "run-groups": "app.commands.run_groups:run_groups",
    "gates": "app.commands.gates:gates",
    "audits": "app.commands.audits:audits",
    "keys": "app.commands.keys:keys",
    "tenants": "app.commands.tenants:tenants",
}
"""By the name on the command line; in the order in which the help lists them, after the commands of app.cli."""


class NounsGroup(CarefulGroup):
    """Click's lazy group, for Typer (https://click.palletsprojects.com/en/stable/complex/#lazily-loading-subcommands)."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [*super().list_commands(ctx), *_PLACES]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in _PLACES:
            return super().get_command(ctx, cmd_name)
        module, _, name = _PLACES[cmd_name].partition(":")
        group = get_group(getattr(import_module(module), name))
        group.name = cmd_name
        return group
