"""Versions of one recipe: a tag of a version in its registry names it, and those of one name are a run group."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.tables import PolicyRow, PolicyRunRow, RunGroupRow
from app.domain.measures import PAIRINGS
from app.domain.protocol import ProtocolRequest
from app.policies.other_versions import models_of_recipe
from app.policies.schemas import Policy
from app.registries.base import Registry
from app.run_groups.repository import insert_run_group, members_of
from app.run_groups.schemas import RunGroupRequest

MOST_MODELS = 10
"""Of a run group: every audit measures them all, and clean maps of earlier audits are taken over."""
LOOKED_AT = 20


def recipe_of(registry: Registry, uri: str, policy: Policy) -> str | None:
    """None where the policy groups nothing, or the version has no such tag. Raises EgressFailure."""
    if policy.run_group_tag is None:
        return None
    return registry.open(uri).version.tags.get(policy.run_group_tag) or None


def run_group_of(session: Session, run: PolicyRunRow, policy: Policy) -> UUID | None:
    """The run group of the run's recipe, with its own model; None while that is the only one."""
    if run.recipe is None or run.model_id is None:
        return None
    # Of two versions that are ready at once, one waits here and then sees the other.
    session.get_one(PolicyRow, run.policy_id, with_for_update=True)
    session.flush()
    others = models_of_recipe(session, run, MOST_MODELS - 1)
    if not others:
        return None
    return _group(session, run.recipe, [*others, run.model_id], policy.tag)


def _group(session: Session, recipe: str, model_ids: list[UUID], tag: str) -> UUID:
    """The one of these models that is there, or a new one."""
    same_name = select(RunGroupRow.id).where(RunGroupRow.name == recipe[:200], RunGroupRow.tags.contains([tag]))
    ids = session.scalars(same_name.order_by(RunGroupRow.id.desc()).limit(LOOKED_AT)).all()
    members = members_of(session, ids)
    found = next((group_id for group_id in ids if set(members[group_id]) == set(model_ids)), None)
    return found or insert_run_group(session, RunGroupRequest(name=recipe[:200], tags=[tag], model_ids=model_ids)).id


def of_one_model(protocol: ProtocolRequest) -> ProtocolRequest:
    """Without what compares models; as it is where it measures nothing else, and the audit says so."""
    if protocol.measures is None:
        return protocol
    pairings = {spec.name for spec in PAIRINGS}
    if pairings.issuperset(protocol.measures.names):
        return protocol
    alone = protocol.measures.model_copy(update=dict.fromkeys(pairings, None))
    return protocol.model_copy(update={"measures": alone})
