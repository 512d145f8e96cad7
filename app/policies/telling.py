"""The last stages of a run, each tried again by itself: verdict and numbers, the alias, the run that it came from."""

from datetime import datetime
from functools import partial

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.db.tables import ConnectionRow, ModelRow, PolicyRunRow
from app.domain.vocabulary import RunStage
from app.hooks.schemas import HookOutcome
from app.policies.alias import move_alias
from app.policies.failing import note_success
from app.policies.run_log import log_to_run
from app.policies.runs import moves_elsewhere
from app.policies.schemas import Policy
from app.policies.stages import Claim, Means, NotYet, end, go_on, locked
from app.policies.write_back import Words, words_of
from app.registries.base import KeepsAliases, KeepsRuns, TakesProposals, TakesTags, Version

NO_TAGS = "The registry takes no tags of versions: nothing was written back."
NO_ALIASES = "The registry has no aliases that could be moved."


def write(means: Means, claim: Claim) -> None:
    """Tags, or what stands for them."""
    run, policy, words, connection = _read(means, claim)
    version, note = Version(run.model_name, run.version), None
    with means.registry(connection) as registry:
        if policy.write_back.pull_request and isinstance(registry, TakesProposals):
            note = registry.propose(version, words.tags)
        elif policy.write_back.tags:
            note = registry.write(version, words.tags) if isinstance(registry, TakesTags) else NO_TAGS
    with means.tenant(claim) as session:
        run, _ = locked(session, claim)
        run.notes = [one for one in (words.note, note) if one]
        go_on(run, RunStage.MOVING)


def move(means: Means, claim: Claim) -> None:
    """The alias, where the gate passed."""
    run, _, words, connection = _read(means, claim)
    if words.alias is None:
        with means.tenant(claim) as session:
            go_on(locked(session, claim)[0], RunStage.LOGGING)
        return
    with means.tenant(claim) as session:
        if moves_elsewhere(session, run, connection.id):
            raise NotYet("The alias of another version is being moved.", 1.0 + claim.run_id.int % 8 / 4)
    with means.registry(connection) as registry:
        if not isinstance(registry, KeepsAliases):
            has_it, note = False, NO_ALIASES
        else:
            moved = move_alias(registry, run, words.alias, partial(_seen_at, means, claim, connection))
            has_it, note = moved.has_it, moved.note
    with means.tenant(claim) as session:
        run, _ = locked(session, claim)
        run.notes = [*run.notes, note]
        if has_it:
            run.alias_given = words.alias
        go_on(run, RunStage.LOGGING)


def log(means: Means, claim: Claim) -> None:
    """Metrics and report, in the run that the version came from; then the run of the policy has ended."""
    run, policy, words, connection = _read(means, claim)
    note = None
    if policy.write_back.run:
        with means.registry(connection) as registry:
            if isinstance(registry, KeepsRuns):
                draw = partial(means.draw_report, words.tenant_id, words.audit_id)
                note = log_to_run(registry, Version(run.model_name, run.version), words, draw)
    with means.tenant(claim) as session:
        close(session, claim, note)


def close(session: Session, claim: Claim, note: str | None) -> None:
    """The verdict is told, whatever the note says."""
    run = session.get(PolicyRunRow, claim.run_id)
    told = " ".join(one for one in (*(run.notes if run else ()), note) if one) or None
    done = end(session, claim, HookOutcome.AUDITED, told)
    if done is not None:
        note_success(session, done)


def _read(means: Means, claim: Claim) -> tuple[PolicyRunRow, Policy, Words, ConnectionRow]:
    with means.tenant(claim) as session:
        run, policy = locked(session, claim)
        connection = session.get_one(ConnectionRow, policy.connection_id)
        return run, policy, words_of(session, run, policy, means.settings.public_url), connection


def _seen_at(means: Means, claim: Claim, connection: ConnectionRow, version: Version) -> datetime | None:
    """When its model came here; None where it never did."""
    row = ModelRow
    query = select(func.min(func.coalesce(row.registered_at, row.created_at))).where(
        row.source["connection_id"].astext == str(connection.id),
        row.source["name"].astext == version.name,
        row.source["version"].astext == version.version,
    )
    with means.tenant(claim) as session:
        seen_at: datetime | None = session.scalar(query)
    return seen_at
