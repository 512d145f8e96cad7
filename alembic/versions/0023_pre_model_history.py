"""The history of a model: headline numbers of audits, and comparisons with the version before."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0023_pre_model_history"
down_revision = "0022_pre_webhooks"
branch_labels = None
depends_on = None

ROLE = "salience_audit_tenant"


def upgrade() -> None:
    op.add_column("audits", sa.Column("headlines", JSONB(), nullable=True))
    op.create_table(
        "version_comparisons",
        sa.Column("audit_id", sa.Uuid(), sa.ForeignKey("audits.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("before_audit_id", sa.Uuid(), sa.ForeignKey("audits.id", ondelete="CASCADE"), nullable=False),
        sa.Column("comparison_id", sa.Uuid(), sa.ForeignKey("comparisons.id", ondelete="CASCADE"), nullable=False),
        sa.Column("regressions", JSONB(), nullable=True),
    )
    for column in ("before_audit_id", "comparison_id"):
        op.create_index(f"ix_version_comparisons_{column}", "version_comparisons", [column])
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON version_comparisons TO {ROLE}")
    op.execute("ALTER TABLE version_comparisons ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE version_comparisons FORCE ROW LEVEL SECURITY")
    # The audit's own policy applies to what is found here.
    found = "EXISTS (SELECT FROM audits WHERE audits.id = version_comparisons.audit_id)"
    op.execute(f"CREATE POLICY tenants_apart ON version_comparisons USING (current_user <> '{ROLE}' OR {found})")


def downgrade() -> None:
    op.drop_table("version_comparisons")
    op.drop_column("audits", "headlines")
