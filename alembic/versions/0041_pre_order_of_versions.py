"""Versions are in the order of their registry, runs say what they came to, and sweeps remember what they saw.

A version that its registry made anew has a run of its own: the time joins the key. Dispatchers of the version before
name the old key and wait, with the deliveries kept, until those of this one take their place.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0041_pre_order_of_versions"
down_revision = "0040_pre_sources_of_runs"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
KEY = ["policy_id", "model_name", "version"]
OUTCOMES = """
UPDATE policy_runs SET outcome = CASE stage WHEN 'done' THEN 'audited' ELSE 'failed' END, outcome_reason = reason
WHERE stage IN ('done', 'failed')
"""

GIVEN = """
UPDATE policy_runs SET alias_given = policies.definition->'write_back'->>'alias_on_pass' FROM policies, audits
WHERE policies.id = policy_runs.policy_id AND audits.id = policy_runs.audit_id AND policy_runs.stage = 'done'
AND audits.verdict->>'verdict' = 'passed'
"""


def upgrade() -> None:
    op.add_column("models", sa.Column("registered_at", _TIME))
    op.add_column("policy_runs", sa.Column("registered_at", _TIME))
    op.add_column("policy_runs", sa.Column("outcome", sa.Text()))
    op.add_column("policy_runs", sa.Column("outcome_reason", sa.Text()))
    op.add_column("policy_runs", sa.Column("alias_given", sa.Text()))
    op.add_column("policy_runs", sa.Column("notes", JSONB(), server_default=sa.text("'[]'"), nullable=False))
    op.add_column("policies", sa.Column("matched_since", _TIME, server_default=sa.func.now(), nullable=False))
    op.add_column("policies", sa.Column("swept_to", _TIME))
    op.add_column("policies", sa.Column("seen", JSONB()))
    op.execute("UPDATE policies SET matched_since = created_at")
    op.execute(OUTCOMES)
    op.execute(GIVEN)
    op.drop_index("ix_policy_runs_version", "policy_runs")
    anew = {"unique": True, "postgresql_nulls_not_distinct": True}
    op.create_index("ix_policy_runs_version", "policy_runs", [*KEY, "registered_at"], **anew)


def downgrade() -> None:
    op.drop_index("ix_policy_runs_version", "policy_runs")
    op.create_index("ix_policy_runs_version", "policy_runs", KEY, unique=True)
    for column in ("seen", "swept_to", "matched_since"):
        op.drop_column("policies", column)
    for column in ("notes", "alias_given", "outcome_reason", "outcome", "registered_at"):
        op.drop_column("policy_runs", column)
    op.drop_column("models", "registered_at")
