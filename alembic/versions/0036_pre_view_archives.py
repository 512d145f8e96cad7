"""An audit's changed images as an archive."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0036_pre_view_archives"
down_revision = "0035_pre_listed_objects"
branch_labels = None
depends_on = None

ROLE = "salience_audit_tenant"
DEFAULT_TENANT = "00000000-0000-7000-8000-000000000001"
SETTING = "NULLIF(current_setting('app.tenant', true), '')::uuid"


def upgrade() -> None:
    now = sa.func.now()
    op.create_table(
        "view_archives",
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
        sa.Column("model_ordinal", sa.SmallInteger(), nullable=False),
        sa.Column("needs", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("lease_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", JSONB(), nullable=True),
        sa.Column("stored_digest", sa.Text(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
    )
    op.create_index("ix_view_archives_tenant", "view_archives", ["tenant_id", "id"])
    op.create_index("ix_view_archives_audit", "view_archives", ["audit_id", "model_ordinal", "needs"], unique=True)
    op.create_index("ix_view_archives_status", "view_archives", ["status"])
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON view_archives TO {ROLE}")
    op.execute("ALTER TABLE view_archives ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE view_archives FORCE ROW LEVEL SECURITY")
    own = f"current_user <> '{ROLE}' OR tenant_id = (SELECT {SETTING})"
    op.execute(f"CREATE POLICY tenants_apart ON view_archives USING ({own})")


def downgrade() -> None:
    op.drop_table("view_archives")
