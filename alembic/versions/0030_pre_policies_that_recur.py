"""Policies recur and group versions by their recipe, and a hook says since when what it leads to fails."""

import sqlalchemy as sa
from alembic import op

revision = "0030_pre_policies_that_recur"
down_revision = "0029_pre_processors"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("hooks", sa.Column("failing_since", _TIME))
    op.add_column("policies", sa.Column("recurs_at", _TIME))
    op.add_column("policy_runs", sa.Column("hook_id", sa.Uuid(), sa.ForeignKey("hooks.id", ondelete="SET NULL")))
    op.add_column("policy_runs", sa.Column("recipe", sa.Text))
    op.create_index("ix_policy_runs_hook_id", "policy_runs", ["hook_id"])
    due = sa.text("recurs_at IS NOT NULL")
    op.create_index("ix_policies_recurring", "policies", ["recurs_at"], postgresql_where=due)


def downgrade() -> None:
    op.drop_index("ix_policies_recurring", "policies")
    op.drop_index("ix_policy_runs_hook_id", "policy_runs")
    op.drop_column("policy_runs", "recipe")
    op.drop_column("policy_runs", "hook_id")
    op.drop_column("policies", "recurs_at")
    op.drop_column("hooks", "failing_since")
