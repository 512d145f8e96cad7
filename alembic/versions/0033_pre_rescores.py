"""An audit's comparisons made again by another similarity."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0033_pre_rescores"
down_revision = "0032_pre_imported_data_sets"
branch_labels = None
depends_on = None

ROLE = "salience_audit_tenant"
DEFAULT_TENANT = "00000000-0000-7000-8000-000000000001"
SETTING = "NULLIF(current_setting('app.tenant', true), '')::uuid"


def upgrade() -> None:
    now = sa.func.now()
    op.create_table(
        "rescores",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column(
            "tenant_id",
            sa.Uuid(),
            sa.ForeignKey("tenants.id", ondelete="RESTRICT"),
            server_default=sa.text(f"COALESCE({SETTING}, '{DEFAULT_TENANT}'::uuid)"),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=now, nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=now, nullable=False),
        sa.Column("audit_id", sa.Uuid(), sa.ForeignKey("audits.id", ondelete="CASCADE"), nullable=False),
        sa.Column("similarity", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("problem", JSONB(), nullable=True),
        sa.Column("document", sa.JSON(), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
    )
    op.create_index("ix_rescores_tenant", "rescores", ["tenant_id", "id"])
    op.create_index("ix_rescores_audit", "rescores", ["audit_id", "similarity"], unique=True)
    op.create_index("ix_rescores_status", "rescores", ["status"])
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON rescores TO {ROLE}")
    op.execute("ALTER TABLE rescores ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE rescores FORCE ROW LEVEL SECURITY")
    own = f"current_user <> '{ROLE}' OR tenant_id = (SELECT {SETTING})"
    op.execute(f"CREATE POLICY tenants_apart ON rescores USING ({own})")


def downgrade() -> None:
    op.drop_table("rescores")
