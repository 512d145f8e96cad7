"""device classes and fair order."""

import sqlalchemy as sa
from alembic import op

revision = "0002_fair_order"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "workers",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("device_class", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    # Audits from before this revision ran wherever a worker was; none of them was promised a GPU.
    op.add_column("audits", sa.Column("device_class", sa.Text(), nullable=False, server_default="cpu"))
    op.alter_column("audits", "device_class", server_default=None)
    op.add_column("shards", sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True))
    claimed = sa.text("claimed_at IS NOT NULL")
    op.create_index("ix_shards_audit_claimed", "shards", ["audit_id", "claimed_at"], postgresql_where=claimed)
    open_shards = sa.text("status <> 'done'")
    op.create_index("ix_shards_open", "shards", ["audit_id", "ordinal"], postgresql_where=open_shards)


def downgrade() -> None:
    op.drop_index("ix_shards_open", table_name="shards")
    op.drop_index("ix_shards_audit_claimed", table_name="shards")
    op.drop_column("shards", "claimed_at")
    op.drop_column("audits", "device_class")
    op.drop_table("workers")
