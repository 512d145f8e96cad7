"""A tenant's minutes of workers, and the quota of them."""

import sqlalchemy as sa
from alembic import op

revision = "0012_audit_minutes"
down_revision = "0011_turns_of_tenants"
branch_labels = None
depends_on = None

ROLE = "salience_audit_tenant"
DEFAULT_TENANT = "00000000-0000-7000-8000-000000000001"
SETTING = "NULLIF(current_setting('app.tenant', true), '')::uuid"


def upgrade() -> None:
    op.add_column("tenants", sa.Column("max_audit_minutes", sa.Integer(), nullable=True))
    op.create_table(
        "audit_usage",
        sa.Column("audit_id", sa.Uuid(), primary_key=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("reserved_seconds", sa.Double(), nullable=False),
        sa.Column("used_seconds", sa.Double(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "tenant_id",
            sa.Uuid(),
            sa.ForeignKey("tenants.id", ondelete="RESTRICT"),
            server_default=sa.text(f"COALESCE({SETTING}, '{DEFAULT_TENANT}'::uuid)"),
            nullable=False,
        ),
    )
    op.create_index("ix_audit_usage_tenant", "audit_usage", ["tenant_id", "created_at"])
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON audit_usage TO {ROLE}")
    op.execute("ALTER TABLE audit_usage ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE audit_usage FORCE ROW LEVEL SECURITY")
    own = f"current_user <> '{ROLE}' OR tenant_id = (SELECT {SETTING})"
    op.execute(f"CREATE POLICY tenants_apart ON audit_usage USING ({own})")


def downgrade() -> None:
    op.drop_table("audit_usage")
    op.drop_column("tenants", "max_audit_minutes")
