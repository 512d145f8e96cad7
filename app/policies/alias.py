"""Whether the policy's alias goes to a version whose gate passed: once, and only forwards."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from app.db.tables import PolicyRunRow
from app.registries.base import KeepsAliases, Version, holder_of


@dataclass(frozen=True)
class Move:
    """What became of it."""

    has_it: bool
    """The version has the alias now."""
    note: str


def move_alias(
    registry: KeepsAliases, run: PolicyRunRow, alias: str, seen_at: Callable[[Version], datetime | None]
) -> Move:
    """Never over a newer version, and never back to one that somebody took it from.

    ``seen_at`` tells when a version was first seen here, for registries that do not say when it was made. Raises
    EgressFailure.
    """
    version = Version(run.model_name, run.version)
    holder = holder_of(registry, run.model_name, alias)
    if holder is not None and holder.version == run.version:
        return Move(has_it=True, note=f"The version has the alias {alias}.")
    where = "no version has it" if holder is None else f"it is with version {holder.version}"
    if run.alias_given == alias:
        told = f"The alias {alias} was taken from this version since it was given it: {where}, and stays so."
        return Move(has_it=False, note=told)
    if holder is None:
        registry.give_alias(version, alias)
        return Move(has_it=True, note=f"The version was given the alias {alias}, which none had.")
    made_at = holder.registered_at or seen_at(holder)
    if made_at is None or run.registered_at is None or made_at >= run.registered_at:
        why = "of which nobody knows whether it is older" if made_at is None else "which is not older"
        return Move(has_it=False, note=f"The alias {alias} stays with version {holder.version}, {why}.")
    registry.give_alias(version, alias)
    return Move(has_it=True, note=f"The version was given the alias {alias}, from version {holder.version}.")
