"""tenants, API keys, and whose every row is."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008_tenants"
down_revision = "0007_metrics"
branch_labels = None
depends_on = None

DEFAULT_TENANT = "00000000-0000-7000-8000-000000000001"
RESOURCES = ("models", "datasets", "run_groups", "gates", "audits", "comparisons")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "tenants",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.execute(f"INSERT INTO tenants (id, name) VALUES ('{DEFAULT_TENANT}', 'default')")
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("replaces", sa.Uuid(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_at", TIME, server_default=sa.text("now()"), nullable=False),
        *(sa.Column(name, TIME, nullable=True) for name in ("expires_at", "rotated_at", "revoked_at", "last_used_at")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["replaces"], ["api_keys.id"], ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("prefix"),
    )
    op.create_index(op.f("ix_api_keys_tenant_id"), "api_keys", ["tenant_id"], unique=False)
    for table in (*RESOURCES, "idempotency_keys"):
        op.add_column(table, _tenant_id())
        op.create_foreign_key(f"{table}_tenant_id_fkey", table, "tenants", ["tenant_id"], ["id"], ondelete="RESTRICT")
    for table in RESOURCES:
        op.create_index(f"ix_{table}_tenant", table, ["tenant_id", "id"], unique=False)
    op.drop_constraint("idempotency_keys_pkey", "idempotency_keys", type_="primary")
    op.create_primary_key("idempotency_keys_pkey", "idempotency_keys", ["tenant_id", "operation", "key"])


def downgrade() -> None:
    # The same key of two tenants would be one.
    op.execute(f"DELETE FROM idempotency_keys WHERE tenant_id <> '{DEFAULT_TENANT}'")
    op.drop_constraint("idempotency_keys_pkey", "idempotency_keys", type_="primary")
    op.create_primary_key("idempotency_keys_pkey", "idempotency_keys", ["operation", "key"])
    for table in (*RESOURCES, "idempotency_keys"):
        op.drop_column(table, "tenant_id")
    op.drop_table("api_keys")
    op.drop_table("tenants")


def _tenant_id() -> sa.Column:
    """Of the transaction's tenant; rows from before there were tenants get the first one."""
    default = f"COALESCE(NULLIF(current_setting('app.tenant', true), '')::uuid, '{DEFAULT_TENANT}'::uuid)"
    return sa.Column("tenant_id", sa.Uuid(), server_default=sa.text(default), nullable=False)
