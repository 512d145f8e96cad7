"""Data sets by reference: the objects that were listed, and how far a listing got."""

import sqlalchemy as sa
from alembic import op

revision = "0035_pre_listed_objects"
down_revision = "0034_pre_hook_refusals"
branch_labels = None
depends_on = None

ROLE = "salience_audit_tenant"
DEFAULT_TENANT = "00000000-0000-7000-8000-000000000001"
SETTING = "NULLIF(current_setting('app.tenant', true), '')::uuid"
OWNER = sa.text(f"COALESCE({SETTING}, '{DEFAULT_TENANT}'::uuid)")
TABLE = "dataset_objects"


def upgrade() -> None:
    op.add_column("dataset_imports", sa.Column("by_reference", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("dataset_imports", sa.Column("cursor", sa.Text(), nullable=True))
    op.add_column("dataset_imports", sa.Column("listed", sa.Integer(), server_default="0", nullable=False))
    op.create_table(
        TABLE,
        sa.Column("dataset_id", sa.Uuid(), sa.ForeignKey("datasets.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("tenant_id", sa.Uuid(), server_default=OWNER, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("pin", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {TABLE} TO {ROLE}")
    op.execute(f"ALTER TABLE {TABLE} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {TABLE} FORCE ROW LEVEL SECURITY")
    own = f"current_user <> '{ROLE}' OR tenant_id = (SELECT {SETTING})"
    op.execute(f"CREATE POLICY tenants_apart ON {TABLE} USING ({own})")


def downgrade() -> None:
    op.drop_table(TABLE)
    for column in ("listed", "cursor", "by_reference"):
        op.drop_column("dataset_imports", column)
