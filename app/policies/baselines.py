"""The audit that a policy's gate compares with."""

from collections.abc import Sequence
from uuid import UUID

from app.policies.other_versions import AuditedVersion
from app.policies.schemas import ALIAS, PREVIOUS, Policy
from app.registries.base import Registry, holder_of


def baseline_of(audited: Sequence[AuditedVersion], model_name: str, policy: Policy, registry: Registry) -> UUID | None:
    """Of the versions that were audited, the newest first; None where there is none yet.

    Raises EgressFailure while the registry does not answer.
    """
    named = policy.baseline
    if named is None or policy.gate is None:
        return None
    if named == PREVIOUS:
        return next((one.audit_id for one in audited if one.is_earlier), None)
    if not named.startswith(ALIAS):
        return UUID(named)
    holder = holder_of(registry, model_name, named.removeprefix(ALIAS))
    if holder is None:
        return None
    return next((one.audit_id for one in audited if one.is_of(holder)), None)
