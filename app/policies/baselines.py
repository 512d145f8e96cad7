"""The audit that a policy's gate compares with."""

from collections.abc import Sequence
from uuid import UUID

from app.errors import EgressFailure
from app.policies.schemas import ALIAS, PREVIOUS, Policy
from app.registries.base import Registry


def baseline_of(
    audited: Sequence[tuple[str, UUID]], model_name: str, policy: Policy, registry: Registry
) -> UUID | None:
    """Of the versions that were audited before, the newest first; None where there is none yet.

    Raises EgressFailure while the registry does not answer.
    """
    named = policy.baseline
    if named is None or policy.gate is None:
        return None
    if named != PREVIOUS and not named.startswith(ALIAS):
        return UUID(named)
    if named == PREVIOUS:
        return audited[0][1] if audited else None
    return dict(reversed(audited)).get(_version_of(registry, model_name, named.removeprefix(ALIAS)) or "")


def _version_of(registry: Registry, name: str, alias: str) -> str | None:
    """None while no version has the alias."""
    try:
        return registry.aliased(name, alias).version
    except EgressFailure as failure:
        if failure.code == "registry-not-found":
            return None
        raise
