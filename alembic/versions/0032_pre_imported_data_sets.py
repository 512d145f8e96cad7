"""Data sets are imported as models are, and both from a folder of the operator's, without a connection."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0032_pre_imported_data_sets"
down_revision = "0031_pre_device_faults"
branch_labels = None
depends_on = None

ROLE = "salience_audit_tenant"
DEFAULT_TENANT = "00000000-0000-7000-8000-000000000001"
SETTING = "NULLIF(current_setting('app.tenant', true), '')::uuid"
OWNER = sa.text(f"COALESCE({SETTING}, '{DEFAULT_TENANT}'::uuid)")
TABLE = "dataset_imports"


def upgrade() -> None:
    op.add_column("datasets", sa.Column("source", JSONB(), nullable=True))
    op.alter_column("model_imports", "connection_id", nullable=True)
    op.create_table(
        TABLE,
        sa.Column("dataset_id", sa.Uuid(), sa.ForeignKey("datasets.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("tenant_id", sa.Uuid(), server_default=OWNER, nullable=False),
        sa.Column("connection_id", sa.Uuid(), sa.ForeignKey("connections.id", ondelete="RESTRICT"), nullable=True),
        sa.Column("uri", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=True),
    )
    op.create_index("ix_dataset_imports_connection_id", TABLE, ["connection_id"])
    op.create_index("ix_dataset_imports_due", TABLE, ["next_at"], postgresql_where=sa.text("next_at IS NOT NULL"))
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {TABLE} TO {ROLE}")
    op.execute(f"ALTER TABLE {TABLE} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {TABLE} FORCE ROW LEVEL SECURITY")
    own = f"current_user <> '{ROLE}' OR tenant_id = (SELECT {SETTING})"
    op.execute(f"CREATE POLICY tenants_apart ON {TABLE} USING ({own})")


def downgrade() -> None:
    op.drop_table(TABLE)
    op.execute("DELETE FROM model_imports WHERE connection_id IS NULL")
    op.alter_column("model_imports", "connection_id", nullable=False)
    op.drop_column("datasets", "source")
